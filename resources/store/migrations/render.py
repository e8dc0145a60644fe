"""Writes the migrations that build tables from ``tables`` (``python -m resources.store.migrations.render``).

Belongs here: migrations that only add tables. A table says by ``info`` which one builds it (``0001`` if it says
nothing). What changes a table that was released is written by hand beside them and is no business of this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic.autogenerate import render_python_code
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy.dialects import postgresql

from resources.store.database import SQL_DIR
from resources.store.tables import SCHEMA, VIEWS, metadata

VERSIONS = Path(__file__).parent / "versions"


@dataclass(frozen=True)
class Rendered:
    """A migration that is rendered: its number, the one before it, its file and its title."""

    revision: str
    down_revision: str | None
    name: str
    title: str

    @property
    def file(self) -> Path:
        """Where it is written."""
        return VERSIONS / f"{self.revision}_{self.name}.py"


RENDERED = (
    Rendered("0001", None, "first", "The first schema."),
    Rendered("0002", "0001", "access", "Keys, signing keys, failed log-ins and quotas of the doors."),
    Rendered("0003", "0002", "intake", "Leads that wait, idempotency keys and updates of the doors."),
    Rendered("0004", "0003", "scraping", "Crawls and the pages they saw."),
    Rendered("0005", "0004", "uploads", "Whose a batch is, and what its sender said about its columns."),
    Rendered("0006", "0005", "webhooks", "Events of webhooks that are known."),
    Rendered("0007", "0006", "delivering", "Attempts of delivery, and how destinations stand."),
    Rendered("0008", "0007", "enrichment", "What providers answered, cost and may be asked."),
    Rendered("0009", "0008", "alerting", "Notices that were sent, and the clock of promises."),
    Rendered("0010", "0009", "learning", "Models in service, published rules, scores that changed."),
)
_TEMPLATE = '''"""{title} Written by resources.store.migrations.render from the tables; don't edit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "{revision}"
down_revision = {down_revision}
branch_labels = None
depends_on = None


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
'''


def render(migration: Rendered) -> str:
    """The text of a migration that builds the tables of ``tables`` that belong to it."""
    tables = [table for table in metadata.sorted_tables if table.info.get("since", "0001") == migration.revision]
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
    views = [name for name, revision in VIEWS.items() if revision == migration.revision]
    created = [ops.ExecuteSQLOp(f"CREATE VIEW {SCHEMA}.{name} AS\n{_view(name)}") for name in views]
    dropped = [ops.ExecuteSQLOp(f"DROP VIEW {SCHEMA}.{name}") for name in reversed(views)]
    context = MigrationContext.configure(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    return _TEMPLATE.format(
        title=migration.title,
        revision=migration.revision,
        down_revision=f'"{migration.down_revision}"' if migration.down_revision else None,
        up=_without_markers(render_python_code(ops.UpgradeOps([*up, *created]), migration_context=context)),
        down=_without_markers(render_python_code(ops.DowngradeOps([*dropped, *down]), migration_context=context)),
    )


def _view(name: str) -> str:
    return (SQL_DIR / f"views/{name}.sql").read_text(encoding="utf-8").rstrip()


def _without_markers(code: str) -> str:
    return "\n".join(line for line in code.splitlines() if not line.strip().startswith(("###", "info="))).strip()


if __name__ == "__main__":
    for each in RENDERED:
        each.file.write_text(render(each), encoding="utf-8")
