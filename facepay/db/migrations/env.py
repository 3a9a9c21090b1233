"""Runs migrations over the connection that `facepay.db.migrate` opened."""

from alembic import context

from facepay.db.base import Base
from facepay.db.models import subjects  # noqa: F401 - importing the package adds every table

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, compare_type=True
)
with context.begin_transaction():
    context.run_migrations()
