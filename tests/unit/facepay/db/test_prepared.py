from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from facepay.db.engine import open_engine
from facepay.db.prepared import Prepared

TABLE = Table("pets", MetaData(), Column("name", Text, primary_key=True), Column("legs", Integer))
ADD = Prepared(insert(TABLE), "name", "legs")
FIND = Prepared(select(TABLE).where(TABLE.c.name == bindparam("wanted")), "wanted")
MOVE = Prepared(
    update(TABLE).where(TABLE.c.name == bindparam("wanted")).values(legs=bindparam("now")), "wanted", "now"
)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'pets.db'}")
    TABLE.metadata.create_all(engine)
    return engine


def test_values_reach_their_places_by_name(engine: Engine) -> None:
    with engine.begin() as connection:
        ADD.run(connection, {"legs": 4, "name": "cat", "unused": 1})
        ADD.run(connection, [{"name": "hen", "legs": 2}, {"name": "fish", "legs": None}])
        assert MOVE.run(connection, {"now": 3, "wanted": "cat"}).rowcount == 1
        assert FIND.run(connection, {"wanted": "cat"}).one().legs == 3
        assert FIND.run(connection, {"wanted": "fish"}).one().legs is None
        assert FIND.run(connection, {"wanted": "'; DROP TABLE pets"}).one_or_none() is None


def test_the_drivers_failures_keep_their_names(engine: Engine) -> None:
    with engine.begin() as connection:
        ADD.run(connection, {"name": "cat", "legs": 4})
    with pytest.raises(IntegrityError), engine.begin() as connection:
        ADD.run(connection, {"name": "cat", "legs": 4})
    with pytest.raises(KeyError), engine.begin() as connection:
        ADD.run(connection, {"name": "dog"})
