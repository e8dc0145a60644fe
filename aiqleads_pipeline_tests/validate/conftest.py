"""A batch of raw rows from plain dicts, checked by the stage itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from aiqleads_pipeline.contract import RAW_LEADS
from aiqleads_pipeline.stages.validate import check_leads

AS_OF = datetime(2026, 11, 23, 12, tzinfo=UTC)
Rows = Sequence[dict[str, Any]]


def lead_uuid(number: int) -> str:
    return f"00000000-0000-8000-8000-{number:012d}"


def raw_table(rows: Rows) -> pa.Table:
    """raw_leads of the given cells; a row without name or e-mail gets none."""
    full = [
        {
            "lead_id": lead_uuid(number),
            "batch_id": "b1",
            "row_number": number,
            "source": "shop",
            "source_channel": "upload",
            "received_at": AS_OF,
            "line_number": number + 1,
            **row,
        }
        for number, row in enumerate(rows, 1)
    ]
    types = {"row_number": pa.int64(), "line_number": pa.int64(), "received_at": pa.timestamp("us", tz="UTC")}
    return pa.Table.from_pylist(full, pa.schema([(c.name, types.get(c.name, pa.string())) for c in RAW_LEADS.columns]))


@pytest.fixture
def raw_leads(con: duckdb.DuckDBPyConnection) -> Callable[[Rows], duckdb.DuckDBPyRelation]:
    """Rows as the reading stage would leave them."""

    def build(rows: Rows) -> duckdb.DuckDBPyRelation:
        con.from_arrow(raw_table(rows)).query(
            "_", "CREATE OR REPLACE TEMP TABLE received AS SELECT * REPLACE (lead_id::UUID AS lead_id) FROM _"
        )
        return con.table("received")

    return build


@pytest.fixture
def check(
    con: duckdb.DuckDBPyConnection, raw_leads: Callable[[Rows], duckdb.DuckDBPyRelation]
) -> Callable[..., list[dict[str, Any]]]:
    """Check rows and fetch what came of them, in order."""

    def run(rows: Rows, **options: Any) -> list[dict[str, Any]]:
        checked = check_leads(con, raw_leads(rows), **{"as_of": AS_OF, **options})
        checked.query("_", "CREATE OR REPLACE TEMP TABLE checked AS FROM _")
        return con.sql("FROM checked ORDER BY row_number").to_arrow_table().to_pylist()

    return run


@pytest.fixture
def check_column(check: Callable[..., list[dict[str, Any]]]) -> Callable[..., list[Any]]:
    """Check one column's cells, each in a lead that is fine otherwise: (value, warnings of that column)."""

    def run(column: str, cells: Sequence[str | None], output: str | None = None, **options: Any) -> list[Any]:
        base = {k: v for k, v in {"email": "ann@acme.com", "last_name": "Lee"}.items() if k != column}
        leads = check([{**base, column: cell} for cell in cells], **options)
        codes = [[w.split(":")[1] for w in lead["warnings"] if w.startswith(f"{column}:")] for lead in leads]
        return [(lead[output or column], *code) for lead, code in zip(leads, codes, strict=True)]

    return run
