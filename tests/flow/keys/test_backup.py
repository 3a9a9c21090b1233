"""A backup is sealed, opens again, and dies with the key it was sealed under."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from facepay.cli.exits import Exit
from facepay.cli.main import main
from facepay.db.backup import read_backup, write_backup
from facepay.db.session import open_database
from facepay.db.wrapping import find_key, register_keys
from facepay.errors import DatabaseFault
from keys import KeyState, KeyUse, MemoryKeyStore
from keys.errors import FormatError, KeyUnavailable

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command in a data folder of its own; gives exit code and output."""

    def command(*words: str) -> tuple[int, str]:
        code = main(["--data", str(tmp_path / "data"), *words])
        return code, capsys.readouterr().out

    return command


def test_a_backup_is_sealed_and_opens_again_and_never_over_anything(run: Run, tmp_path: Path) -> None:
    assert run("keys", "generate")[0] == Exit.DONE
    file, back = tmp_path / "shop.fpb", tmp_path / "back.db"
    code, out = run("backup", str(file))
    assert (code, "until key" in out) == (Exit.DONE, True)
    assert b"SQLite" not in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    assert run("backup", str(file))[0] == Exit.FAULT
    assert run("backup", str(file), "--open-to", str(back))[0] == Exit.DONE
    assert back.read_bytes().startswith(b"SQLite format 3\0")
    assert run("backup", str(file), "--open-to", str(back))[0] == Exit.FAULT
    assert '"entries": 1' in run("audit", "verify", "--json")[1]


def test_a_backup_dies_with_its_key_and_another_shop_a_cut_and_a_changed_one_are_refused(
    tmp_path: Path,
) -> None:
    database, file, to = open_database(f"sqlite:///{tmp_path}/f.db"), tmp_path / "b", tmp_path / "to.db"
    with MemoryKeyStore() as keys:
        with database.begin() as session:
            register_keys(session, keys, 1)
        key = write_backup(database, keys, "shop", file)
        database.close()
        good = file.read_bytes()
        with pytest.raises(DatabaseFault, match="another shop"):
            read_backup(file, keys, "other", to)
        for size in (0, 10, 100, len(good) // 2, len(good) - 16_400, len(good) - 1):
            file.write_bytes(good[:size])
            with pytest.raises((DatabaseFault, FormatError)):
                read_backup(file, keys, "shop", to)
        file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        with pytest.raises(DatabaseFault, match="altered"):
            read_backup(file, keys, "shop", to)
        assert not to.exists()
        file.write_bytes(good)
        read_backup(file, keys, "shop", to)
        restored = open_database(f"sqlite:///{to}")
        with restored.read() as session:
            assert find_key(session) == key
        restored.close()
        keys.advance(keys.generate(KeyUse.WRAP), KeyState.ACTIVE)
        keys.advance(key, KeyState.DESTROYED)
        with pytest.raises(KeyUnavailable):
            read_backup(file, keys, "shop", tmp_path / "never.db")
