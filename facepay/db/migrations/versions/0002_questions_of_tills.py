"""columns by which tills and pages look payments up, filled from what the rows say."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDICES = {
    "ix_journal_payment_chain_at_ms": ["chain", "at_ms"],
    "ix_journal_payment_chain_wire_till_at_ms": ["chain", "wire", "till", "at_ms"],
    "ix_journal_payment_chain_receipt_at_ms": ["chain", "receipt", "at_ms"],
    "ix_journal_payment_chain_moved_at_ms": ["chain", "moved_at_ms"],
}

_FILL = sa.text(
    "UPDATE journal_payment SET wire = :wire, till = :till, receipt = :receipt WHERE payment = :payment"
)
_MOVED = sa.text(
    "UPDATE journal_payment SET moved_at_ms = (SELECT max(at_ms) FROM journal_row "
    "WHERE journal_row.payment = journal_payment.payment AND journal_row.state = journal_payment.state) "
    "WHERE state IN ('captured', 'refunded')"
)


def upgrade() -> None:
    for column in (
        sa.Column("wire", sa.String(length=64), nullable=True),
        sa.Column("till", sa.String(length=200), nullable=True),
        sa.Column("receipt", sa.Integer(), nullable=True),
        sa.Column("moved_at_ms", sa.BigInteger(), nullable=True),
    ):
        op.add_column("journal_payment", column)
    connection = op.get_bind()
    known = connection.execute(sa.text("SELECT payment, body FROM journal_payment")).all()
    for payment, body in known:
        facts = json.loads(body)
        values = {name: facts.get(name) for name in ("wire", "till", "receipt")}
        connection.execute(_FILL, {"payment": payment, **values})
    connection.execute(_MOVED)
    for name, columns in INDICES.items():
        op.create_index(op.f(name), "journal_payment", columns, unique=False)


def downgrade() -> None:
    for name in INDICES:
        op.drop_index(op.f(name), table_name="journal_payment")
    for column in ("moved_at_ms", "receipt", "till", "wire"):
        op.drop_column("journal_payment", column)
