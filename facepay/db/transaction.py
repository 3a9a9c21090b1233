"""Plain connections whose failures are told in an operator's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from facepay.db.engine import reader_of
from facepay.db.session import fault


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection to read with; raises DatabaseFault where the database fails."""
    try:
        with reader_of(engine).connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise fault(error) from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction, committed at the end of the block and rolled back where it raises.

    `IntegrityError` passes as it is: it says that another writer came first, which the caller answers.

    Raises:
        DatabaseFault: The database failed; nothing was written.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except IntegrityError:
        raise
    except SQLAlchemyError as error:
        raise fault(error) from error
