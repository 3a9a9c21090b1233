"""first tables."""

import sqlalchemy as sa
from alembic import op

from facepay.db.models.journal import append_only_ddl

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_checkpoint",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "size", name=op.f("pk_audit_checkpoint")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "position", name=op.f("pk_audit_entry")),
    )
    op.create_table(
        "consent",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("given_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("subject", "purpose", name=op.f("pk_consent")),
    )
    op.create_table(
        "forward",
        sa.Column(
            "forward",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("terminal", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("detail", sa.String(length=200), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("forward", name=op.f("pk_forward")),
    )
    op.create_index(op.f("ix_forward_request"), "forward", ["request"], unique=False)
    op.create_table(
        "journal_checkpoint",
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "sequence", name=op.f("pk_journal_checkpoint")),
    )
    op.create_index(op.f("ix_journal_checkpoint_at_ms"), "journal_checkpoint", ["at_ms"], unique=False)
    op.create_table(
        "journal_payment",
        sa.Column("payment", sa.String(length=64), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("original", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("payment", name=op.f("pk_journal_payment")),
        sa.UniqueConstraint("request", name=op.f("uq_journal_payment_request")),
    )
    op.create_index(
        op.f("ix_journal_payment_account_at_ms"), "journal_payment", ["account", "at_ms"], unique=False
    )
    op.create_index(
        op.f("ix_journal_payment_chain_state"), "journal_payment", ["chain", "state"], unique=False
    )
    op.create_index(op.f("ix_journal_payment_original"), "journal_payment", ["original"], unique=False)
    op.create_table(
        "journal_row",
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("payment", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("chain", "sequence", name=op.f("pk_journal_row")),
    )
    op.create_index(op.f("ix_journal_row_payment"), "journal_row", ["payment"], unique=False)
    op.create_table(
        "ledger_account",
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind = 'outside' OR balance_minor >= 0", name=op.f("ck_ledger_account_no_negative_balance")
        ),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_ledger_account")),
    )
    op.create_table(
        "ledger_hold",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("payer", sa.String(length=80), nullable=False),
        sa.Column("payee", sa.String(length=80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("captured_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("held_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ledger_hold")),
    )
    op.create_index(op.f("ix_ledger_hold_payer"), "ledger_hold", ["payer"], unique=False)
    op.create_index(op.f("ix_ledger_hold_stage"), "ledger_hold", ["stage"], unique=False)
    op.create_table(
        "ledger_transaction",
        sa.Column(
            "transaction",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("posted_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("transaction", name=op.f("pk_ledger_transaction")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_transaction_key")),
    )
    op.create_table(
        "lockout",
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("not_before_ms", sa.BigInteger(), nullable=False),
        sa.Column("off", sa.Boolean(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "name", name=op.f("pk_lockout")),
    )
    op.create_table(
        "offline_payment",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("payer", sa.String(length=120), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("captured_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("payee", sa.String(length=200), nullable=False),
        sa.Column("terminal", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=200), nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("taken_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("forwarded_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_offline_payment")),
    )
    op.create_index(
        op.f("ix_offline_payment_payer_stage"), "offline_payment", ["payer", "stage"], unique=False
    )
    op.create_index(op.f("ix_offline_payment_stage"), "offline_payment", ["stage"], unique=False)
    op.create_table(
        "payer_account",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("payer", sa.String(length=160), nullable=True),
        sa.Column("pin", sa.String(length=160), nullable=True),
        sa.Column("preference", sa.String(length=16), nullable=False),
        sa.Column("limit_payment_minor", sa.BigInteger(), nullable=True),
        sa.Column("limit_day_minor", sa.BigInteger(), nullable=True),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_payer_account")),
    )
    op.create_table(
        "period",
        sa.Column("terminal", sa.String(length=64), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("terminal", name=op.f("pk_period")),
    )
    op.create_table(
        "provider_order",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("original", sa.String(length=200), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_provider_order")),
    )
    op.create_index(op.f("ix_provider_order_at_ms"), "provider_order", ["at_ms"], unique=False)
    op.create_index(op.f("ix_provider_order_original"), "provider_order", ["original"], unique=False)
    op.create_table(
        "subject",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("enrolled_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("camera_class", sa.String(length=120), nullable=False),
        sa.Column("liveness_level", sa.Integer(), nullable=False),
        sa.Column("digits_index", sa.String(length=64), nullable=True),
        sa.Column("look_alike", sa.Boolean(), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_subject")),
        sa.UniqueConstraint("account", name=op.f("uq_subject_account")),
    )
    op.create_index(
        op.f("ix_subject_tenant_digits_index"), "subject", ["tenant", "digits_index"], unique=False
    )
    op.create_table(
        "used_statement",
        sa.Column("signer", sa.String(length=16), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("expires_at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("signer", "nonce", name=op.f("pk_used_statement")),
    )
    op.create_index(op.f("ix_used_statement_expires_at_s"), "used_statement", ["expires_at_s"], unique=False)
    op.create_table(
        "wrapping_key",
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("changed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("destroy_after_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_wrapping_key")),
    )
    op.create_index(op.f("ix_wrapping_key_state"), "wrapping_key", ["state"], unique=False)
    op.create_table(
        "ledger_entry",
        sa.Column(
            "entry", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("transaction", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_ledger_entry_moves_something")),
        sa.ForeignKeyConstraint(
            ["account"], ["ledger_account.account"], name=op.f("fk_ledger_entry_account_ledger_account")
        ),
        sa.ForeignKeyConstraint(
            ["transaction"],
            ["ledger_transaction.transaction"],
            name=op.f("fk_ledger_entry_transaction_ledger_transaction"),
        ),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_ledger_entry")),
    )
    op.create_index(op.f("ix_ledger_entry_account_entry"), "ledger_entry", ["account", "entry"], unique=False)
    op.create_index(op.f("ix_ledger_entry_transaction"), "ledger_entry", ["transaction"], unique=False)
    op.create_table(
        "reference",
        sa.Column("reference", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("dimensions", sa.Integer(), nullable=False),
        sa.Column("record_version", sa.BigInteger(), nullable=False),
        sa.Column("wrapping_key", sa.String(length=16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subject.subject"], name=op.f("fk_reference_subject_subject")),
        sa.ForeignKeyConstraint(
            ["wrapping_key"], ["wrapping_key.key"], name=op.f("fk_reference_wrapping_key_wrapping_key")
        ),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_reference")),
    )
    op.create_index(op.f("ix_reference_subject"), "reference", ["subject"], unique=False)
    op.create_index(op.f("ix_reference_wrapping_key"), "reference", ["wrapping_key"], unique=False)
    op.create_table(
        "subject_key",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("wrapping_key", sa.String(length=16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["wrapping_key"], ["wrapping_key.key"], name=op.f("fk_subject_key_wrapping_key_wrapping_key")
        ),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_subject_key")),
    )
    op.create_index(op.f("ix_subject_key_wrapping_key"), "subject_key", ["wrapping_key"], unique=False)
    for statement in append_only_ddl("journal_row", op.get_bind().dialect.name):
        op.execute(statement)
    for statement in append_only_ddl("journal_checkpoint", op.get_bind().dialect.name):
        op.execute(statement)
    for statement in append_only_ddl("audit_entry", op.get_bind().dialect.name):
        op.execute(statement)
    for statement in append_only_ddl("audit_checkpoint", op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_subject_key_wrapping_key"), table_name="subject_key")
    op.drop_table("subject_key")
    op.drop_index(op.f("ix_reference_wrapping_key"), table_name="reference")
    op.drop_index(op.f("ix_reference_subject"), table_name="reference")
    op.drop_table("reference")
    op.drop_index(op.f("ix_ledger_entry_transaction"), table_name="ledger_entry")
    op.drop_index(op.f("ix_ledger_entry_account_entry"), table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_index(op.f("ix_wrapping_key_state"), table_name="wrapping_key")
    op.drop_table("wrapping_key")
    op.drop_index(op.f("ix_used_statement_expires_at_s"), table_name="used_statement")
    op.drop_table("used_statement")
    op.drop_index(op.f("ix_subject_tenant_digits_index"), table_name="subject")
    op.drop_table("subject")
    op.drop_index(op.f("ix_provider_order_original"), table_name="provider_order")
    op.drop_index(op.f("ix_provider_order_at_ms"), table_name="provider_order")
    op.drop_table("provider_order")
    op.drop_table("period")
    op.drop_table("payer_account")
    op.drop_index(op.f("ix_offline_payment_stage"), table_name="offline_payment")
    op.drop_index(op.f("ix_offline_payment_payer_stage"), table_name="offline_payment")
    op.drop_table("offline_payment")
    op.drop_table("lockout")
    op.drop_table("ledger_transaction")
    op.drop_index(op.f("ix_ledger_hold_stage"), table_name="ledger_hold")
    op.drop_index(op.f("ix_ledger_hold_payer"), table_name="ledger_hold")
    op.drop_table("ledger_hold")
    op.drop_table("ledger_account")
    op.drop_index(op.f("ix_journal_row_payment"), table_name="journal_row")
    op.drop_table("journal_row")
    op.drop_index(op.f("ix_journal_payment_original"), table_name="journal_payment")
    op.drop_index(op.f("ix_journal_payment_chain_state"), table_name="journal_payment")
    op.drop_index(op.f("ix_journal_payment_account_at_ms"), table_name="journal_payment")
    op.drop_table("journal_payment")
    op.drop_index(op.f("ix_journal_checkpoint_at_ms"), table_name="journal_checkpoint")
    op.drop_table("journal_checkpoint")
    op.drop_index(op.f("ix_forward_request"), table_name="forward")
    op.drop_table("forward")
    op.drop_table("consent")
    op.drop_table("audit_entry")
    op.drop_table("audit_checkpoint")
