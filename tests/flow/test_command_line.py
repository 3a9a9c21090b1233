"""Enrol, top up, pay, refuse and leave from the command line, on real photos and weights."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import pytest

from facepay.cli.main import main

pytestmark = [pytest.mark.models, pytest.mark.photos]
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Type words after `facepay`; gives exit code, output and errors."""
    monkeypatch.setenv("CODE", "4711")
    monkeypatch.delenv("FACEPAY_SETTINGS", raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["--data", str(tmp_path / "data"), *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture
def gallery(photos_dir: Path) -> list[Path]:
    return sorted((photos_dir / "gallery").iterdir())


def enrol(typed: Typed, photo: Path, *more: str) -> str:
    words = ("enrol", "--photo", str(photo), "--code", "env:CODE", "--consent", "2026-11", "--json")
    code, out, err = typed(*words, *more)
    assert code == 0, err
    return str(json.loads(out)["account"])


def pay(typed: Typed, photo: Path, *more: str) -> dict[str, object]:
    words = ("pay", "5.00", "--photo", str(photo), "--yes", "--code", "env:CODE", "--json")
    _, out, err = typed(*words, *more)
    assert out, err
    answer: dict[str, object] = json.loads(out)
    return answer


def rows_of(folder: Path, table: str) -> int:
    with closing(sqlite3.connect(folder / "data" / "facepay.db")) as database:
        count: int = database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
        return count


def test_somebody_joins_pays_once_and_leaves(typed: Typed, gallery: list[Path], tmp_path: Path) -> None:
    payer, stranger = gallery[0], gallery[1]
    account = enrol(typed, payer)
    assert typed("wallet", "top-up", account, "20.00")[0] == 0
    approved = pay(typed, payer)
    assert (approved["outcome"], approved["authorised_minor"]) == ("approved", 500)
    assert pay(typed, stranger)["outcome"] == "no_match"
    assert json.loads(typed("wallet", "balance", account, "--json")[1])["balance_minor"] == 1500
    assert typed("wallet", "verify")[0] == 0
    assert typed("journal", "verify")[0] == 0
    assert rows_of(tmp_path, "payer_account") == 1
    assert typed("erase", account)[0] == 0
    assert rows_of(tmp_path, "payer_account") == 0
    assert pay(typed, payer)["outcome"] == "no_match"
    assert typed("subjects", account)[0] == 2


def test_who_has_not_paid_for_a_year_is_erased_on_demand(
    typed: Typed, gallery: list[Path], tmp_path: Path
) -> None:
    account = enrol(typed, gallery[0])
    assert "0 payers were due" in typed("erase", "--unused")[1]
    with closing(sqlite3.connect(tmp_path / "data" / "facepay.db")) as database:
        database.execute("UPDATE subject SET enrolled_at_ms = enrolled_at_ms - 366 * 86400000")
        database.commit()
    assert typed("erase", "--unused", account)[0] == 2
    assert "1 payers were due" in typed("erase", "--unused")[1]
    assert rows_of(tmp_path, "subject") == rows_of(tmp_path, "payer_account") == 0


def test_a_wallet_that_is_short_declines_and_charges_nothing(typed: Typed, gallery: list[Path]) -> None:
    account = enrol(typed, gallery[0])
    declined = pay(typed, gallery[0])
    assert (declined["outcome"], declined["reason"]) == ("declined", "insufficient_funds")
    assert json.loads(typed("wallet", "balance", account, "--json")[1])["balance_minor"] == 0


def test_a_payer_whom_the_tills_own_provider_charges(
    typed: Typed, gallery: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEPAY_PSP_DRIVER", "handover")
    account = enrol(typed, gallery[0], "--payer", "token:shop-customer-7")
    paid = pay(typed, gallery[0])
    assert (paid["outcome"], paid["payer_token"]) == ("approved", "shop-customer-7")
    assert typed("erase", account)[0] == 0


@pytest.mark.parametrize(("mode", "picture"), [("capsule", "code.png"), ("keyed", "code.txt")])
def test_a_template_in_the_shoppers_hands_pays_for_them_and_for_nobody_else(
    typed: Typed,
    gallery: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    picture: str,
) -> None:
    monkeypatch.setenv("FACEPAY_TEMPLATES_MODES", mode)
    code = tmp_path / picture
    account = enrol(typed, gallery[0], "--template", mode, "--code-to", str(code))
    assert typed("wallet", "top-up", account, "20.00")[0] == 0
    assert code.stat().st_mode & 0o077 == 0
    paid = pay(typed, gallery[0], "--holder-code", str(code))
    assert (paid["outcome"], paid["authorised_minor"]) == ("approved", 500)
    assert pay(typed, gallery[1], "--holder-code", str(code))["reason"] == "NotTheHolder"
    if mode == "keyed":
        monkeypatch.setenv("CODE", "1357")
        assert pay(typed, gallery[0], "--holder-code", str(code))["reason"] == "FactorFailed"


def test_a_picture_without_a_face_enrols_nobody(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEPAY_ENROLMENT_DEADLINE_S", "5")
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), cv2.merge([cv2.randu(cv2.UMat(480, 640, cv2.CV_8U).get(), 0, 255)] * 3))
    words = ("enrol", "--photo", str(blank), "--code", "env:CODE", "--consent", "2026-11")
    code, _, err = typed(*words)
    assert code == 3
    assert "no usable face" in err
    assert typed("subjects", "--json")[1].strip() == "[]"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("pay", "0", "--photo", "PHOTO", "--yes"), 2, "more than zero"),
        (("pay", "12.345", "--photo", "PHOTO", "--yes"), 2, "decimal"),
        (("pay", "5.00", "--photo", "/nowhere.jpg", "--yes"), 2, "no photo"),
        (("pay", "5.00", "--yes"), 2, "page's camera"),
        (("wallet", "balance", "nobody"), 2, "no account nobody"),
        (("wallet", "top-up", "nobody", "5.00"), 2, "no account nobody"),
        (("refund", "nowhere", "5.00"), 2, "no payment nowhere"),
        (("receipt", "show", "nowhere"), 2, "no payment nowhere"),
        (("erase", "nobody"), 2, "nobody is enrolled as nobody"),
        (("enrol", "--photo", "PHOTO", "--code", "env:UNSET", "--consent", "2026-11"), 2, "UNSET"),
        (("enrol", "--photo", "PHOTO", "--code", "env:HOME", "--consent", "2026-11"), 3, "digits"),
    ],
)
def test_bad_input_is_named(
    typed: Typed, gallery: list[Path], words: tuple[str, ...], code: int, says: str
) -> None:
    got, _, err = typed(*(word.replace("PHOTO", str(gallery[0])) for word in words))
    assert got == code, err
    assert says in err


def test_production_takes_no_face_from_a_file(
    typed: Typed, gallery: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEPAY_PROFILE", "production")
    monkeypatch.setenv("FACEPAY_CAMERA_DRIVER", "opencv")
    monkeypatch.setenv("FACEPAY_KEYS_URI", "file:/nowhere/keys.fpk")
    monkeypatch.setenv("FACEPAY_KEYS_SECRET", "env:CODE")
    monkeypatch.setenv("FACEPAY_POS_REST_TOKEN", "env:CODE")
    monkeypatch.setenv("FACEPAY_WEB_TILL_SECRET", "env:CODE")
    code, _, err = typed("enrol", "--photo", str(gallery[0]), "--code", "env:CODE", "--consent", "2026-11")
    assert code == 2
    assert "from a file" in err
