"""What providers are asked for and what becomes of their answers, as relations. Pure: nobody is asked here.

Belongs here: which leads lack what by which keys, and laying answers over empty fields. Does not belong here: asking
(``aiqleads_pipeline.enriching``).
"""

from __future__ import annotations

from collections.abc import Iterable

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.contract import cast_projection
from aiqleads_pipeline.rules.enrichment import FIELD_KINDS
from aiqleads_pipeline.stages.engine import run_sql, set_variables

# Columns of the answers, by subject and by lead.
FOUND_TYPES = {
    "subject_id": "VARCHAR", "field": "VARCHAR", "value": "VARCHAR", "provider": "VARCHAR",
    "confidence_share": "DOUBLE", "cost_usd": "DOUBLE", "answered_at": "TIMESTAMPTZ",
}  # fmt: skip


def list_wanted(con: DuckDBPyConnection, enriched: DuckDBPyRelation, fields: Iterable[str]) -> DuckDBPyRelation:
    """What leads of ``enriched`` (ENRICHED_LEADS) lack of the ``fields``: lead, kind, subject, keys; kept as the
    temporary table ``provider_wanted``."""
    set_variables(
        con, provider_fields=sorted(fields), provider_kinds=[f"{name}:{kind}" for name, kind in FIELD_KINDS.items()]
    )
    wanted = run_sql(con, "stages/enrich_by_providers/wanted", provider_leads=enriched)
    wanted.query("_", "CREATE OR REPLACE TEMP TABLE provider_wanted AS FROM _")
    return con.table("provider_wanted")


def list_subjects(con: DuckDBPyConnection, wanted: DuckDBPyRelation) -> DuckDBPyRelation:
    """Whom to ask about, what most leads wait for first."""
    return run_sql(con, "stages/enrich_by_providers/subjects", provider_wanted=wanted)


def facts_of_leads(
    con: DuckDBPyConnection, wanted: DuckDBPyRelation, found: DuckDBPyRelation, gaps: DuckDBPyRelation
) -> DuckDBPyRelation:
    """Answers (``FOUND_TYPES``) and gaps (``subject_id, gap_code``) of subjects, by lead."""
    return run_sql(
        con,
        "stages/enrich_by_providers/provider_facts",
        provider_wanted=wanted,
        provider_found=found,
        provider_gaps=gaps,
    )


def lay_over(con: DuckDBPyConnection, enriched: DuckDBPyRelation, facts: DuckDBPyRelation) -> DuckDBPyRelation:
    """``enriched`` with facts over its empty fields; ``degraded`` names what ``facts`` says is lacking."""
    laid = run_sql(
        con, "stages/enrich_by_providers/enriched_leads", provider_leads=enriched, provider_facts=facts
    )  # fmt: skip
    return laid.project(cast_projection("enriched_leads"))
