from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from facepay.db.base import Base
from facepay.db.engine import open_engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'money.db'}", busy_timeout_ms=200)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()
