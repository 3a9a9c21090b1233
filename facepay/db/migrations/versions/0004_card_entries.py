"""the id of a card that is being entered at the provider."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payer_account", sa.Column("card_entry", sa.String(length=160), nullable=True))


def downgrade() -> None:
    op.drop_column("payer_account", "card_entry")
