"""Alembic migrations of the store's schema. ``Store.migrate`` runs them at start, under a lock, in one transaction.

The newest file is the head by its number. Until the first release a change of ``tables`` goes into the migration
that builds the table: ``python -m resources.store.migrations.render`` writes all anew, and a test holds both together.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def configuration(con: Connection) -> Config:
    """Alembic's configuration for a connection with an open transaction, which takes in all steps."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = con
    return config


def upgrade(con: Connection, revision: str = "head") -> None:
    """Migrate up; no-op where it stands there."""
    command.upgrade(configuration(con), revision)


def downgrade(con: Connection, revision: str) -> None:
    """Migrate down (``base`` removes everything)."""
    command.downgrade(configuration(con), revision)
