"""Alembic environment, packaged with the product."""
