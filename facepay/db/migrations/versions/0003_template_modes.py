"""template modes: where a payer's template is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("subject", "reference"):
        column = sa.Column("mode", sa.String(length=8), server_default="gallery", nullable=False)
        op.add_column(table, column)


def downgrade() -> None:
    for table in ("subject", "reference"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("mode")
