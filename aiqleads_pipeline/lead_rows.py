"""Every table's rows about one lead, wherever they lie: the lake, batch by batch, or the store.

Belongs here: finding them. How they are told is ``commands.lead``'s and the doors' business.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.contract import STORE_TABLES, TABLES
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.stages.current import current_leads
from aiqleads_pipeline.tables import store_relation
from resources.store import enrichment_gaps, intake

JSON_COLUMNS = ("extra", "raw", "reasons", "suggestion", "conversion_reasons")
Rows = dict[str, list[dict[str, Any]]]


def rows_of_lead(
    con: DuckDBPyConnection, outside: Outside, lead_id: UUID, batch_id: str | None = None, wanted: tuple[str, ...] = ()
) -> Rows:
    """By table, in the order of the flow, the rows about a lead without their empty cells; tables without any left out.

    Args:
        con: an engine that the lake is attached to.
        batch_id: the batch it came with; by default all are looked through.
        wanted: which tables; all by default.
    """
    found: Rows = {}
    for table in wanted or tuple(TABLES):
        if table in STORE_TABLES:
            columns = {column.name: column.type for column in TABLES[table].columns}
            rows = _rows(store_relation(con, outside, table, columns, lead_id=lead_id))
        else:
            rows = _lake_rows(con, outside, table, lead_id, batch_id)
        if rows:
            found[table] = rows
    return found


def current_row(
    con: DuckDBPyConnection, outside: Outside, lead_id: UUID, batch_id: str | None = None
) -> dict[str, Any] | None:
    """The lead's accepted row with what later requests said about it; None if nothing counts or it has none yet."""
    said = intake.list_updates(outside.store, [lead_id])
    if not said.num_rows:
        return None
    validated = _of_lead(con, outside, "validated_leads", lead_id, batch_id)
    if validated is None:
        return None
    rows = _rows(current_leads(con, validated, con.from_arrow(said), outside.rules().sources))
    return rows[0] if rows else None


def told_later(outside: Outside, lead_id: UUID) -> Rows:
    """What providers said after the lead's batch was done (``enrichment_additions``), and what it still waits for
    (``enrichment_gaps``: kind and reason); what there is none of is left out."""
    added = enrichment_gaps.list_additions(outside.store, [lead_id]).drop_columns("lead_id").to_pylist()
    waiting = enrichment_gaps.list_open_gaps(outside.store, [lead_id]).drop_columns("lead_id").to_pylist()
    found = {
        "enrichment_additions": sorted(added, key=lambda each: each["field"]),
        "enrichment_gaps": sorted(waiting, key=lambda each: each["kind"]),
    }
    return {
        table: [{name: _plain(value) for name, value in row.items()} for row in rows]
        for table, rows in found.items()
        if rows
    }


def _lake_rows(
    con: DuckDBPyConnection, outside: Outside, table: str, lead_id: UUID, batch_id: str | None
) -> list[dict[str, Any]]:
    relation = _of_lead(con, outside, table, lead_id, batch_id)
    return [] if relation is None else _rows(relation)


def _of_lead(
    con: DuckDBPyConnection, outside: Outside, table: str, lead_id: UUID, batch_id: str | None
) -> DuckDBPyRelation | None:
    # Lead ids ascend within a batch, so that Parquet's statistics leave almost nothing to read.
    if batch_id is not None:
        if not outside.lake.exists(table, batch_id):
            return None
        relation = outside.lake.read(con, table, batch_id)
    elif outside.lake.has_table(table):
        relation = con.read_parquet(outside.lake.glob(table), hive_partitioning=False)
    else:
        return None
    return relation.filter(f"lead_id = '{lead_id}'::UUID")


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
