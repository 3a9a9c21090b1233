"""A statement over one authorisation: any change invalidates it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from facepay.journal import Entry, State
from facepay.receipts import (
    Authorised,
    StatementExpired,
    StatementIssuer,
    require_fresh,
    require_same,
    verify_authorised,
)
from facepay.receipts.qr import PREFIX, qr_png, qr_svg, read_image, read_text
from keys.errors import StatementRefused
from keys.keystore_memory import MemoryKeyStore
from pos_adapter.types import Money, TransactionId

STORE = MemoryKeyStore()
TRUSTED = {STORE.signing_key: STORE.verifying_key(STORE.signing_key)}
NOW = 1_763_812_800
ISSUER = StatementIssuer(STORE, now_s=lambda: NOW, nonce=lambda: "ab" * 16)
SAID = Authorised(
    payee="Corner shop",
    amount=1240,
    currency="EUR",
    terminal="T1",
    request="rest/T1/till/42",
    payment="p1",
    payer="0123456789abcdef01234567",
    liveness=2,
    factor="face",
    iat=NOW,
    exp=NOW + 60,
    nonce="ab" * 16,
    record="cd" * 16,
)
TOKEN = ISSUER.sign(SAID)


def test_what_was_signed_is_what_is_read() -> None:
    assert verify_authorised(TOKEN, TRUSTED) == SAID


def test_it_is_made_from_what_the_journal_knows() -> None:
    facts = {
        "payee": "Corner shop",
        "order_minor": 1240,
        "terminal": "T1",
        "pseudonym": "0123456789abcdef01234567",
        "liveness_level": 2,
        "factor": "face",
        "liveness_digest": "cd" * 16,
    }
    money = Money(1240, "EUR")
    entry = Entry(TransactionId("p1"), "rest/T1/till/42", "f", State.AUTHORISED, money, "a", 0, facts)
    assert verify_authorised(ISSUER.issue(entry), TRUSTED) == SAID


@pytest.mark.parametrize("name", sorted(Authorised.__slots__))
def test_changing_any_claim_breaks_the_signature(name: str) -> None:
    header, payload, signature = TOKEN.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    value = claims[name]
    claims[name] = value + 1 if isinstance(value, int) else value + "x"
    forged = base64.urlsafe_b64encode(json.dumps(claims, separators=(",", ":")).encode()).rstrip(b"=")
    with pytest.raises(StatementRefused):
        verify_authorised(f"{header}.{forged.decode()}.{signature}", TRUSTED)


def test_every_flipped_character_breaks_it() -> None:
    for at in range(0, len(TOKEN), 7):
        flipped = "A" if TOKEN[at] != "A" else "B"
        with pytest.raises(StatementRefused):
            verify_authorised(TOKEN[:at] + flipped + TOKEN[at + 1 :], TRUSTED)


def test_another_merchants_key_is_not_trusted() -> None:
    with pytest.raises(StatementRefused, match="not trusted"):
        verify_authorised(TOKEN, {})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount": 0}, "above 0"),
        ({"amount": -1}, "above 0"),
        ({"currency": "XXQ"}, "impossible"),
        ({"exp": NOW + 61}, "longer than 60 s"),
        ({"exp": NOW}, "longer than 60 s"),
        ({"factor": "smile"}, "unknown factor"),
        ({"liveness": 4}, "unknown factor or liveness"),
        ({"payer": ""}, "payer"),
    ],
)
def test_nonsense_is_not_even_signed(change: dict[str, object], reason: str) -> None:
    with pytest.raises(StatementRefused, match=reason):
        ISSUER.sign(replace(SAID, **change))  # type: ignore[arg-type]


def test_it_may_be_acted_on_for_sixty_seconds() -> None:
    require_fresh(SAID, NOW)
    require_fresh(SAID, NOW + 59)
    with pytest.raises(StatementExpired, match="expired 0 s ago"):
        require_fresh(SAID, NOW + 60)
    with pytest.raises(StatementExpired, match="check the clock"):
        require_fresh(SAID, NOW - 3600)


@pytest.mark.parametrize("lifetime_s", [0, 61])
def test_no_terminal_may_make_it_live_longer(lifetime_s: int) -> None:
    with pytest.raises(StatementRefused, match="1 to 60 seconds"):
        StatementIssuer(STORE, now_s=lambda: NOW, lifetime_s=lifetime_s)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"payee": "Other shop"}, "payee"),
        ({"money": Money(1241, "EUR")}, "money"),
        ({"terminal": "T2"}, "terminal"),
        ({"request": "rest/T1/till/43"}, "request"),
    ],
)
def test_it_is_about_one_payment_only(change: dict[str, object], name: str) -> None:
    payment = {
        "payee": "Corner shop",
        "money": Money(1240, "EUR"),
        "terminal": "T1",
        "request": "rest/T1/till/42",
    }
    require_same(SAID, **payment)  # type: ignore[arg-type]
    with pytest.raises(StatementRefused, match=f"another {name}"):
        require_same(SAID, **{**payment, **change})  # type: ignore[arg-type]


def test_a_picture_of_the_code_gives_the_statement_back(tmp_path: Path) -> None:
    picture = tmp_path / "receipt.png"
    for scale in (3, 4, 5, 8):
        picture.write_bytes(qr_png(TOKEN, scale=scale))
        assert verify_authorised(read_image(picture), TRUSTED) == SAID


def test_a_crooked_and_dim_photograph_of_the_code_will_do(tmp_path: Path) -> None:
    drawn = cv2.imdecode(np.frombuffer(qr_png(TOKEN, scale=6), np.uint8), cv2.IMREAD_GRAYSCALE)
    side = float(drawn.shape[0])
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    held = corners * 0.9 + np.array([[60, 90], [40, 40], [70, 60], [90, 50]], np.float32)
    paper = cv2.warpPerspective(
        drawn, cv2.getPerspectiveTransform(corners, held), (int(side) + 120,) * 2, borderValue=180
    )
    noise = np.random.default_rng(3).normal(0, 5, paper.shape)
    dim = np.clip(cv2.GaussianBlur(paper, (0, 0), 0.8) * 0.6 + 20 + noise, 0, 255).astype(np.uint8)
    picture = tmp_path / "receipt.jpg"
    cv2.imwrite(str(picture), dim)
    assert verify_authorised(read_image(picture), TRUSTED) == SAID


def test_the_code_is_small_enough_for_paper() -> None:
    # Version 40 has 177 modules; at 0.4 mm a module, 60 mm of paper hold 150 with the border.
    assert len(TOKEN) < 900
    assert "<svg" in qr_svg(TOKEN)


def test_a_scanner_may_leave_the_prefix_on_or_off() -> None:
    assert read_text(PREFIX + TOKEN + "\n") == read_text(TOKEN) == TOKEN


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_a_file_that_is_no_picture_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.png"
    file.write_bytes(content)
    with pytest.raises(StatementRefused, match=r"x\.png"):
        read_image(file)
