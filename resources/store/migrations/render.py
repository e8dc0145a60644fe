"""Writes migration ``0001`` from ``tables.py`` (``python -m resources.store.migrations.render``), until released."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import render_python_code
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy.dialects import postgresql

from resources.store.tables import metadata

FIRST = Path(__file__).parent / "versions" / "0001_first.py"
_TEMPLATE = '''"""The first schema. Written by resources.store.migrations.render from tables.py; don't edit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
'''


def render_first() -> str:
    """The text of the migration that builds all of ``tables.py``."""
    tables = metadata.sorted_tables
    up = [
        operation
        for table in tables
        for operation in (
            ops.CreateTableOp.from_table(table),
            *(
                ops.CreateIndexOp.from_index(index)
                for index in sorted(table.indexes, key=lambda index: str(index.name))
            ),
        )
    ]
    down = [ops.DropTableOp(table.name, schema=table.schema) for table in reversed(tables)]
    context = MigrationContext.configure(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    return _TEMPLATE.format(
        up=_without_markers(render_python_code(ops.UpgradeOps(up), migration_context=context)),
        down=_without_markers(render_python_code(ops.DowngradeOps(down), migration_context=context)),
    )


def _without_markers(code: str) -> str:
    return "\n".join(line for line in code.splitlines() if not line.strip().startswith("###")).strip()


if __name__ == "__main__":
    FIRST.write_text(render_first(), encoding="utf-8")
