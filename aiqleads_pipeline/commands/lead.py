"""`aiqleads lead`: the whole story of one lead, from the row it came with to its deliveries."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.contract import STORE_TABLES, TABLES
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.tables import store_relation

JSON_COLUMNS = ("extra", "raw", "reasons", "suggestion")


class UnknownLead(Exception):
    """No batch holds the lead."""


def lead_story(outside: Outside, lead_id: str) -> dict[str, Any]:
    """Every step's row about a lead, in the order of the flow; a table without it is left out.

    Raises:
        UnknownLead: the id is no UUID or no batch holds it.
    """
    try:
        wanted = UUID(lead_id)
    except ValueError as error:
        raise UnknownLead(f"{lead_id!r} is no lead id: it looks like 0f8c1d2e-....-8...-....-............") from error
    con = open_engine(outside.settings)
    outside.lake.attach(con)
    story: dict[str, Any] = {"lead_id": str(wanted)}
    for table in TABLES:
        if table in STORE_TABLES:
            columns = {column.name: column.type for column in TABLES[table].columns}
            rows = _rows(store_relation(con, outside, table, columns, lead_id=wanted))
        else:
            rows = _lake_rows(outside, con, table, wanted)
        if rows:
            story[table] = rows
    if len(story) == 1:
        raise UnknownLead(f"no batch holds the lead {wanted}")
    return story


def _lake_rows(outside: Outside, con: DuckDBPyConnection, table: str, lead_id: UUID) -> list[dict[str, Any]]:
    # Lead ids ascend within a batch, so that Parquet's statistics leave almost nothing to read.
    if not outside.lake.has_table(table):
        return []
    relation = con.read_parquet(outside.lake.glob(table), hive_partitioning=False)
    return _rows(relation.filter(f"lead_id = '{lead_id}'::UUID"))


def _rows(relation: DuckDBPyRelation) -> list[dict[str, Any]]:
    """Rows without empty cells, JSON columns opened."""
    return [
        {
            name: json.loads(value) if name in JSON_COLUMNS else _plain(value)
            for name, value in zip(relation.columns, row, strict=True)
            if value not in (None, "", [])
        }
        for row in relation.fetchall()
    ]


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | bool | str | list | dict) else str(value)
