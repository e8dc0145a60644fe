"""Rows of the store's public tables as a CSV file, by COPY: a million rows without a Python object each.

Belongs here: getting rows out. Does not belong here: what anybody does with them (``commands``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from psycopg import sql

from resources.store.tables import SCHEMA

if TYPE_CHECKING:
    from resources.store.database import Store


def copy_out(
    store: Store,
    table: str,
    columns: Sequence[str],
    target: Path,
    batch_id: str | None = None,
    lead_id: UUID | None = None,
) -> None:
    """Write a table's columns to a CSV file with a header; null is an empty cell, text is always quoted.

    Args:
        batch_id, lead_id: only these rows.

    Raises:
        StoreUnavailable: transient.
    """
    wanted = {"batch_id": batch_id, "lead_id": lead_id}
    conditions = [
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in wanted.items()
        if value is not None
    ]
    command = sql.SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *)").format(
        sql.SQL(", ").join(sql.Identifier(name) for name in columns),
        sql.Identifier(SCHEMA, table),
        sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("true"),
    )
    with store.read() as con, target.open("wb") as file:
        driver = con.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(command) as copy:  # type: ignore[union-attr]
            for block in copy:
                file.write(block)
