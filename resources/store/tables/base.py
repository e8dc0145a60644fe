"""What all tables share: the schema's metadata and small columns. No table is here."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, MetaData

SCHEMA = "aiqleads"
metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def time_column(name: str, nullable: bool = True) -> Column[object]:
    """A column of points in time, UTC."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def since(revision: str) -> dict[str, str]:
    """The ``info`` of a table that a later migration than ``0001`` builds: ``migrations.render`` writes that one."""
    return {"since": revision}
