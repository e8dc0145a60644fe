"""Fixtures of the enrichment tests: leads as small tables, and what enrichment adds to them."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection, DuckDBPyRelation
from enrich_stories import AS_OF, Enriched, Row, Validated

from aiqleads_pipeline.contract import ENRICHED_LEADS, VALIDATED_LEADS, cast_projection
from aiqleads_pipeline.stages.enrich import enrich_leads


@pytest.fixture
def validated(con: DuckDBPyConnection) -> Validated:
    """Makes accepted leads from the few columns that matter to a story."""

    def make(rows: Sequence[Row]) -> DuckDBPyRelation:
        names = VALIDATED_LEADS.column_names
        full = [
            dict.fromkeys(names)
            | {
                "lead_id": f"00000000-0000-8000-8000-{number:012d}",
                "batch_id": "b1",
                "row_number": number,
                "source": "web",
                "source_channel": "upload",
                "received_at": AS_OF,
                "warnings": [],
            }
            | row
            for number, row in enumerate(rows, start=1)
        ]
        con.register("given_rows", pa.table({name: [row[name] for row in full] for name in names}))
        con.execute("DROP TABLE IF EXISTS validated_rows")
        con.sql("FROM given_rows").project(cast_projection("validated_leads")).create("validated_rows")
        con.unregister("given_rows")
        return con.table("validated_rows")

    return make


@pytest.fixture
def enriched(con: DuckDBPyConnection, validated: Validated) -> Enriched:
    """The columns of each lead that hold something and did not come with it as they are, in the leads' order."""

    def run(rows: Sequence[Row], *, enabled: bool = True) -> list[Row]:
        result = enrich_leads(con, validated(rows), as_of=AS_OF, enabled=enabled)
        assert result.columns == ENRICHED_LEADS.column_names
        found = [dict(zip(result.columns, values, strict=True)) for values in result.order("row_number").fetchall()]
        origin = set(VALIDATED_LEADS.column_names[:6]) | {"warnings"}
        return [
            {
                name: value
                for name, value in row.items()
                if name not in origin and value is not None and (name not in given or given[name] != value)
            }
            for row, given in zip(found, rows, strict=True)
        ]

    return run
