"""Fixtures of the scoring tests: small tables of enriched leads, and many random ones."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.contract import ENRICHED_LEADS
from aiqleads_pipeline.rules.scoring import ScoringRules, load_scoring
from aiqleads_pipeline.settings import PROJECT_DIR

AS_OF = datetime(2026, 11, 23, 10, tzinfo=UTC)
Enrich = Callable[..., DuckDBPyRelation]


@pytest.fixture
def as_of() -> datetime:
    """The moment the batch was received."""
    return AS_OF


@pytest.fixture(scope="session")
def rules() -> ScoringRules:
    """The rules as they are delivered."""
    return load_scoring(PROJECT_DIR / "data" / "rules")


@pytest.fixture
def rules_dir(tmp_path: Path) -> Path:
    """A copy of the delivered rules that a test may break."""
    for file in (PROJECT_DIR / "data" / "rules").glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


@pytest.fixture
def enrich(con: DuckDBPyConnection) -> Enrich:
    """``enrich(dict(email=...), ...)``: a table of ENRICHED_LEADS, one row each; what is not given is unknown."""

    def build(*leads: dict[str, Any]) -> DuckDBPyRelation:
        name = f"enriched_{uuid.uuid4().hex}"
        columns = ", ".join(f'"{column.name}" {column.type}' for column in ENRICHED_LEADS.columns)
        con.execute(f"CREATE TEMP TABLE {name} ({columns})")
        for row, lead in enumerate(leads, 1):
            given = {
                "lead_id": str(uuid.UUID(int=row)), "batch_id": "b1", "row_number": row, "source": "web",
                "source_channel": "upload", "received_at": AS_OF, "warnings": [], "degraded": [],
                "enrichment_status": "complete", **lead,
            }  # fmt: skip
            marks = ", ".join("?" for _ in given)
            con.execute(f"INSERT INTO {name} ({', '.join(given)}) VALUES ({marks})", list(given.values()))
        return con.table(name).order("row_number")

    return build


@pytest.fixture(scope="session")
def random_leads() -> Callable[[DuckDBPyConnection, int], DuckDBPyRelation]:
    """``random_leads(con, n)``: seeded; each fact is missing in some of them."""

    def build(con: DuckDBPyConnection, count: int) -> DuckDBPyRelation:
        random = {f"r{i}": f"hash(i, {i}) % 100000 / 100000" for i in range(10)}
        known = {
            "lead_id": "md5('lead' || i)::UUID",
            "batch_id": "'b1'",
            "row_number": "i + 1",
            "source": "['web', 'fair', 'ads'][1 + (r1 * 3)::INT % 3]",
            "source_channel": "'upload'",
            "received_at": "TIMESTAMPTZ '2026-11-23 10:00:00+00' - to_hours((r2 * 5000)::INT)",
            "full_name": "CASE WHEN r3 < 0.8 THEN 'Ann ' || i END",
            "job_title": "CASE WHEN r4 < 0.6 THEN 'CEO' END",
            "email": "CASE WHEN r5 < 0.9 THEN 'a' || i || '@b.com' END",
            "email_kind": "['business', 'free', 'role', 'disposable'][1 + (r6 * 4)::INT % 4]",
            "phone_e164": "CASE WHEN r6 < 0.5 THEN '+14155550100' END",
            "country": "CASE WHEN r7 < 0.8 THEN ['US', 'DE', 'BR', 'KZ'][1 + (r8 * 4)::INT % 4] END",
            "industry_code": "CASE WHEN r8 < 0.8 THEN ['51', '72', '11', 'unknown'][1 + (r9 * 4)::INT % 4] END",
            "employee_band": "CASE WHEN r9 < 0.6 THEN ['1-10', '201-500', '10001+'][1 + (r0 * 3)::INT % 3] END",
            "job_seniority": "CASE WHEN r0 < 0.6 THEN ['c_level', 'staff', 'junior'][1 + (r1 * 3)::INT % 3] END",
            "job_function": "CASE WHEN r1 < 0.6 THEN ['sales', 'hr'][1 + (r2 * 2)::INT % 2] END",
            "message": "CASE WHEN r2 < 0.3 THEN 'Send a \"quote\" \\ to me' WHEN r2 < 0.4 THEN 'unsubscribe' END",
            "product_interest": "CASE WHEN r3 < 0.3 THEN 'Pro' END",
            "budget_usd": "CASE WHEN r4 < 0.5 THEN round(exp(r5 * 18)) - 1 END",
            "page_views_count": "CASE WHEN r6 < 0.7 THEN (r7 * 40)::BIGINT END",
            "email_opens_count": "CASE WHEN r7 < 0.5 THEN (r8 * 15)::BIGINT END",
            "form_submissions_count": "CASE WHEN r8 < 0.5 THEN (r9 * 5)::BIGINT END",
            "last_activity_at": "CASE WHEN r9 < 0.6 THEN received_at - to_days((r3 * 200)::INT) END",
            "created_at": "CASE WHEN r0 < 0.6 THEN received_at - to_days((r4 * 400)::INT - 3) END",
            "consent": "r1 < 0.5",
            "consent_at": "CASE WHEN r1 < 0.3 THEN received_at - to_days((r6 * 400)::INT) END",
            "warnings": "[]",
            "degraded": "[]",
            "enrichment_status": "'complete'",
        }
        dice = ", ".join(f"{value} AS {name}" for name, value in random.items())
        columns = ", ".join(f'({known.get(c.name, "NULL")})::{c.type} AS "{c.name}"' for c in ENRICHED_LEADS.columns)
        return con.sql(f"SELECT {columns} FROM (SELECT i, {dice} FROM range({count}) AS t(i))")

    return build


@pytest.fixture
def many_leads(
    con: DuckDBPyConnection, random_leads: Callable[[DuckDBPyConnection, int], DuckDBPyRelation]
) -> Callable[[int], DuckDBPyRelation]:
    """``many_leads(n)``: random leads on the test's own connection."""
    return partial(random_leads, con)
