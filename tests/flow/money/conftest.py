"""A throw-away PostgreSQL server for the tests marked `postgresql`."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from facepay.db.base import Base
from facepay.db.engine import open_engine


def programs() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    return sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]


def unprivileged() -> dict[str, int]:
    """PostgreSQL refuses to run as root; then its own user runs it."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid}


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    # Not below pytest's own folder: another run of pytest tidies that up under the running server.
    with tempfile.TemporaryDirectory(prefix="facepay-postgresql-") as folder:
        yield from serving(Path(folder))


def serving(folder: Path) -> Iterator[str]:
    who = unprivileged()
    if who:
        os.chown(folder, who["user"], who["group"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"

    def run(*command: object) -> None:
        words = [str(word) for word in command]
        subprocess.run(words, check=True, capture_output=True, cwd=folder, timeout=60, **who)

    run(programs() / "initdb", "-D", data, "-A", "trust", "-U", "facepay")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    pg_ctl = programs() / "pg_ctl"
    run(pg_ctl, "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
    try:
        yield f"postgresql+psycopg://facepay@127.0.0.1:{port}/postgres"
    finally:
        run(pg_ctl, "-D", data, "-m", "fast", "-w", "stop")


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[Engine]:
    engine = open_engine(postgresql_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()
