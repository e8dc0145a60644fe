"""Fixtures of the classification tests: small tables of enriched and scored leads, and rules from YAML text."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.contract import ENRICHED_LEADS, SCORED_LEADS, Table
from aiqleads_pipeline.settings import PROJECT_DIR

ENRICHED: dict[str, Any] = {
    "batch_id": "b1", "source": "web", "source_channel": "upload",
    "received_at": datetime(2026, 11, 23, 10, tzinfo=UTC), "warnings": [], "degraded": [],
    "enrichment_status": "complete",
}  # fmt: skip
SCORED: dict[str, Any] = {"batch_id": "b1", "score_method": "rules", "reasons": "[]", "degraded": [], "lead_score": 0}


@pytest.fixture
def lead_tables(con: DuckDBPyConnection) -> Callable[..., tuple[DuckDBPyRelation, DuckDBPyRelation]]:
    """``lead_tables(dict(country="US", lead_score=80), ...)``: the leads as ENRICHED_LEADS and SCORED_LEADS."""

    def table(contract: Table, defaults: dict[str, Any], leads: tuple[dict[str, Any], ...]) -> DuckDBPyRelation:
        name = f"t_{uuid.uuid4().hex}"
        columns = ", ".join(f'"{column.name}" {column.type}' for column in contract.columns)
        con.execute(f"CREATE TEMP TABLE {name} ({columns})")
        for row, lead in enumerate(leads, 1):
            given = {**defaults, "lead_id": str(uuid.UUID(int=row))}
            given |= {key: value for key, value in lead.items() if key in contract.column_names}
            marks = ", ".join("?" for _ in given)
            con.execute(f"INSERT INTO {name} ({', '.join(given)}) VALUES ({marks})", list(given.values()))
        return con.table(name)

    def build(*leads: dict[str, Any]) -> tuple[DuckDBPyRelation, DuckDBPyRelation]:
        known = {*ENRICHED_LEADS.column_names, *SCORED_LEADS.column_names}
        assert all(key in known for lead in leads for key in lead)
        return table(ENRICHED_LEADS, ENRICHED, leads), table(SCORED_LEADS, SCORED, leads)

    return build


@pytest.fixture
def delivered_rules() -> Path:
    """The rules as they are delivered."""
    return PROJECT_DIR / "data" / "rules"


@pytest.fixture
def write_rules(tmp_path: Path) -> Callable[[str, str], Path]:
    """``write_rules("territories.yaml", text)``: a rules folder with that file; the text's indent is removed."""

    def write(name: str, text: str) -> Path:
        (tmp_path / name).write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return tmp_path

    return write
