"""`facepay keys` from the making of the store to the destruction of a key by two persons."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from facepay.cli.exits import Exit
from facepay.cli.main import main
from keys.keystore_file import open_file_keystore
from keys.slots import SlotKind

PASSPHRASE = "a long passphrase"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command in a data folder of its own; gives exit code, output and errors."""
    monkeypatch.setenv("PW", PASSPHRASE)
    settings = tmp_path / "facepay.toml"
    settings.write_text(f'data = "{tmp_path}/data"\n')

    def command(*words: str) -> tuple[int, str, str]:
        code = main(["--settings", str(settings), *words])
        out, err = capsys.readouterr()
        return code, out, err

    return command


@pytest.fixture
def approvers(run: Run, tmp_path: Path) -> list[Path]:
    """Two persons, named in the settings."""
    lines, files = [], []
    for name in ("anna", "ben"):
        files.append(tmp_path / f"{name}.fpk")
        code, out, _ = run("keys", "person", name, str(files[-1]), "--secret", "env:PW")
        assert code == Exit.DONE
        lines.append(out.strip())
    with (tmp_path / "facepay.toml").open("a") as settings:
        settings.write(f"[keys]\napprovers = {json.dumps(lines)}\n")
    return files


def approvals(run: Run, approvers: list[Path], deed: str, target: str) -> list[str]:
    words = []
    for number, person in enumerate(approvers):
        code, out, _ = run("keys", "approve", deed, target, "--by", str(person), "--secret", "env:PW")
        assert code == Exit.DONE
        path = person.with_suffix(f".{deed}.{number}")
        path.write_text(out)
        words += ["--approval", str(path)]
    return words


def keys_of(run: Run) -> dict[str, str]:
    code, out, _ = run("keys", "list", "--json")
    assert code == Exit.DONE
    return {row["key"]: row["state"] for row in json.loads(out) if row["use"] == "wrap"}


def test_two_persons_destroy_a_retired_key_and_no_approval_works_twice(
    run: Run, approvers: list[Path]
) -> None:
    assert run("keys", "generate")[0] == Exit.DONE
    (old,) = keys_of(run)
    words = approvals(run, approvers, "destroy", old)
    code, _, err = run("keys", "destroy", old, *words)
    assert (code, "cannot become destroyed" in err) == (Exit.FAULT, True)
    assert run("keys", "rotate")[0] == Exit.DONE
    assert keys_of(run)[old] == "decrypt-only"
    assert "needs the approval of 2 persons, 1 gave" in run("keys", "destroy", old, *words[:2])[2]
    assert "was used before" in run("keys", "destroy", old, *words)[2]
    code, _out, _ = run("keys", "destroy", old, *approvals(run, approvers, "destroy", old))
    assert (code, keys_of(run)[old]) == (Exit.DONE, "destroyed")
    assert run("audit", "verify", "--json")[1].strip() == '{"holds": true, "entries": 3}'


def test_escrow_needs_two_persons_and_two_shares_restore_the_store(
    run: Run, approvers: list[Path], tmp_path: Path
) -> None:
    run("keys", "generate")
    folder = tmp_path / "shares"
    assert run("keys", "escrow", "--to", str(folder))[0] == Exit.FAULT
    words = approvals(run, approvers, "export", "root")
    assert run("keys", "escrow", "--to", str(folder), *words)[0] == Exit.DONE
    shares = sorted(folder.iterdir())
    assert [share.stat().st_mode & 0o777 for share in shares] == [0o600] * 3
    restore = ["keys", "restore", "--secret", "env:PW", "--share", str(shares[2])]
    assert run(*restore)[0] == Exit.FAULT
    assert run(*restore, "--share", str(shares[0]))[0] == Exit.DONE
    open_file_keystore(tmp_path / "data" / "keys.fpk", lambda: PASSPHRASE).close()


def test_a_threshold_comes_into_force_by_two_persons(run: Run, approvers: list[Path]) -> None:
    run("keys", "generate")
    text = run("keys", "threshold")[1].strip()
    assert text.startswith("fpir=")
    wrong = approvals(run, approvers, "threshold", "fpir=1,margin=0")
    assert run("keys", "threshold", *wrong)[0] == Exit.FAULT
    right = approvals(run, approvers, "threshold", text)
    assert "in force" in run("keys", "threshold", *right)[1]


def test_erasing_nobody_and_verifying_nonsense_are_named(run: Run, tmp_path: Path) -> None:
    run("keys", "generate")
    assert run("erase", "00" * 16)[0] == Exit.USAGE
    junk = tmp_path / "receipt"
    junk.write_text("not.a.receipt")
    code, out, _ = run("erase", "--verify", str(junk))
    assert (code, out.startswith("refused")) == (Exit.CHECK_FAILED, True)
    assert run("erase")[0] == Exit.USAGE


def test_a_wrong_share_file_is_named(run: Run, tmp_path: Path) -> None:
    run("keys", "generate")
    code, _, err = run("keys", "restore", "--share", str(tmp_path / "gone"), "--secret", "env:PW")
    assert (code, "gone cannot be read" in err) == (Exit.USAGE, True)


def test_slots_are_added_listed_and_removed_and_the_last_one_stays(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("keys", "generate")
    monkeypatch.setenv("NEW", "another long passphrase")
    (tmp_path / "credential").write_bytes(bytes(range(1, 33)))
    assert run("keys", "slot", "add", "passphrase", "--secret", "env:NEW")[0] == Exit.DONE
    code, out, _ = run(
        "keys", "slot", "add", "credential", "--secret", f"file:{tmp_path}/credential", "--json"
    )
    assert code == Exit.DONE
    kinds = [slot["kind"] for slot in json.loads(out)]
    assert kinds == ["passphrase", "passphrase", "credential"]
    store = tmp_path / "data" / "keys.fpk"
    open_file_keystore(store, lambda: "another long passphrase").close()
    credential = frozenset({SlotKind.CREDENTIAL})
    open_file_keystore(store, lambda: bytes(range(1, 33)), kinds=credential).close()
    assert run("keys", "slot", "remove", "1")[0] == Exit.DONE
    assert run("keys", "slot", "remove", "2")[0] == Exit.DONE
    code, _, said = run("keys", "slot", "remove", "0")
    assert code == Exit.FAULT
    assert "last slot" in said
    assert run("keys", "slot", "remove", "7")[0] == Exit.FAULT
    assert run("keys", "slot", "add", "passphrase")[0] == Exit.USAGE


def test_a_machine_without_a_chip_is_told_so_and_its_store_is_untouched(run: Run, tmp_path: Path) -> None:
    run("keys", "generate")
    store = tmp_path / "data" / "keys.fpk"
    before = store.read_bytes()
    code, _, said = run("keys", "slot", "add", "tpm2", "--tcti", "swtpm:host=127.0.0.1,port=1")
    assert code == Exit.FAULT
    assert "TPM" in said or "tpm2-pytss" in said
    assert store.read_bytes() == before


def test_a_lost_key_store_is_not_replaced_unasked(run: Run, tmp_path: Path) -> None:
    assert run("keys", "generate")[0] == Exit.DONE
    assert run("keys", "rotate")[0] == Exit.DONE
    data = tmp_path / "data"
    (data / "keys.fpk").rename(tmp_path / "away")
    before = sorted(path.name for path in data.iterdir())
    code, _, err = run("keys", "list")
    assert (code, "restore the key store from its backup" in err) == (Exit.FAULT, True)
    assert sorted(path.name for path in data.iterdir()) == before
    assert "the database is sealed under its keys" in run("doctor")[1]
    (tmp_path / "away").rename(data / "keys.fpk")
    assert len(keys_of(run)) == 2


def test_a_slot_list_says_what_a_guess_at_a_passphrase_costs(run: Run) -> None:
    run("keys", "generate")
    run("keys", "slot", "add", "passphrase", "--secret", "env:PW")
    assert run("keys", "slot", "list")[1].splitlines()[1] == "1  passphrase  m=19456,t=2,p=1"
