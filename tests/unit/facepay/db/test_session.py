"""Opening, migrating and failing databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from facepay.db.base import Base
from facepay.db.migrate import alembic_config
from facepay.db.models.subjects import ConsentRow
from facepay.db.session import Database, open_database
from facepay.errors import DatabaseFault, SettingsError
from facepay.journal import History


def open_in(folder: Path) -> Database:
    return open_database(f"sqlite:///{folder / 'facepay.db'}")


def consent(subject: str) -> ConsentRow:
    return ConsentRow(
        subject=subject,
        purpose="pay",
        tenant="shop",
        version="1",
        language="en",
        text_sha256="0" * 64,
        given_at_ms=1,
    )


def test_migrations_lead_exactly_to_the_models(tmp_path: Path) -> None:
    database = open_in(tmp_path)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    database.close()


def test_migrations_lead_to_the_same_triggers_as_the_models(tmp_path: Path) -> None:
    from sqlalchemy import create_engine

    database = open_in(tmp_path)
    fresh = create_engine("sqlite://")
    Base.metadata.create_all(fresh)
    triggers = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
    with database.engine.connect() as migrated, fresh.connect() as made:
        assert migrated.execute(triggers).all() == made.execute(triggers).all() != []
    database.close()
    fresh.dispose()


def test_sqlite_survives_power_cuts_and_forgets_deleted_bytes(tmp_path: Path) -> None:
    database = open_in(tmp_path)
    with database.begin() as session:
        read = {p: session.scalar(text(f"PRAGMA {p}")) for p in ("journal_mode", "synchronous")}
        read |= {p: session.scalar(text(f"PRAGMA {p}")) for p in ("foreign_keys", "secure_delete")}
    assert read == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    database.close()


def test_the_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    open_in(tmp_path / "new").close()
    assert (tmp_path / "new" / "facepay.db").stat().st_mode & 0o077 == 0


def test_a_failing_block_leaves_nothing(tmp_path: Path) -> None:
    database = open_in(tmp_path)
    with pytest.raises(ZeroDivisionError), database.begin() as session:
        session.add(consent("a"))
        session.flush()
        _ = 1 / 0
    with database.begin() as session:
        assert session.get(ConsentRow, ("a", "pay")) is None
    database.close()


def test_erased_bytes_leave_the_write_ahead_log_too(tmp_path: Path) -> None:
    database = open_in(tmp_path)
    with database.begin() as session:
        session.add(consent("needle-needle-needle-needle-need"))
    with database.begin() as session:
        session.delete(session.get(ConsentRow, ("needle-needle-needle-needle-need", "pay")))
    database.erase_traces()
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"needle-needle" not in files
    database.close()


def test_a_file_that_is_no_database_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "facepay.db").write_bytes(b"this is a shopping list" * 100)
    with pytest.raises(DatabaseFault, match="no database"):
        open_in(tmp_path)


def test_a_truncated_database_is_refused(tmp_path: Path) -> None:
    open_in(tmp_path).close()
    path = tmp_path / "facepay.db"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DatabaseFault, match=r"damaged|no database"):
        open_in(tmp_path)


def test_a_database_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    database = open_in(tmp_path)
    with database.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(DatabaseFault, match="newer release"):
        open_in(tmp_path)


def test_a_folder_in_the_place_of_the_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "facepay.db").mkdir()
    with pytest.raises(DatabaseFault, match="cannot be made"):
        open_in(tmp_path)


def test_a_url_that_is_none_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="database url"):
        open_database("shopping list")


def test_a_full_disk_is_told_in_plain_words(tmp_path: Path) -> None:
    database = open_in(tmp_path)
    with pytest.raises(DatabaseFault, match="disk is full"), database.begin() as session:
        pages = session.scalar(text("PRAGMA page_count"))
        session.execute(text(f"PRAGMA max_page_count = {pages}"))
        for number in range(2000):
            session.add(consent(f"{number:032}"))
        session.flush()
    database.close()


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    database = open_in(tmp_path)
    with database.begin() as writer:
        writer.add(consent("a"))
        writer.flush()
        with database.read() as session:
            assert session.scalars(select(ConsentRow)).all() == []
    with database.read() as session:
        assert [row.subject for row in session.scalars(select(ConsentRow))] == ["a"]
    database.close()


def test_tidying_moves_the_log_into_the_file(tmp_path: Path) -> None:
    database = open_in(tmp_path)
    with database.begin() as session:
        session.add(consent("a"))
    before = (tmp_path / "facepay.db").stat().st_size
    database.tidy()
    assert (tmp_path / "facepay.db").stat().st_size > before
    database.close()


def test_journals_of_the_first_release_get_what_tills_ask_by(tmp_path: Path) -> None:
    database = open_in(tmp_path)
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0001")
        connection.execute(
            text(
                "INSERT INTO journal_payment (payment, chain, request, fingerprint, state, amount_minor,"
                " currency, at_ms, body) VALUES ('p1', 'T1', 'r', 'f', 'captured', 500, 'EUR', 1, :body)"
            ),
            {"body": '{"receipt":7,"till":"left","wire":"rest"}'},
        )
        connection.execute(
            text("INSERT INTO journal_row VALUES ('T1', 1, 'p1', 'captured', 9, '{}', '0', '1')")
        )
    database.close()
    database = open_in(tmp_path)
    history = History(database.engine, "T1")
    found = history.find_receipt(7)
    assert found is not None
    assert found.payment == "p1"
    assert [(m.captures, m.captured.minor) for m in history.moved(9, 10)] == [(1, 500)]
    database.close()
