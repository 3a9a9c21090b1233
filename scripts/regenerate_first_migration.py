"""Writes migration 0001 anew from the models; only while no release has shipped it.

Run from the repository root: `python scripts/regenerate_first_migration.py`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from facepay.db.migrate import alembic_config
from facepay.db.models import audit, journal

VERSIONS = Path("facepay/db/migrations/versions")
FIRST = VERSIONS / "0001_first_tables.py"


def main() -> None:
    """Regenerate the file and format it."""
    FIRST.unlink(missing_ok=True)
    with create_engine("sqlite://").begin() as connection:
        command.revision(
            alembic_config(connection), "first tables", autogenerate=True, rev_id="0001", splice=False
        )
    source = FIRST.read_text("utf-8")
    calls = "".join(
        f'    for statement in append_only_ddl("{table}", op.get_bind().dialect.name):\n'
        "        op.execute(statement)\n"
        for table in (*journal.APPEND_ONLY, *audit.APPEND_ONLY)
    )
    source = source.replace("\n\ndef downgrade", f"{calls}\n\ndef downgrade")
    source = source.replace(
        "from alembic import op\n",
        "from alembic import op\n\nfrom facepay.db.models.journal import append_only_ddl\n",
    )
    source = "".join(line for line in source.splitlines(True) if not line.strip().startswith("# ###"))
    FIRST.write_text(source, "utf-8")
    subprocess.run(["ruff", "check", "--fix", "--silent", "--exit-zero", str(FIRST)], check=True)
    subprocess.run(["ruff", "format", "-q", str(FIRST)], check=True)


if __name__ == "__main__":
    main()
