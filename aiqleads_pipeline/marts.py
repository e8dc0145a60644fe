"""The marts: what sources, providers, owners and the market were worth, each version kept in the lake.

Belongs here: what the marts read, making a version of all, the claims they must hold, forgetting old versions. Does not
belong here: arithmetic (``sql/marts``), Dagster (``assets.insights``) and reading them over HTTP (``doors.insights``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pyarrow as pa
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.assets.learning import RELIABILITY_TABLE
from aiqleads_pipeline.enriching.completing import with_additions
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rescoring import open_scores_now
from aiqleads_pipeline.stages.engine import SQL_DIR, run_sql
from aiqleads_pipeline.stages.score import no_reliability
from aiqleads_pipeline.tables import all_batches, store_relation
from resources.store import sources

MARTS = ("source_value", "provider_value", "conversion_rates", "recommended_leads", "market_insights")
# What each must hold: `sql/checks/<name>.sql` selects what breaks the claim, and must return no row.
CLAIMS = {
    "every_source_has_its_value": "source_value",
    "providers_shares_are_shares": "provider_value",
    "conversion_adds_up": "conversion_rates",
    "recommended_leads_are_open_and_their_owners": "recommended_leads",
    "the_market_is_all_leads": "market_insights",
}
STORY_TABLES = ("scored_leads", "classified_leads", "routed_leads")
OUTCOME_COLUMNS = {
    "lead_id": "UUID",
    "result": "VARCHAR",
    "closed_at": "TIMESTAMPTZ",
    "revenue_usd": "DOUBLE",
    "is_bounced": "BOOLEAN",
}


def make_marts(con: DuckDBPyConnection, outside: Outside) -> Iterator[tuple[str, str, DuckDBPyRelation, list[str]]]:
    """Write a new version of every mart from one reading of leads and outcomes.

    Yields each mart's name, version, what was written, and the claims (names of ``CLAIMS``) that it breaks.
    """
    version = f"{outside.settings.now():%Y%m%dT%H%M%S%fZ}"
    inputs = mart_inputs(con, outside)
    for name in MARTS:
        outside.lake.write(run_mart(con, name, inputs), name, version)
        written = outside.lake.read(con, name, version)
        yield name, version, written, _broken(con, name, written, inputs)
        forget_old_versions(outside, name)


def forget_old_versions(outside: Outside, mart: str) -> int:
    """Remove versions older than ``AIQLEADS_SCORES_DAYS``; the newest stays. Returns how many were removed."""
    border = f"{outside.settings.now() - timedelta(days=outside.settings.SCORES_DAYS):%Y%m%dT%H%M%S%fZ}"
    old = [version for version in outside.lake.batches(mart)[:-1] if version < border]
    for version in old:
        outside.lake.remove(mart, version)
    return len(old)


def mart_inputs(con: DuckDBPyConnection, outside: Outside) -> dict[str, DuckDBPyRelation]:
    """What the marts read: the story of each lead, what arrived by source, costs, providers, scores as of now."""
    arrived = sources.rows_arrived(outside.store)
    spent = sources.providers_spent(outside.store)
    costs = _costs(outside, arrived["source"].to_pylist())
    for name, table in (("arrived", arrived), ("spent", spent), ("costs", costs)):
        con.from_arrow(table).query("_", f"CREATE OR REPLACE TEMP TABLE {name}_now AS FROM _")
    enriched = with_additions(outside, con, all_batches(con, outside, "enriched_leads"))
    tables = {name: all_batches(con, outside, name) for name in STORY_TABLES}
    outcomes = store_relation(con, outside, "outcomes", OUTCOME_COLUMNS)
    story = run_sql(
        con, "marts/closed_story", enriched_leads=enriched, **tables, outcomes=outcomes, costs=con.table("costs_now")
    )
    story.query("_", "CREATE OR REPLACE TEMP TABLE story_of_leads AS FROM _")
    told = run_sql(con, "marts/provider_leads", enriched_leads=enriched, spent=con.table("spent_now"))
    told.query("_", "CREATE OR REPLACE TEMP TABLE provider_leads_now AS FROM _")
    versions = outside.lake.batches(RELIABILITY_TABLE)
    scores = open_scores_now(con, outside)
    return {
        "story": con.table("story_of_leads"),
        "costs": con.table("costs_now"),
        "arrived": con.table("arrived_now"),
        "spent": con.table("spent_now"),
        "provider_leads": con.table("provider_leads_now"),
        "reliability": outside.lake.read(con, RELIABILITY_TABLE, versions[-1]) if versions else no_reliability(con),
        "scores": _no_scores(con) if scores is None else scores.project("lead_id, lead_score, priority"),
    }


def run_mart(con: DuckDBPyConnection, name: str, inputs: dict[str, DuckDBPyRelation]) -> DuckDBPyRelation:
    """The lazy relation of one mart."""
    return run_sql(con, f"marts/{name}", **inputs)


def _broken(
    con: DuckDBPyConnection, mart: str, written: DuckDBPyRelation, inputs: dict[str, DuckDBPyRelation]
) -> list[str]:
    mine = [claim for claim, of in CLAIMS.items() if of == mart]
    return [claim for claim in mine if run_sql(con, f"checks/{claim}", **inputs, mart=written).limit(1).fetchall()]


def claim_in_words(claim: str) -> str:
    """What a claim says: the first lines of its statement."""
    lines = (SQL_DIR / "checks" / f"{claim}.sql").read_text(encoding="utf-8").splitlines()
    return " ".join(line.removeprefix("--").strip() for line in lines if line.startswith("--"))


def _costs(outside: Outside, names: list[str]) -> pa.Table:
    rules = outside.rules().sources
    costs = [rules.for_name(name).cost_per_lead_usd for name in names]
    return pa.table({"source": pa.array(names, pa.string()), "cost_per_lead_usd": pa.array(costs, pa.float64())})


def _no_scores(con: DuckDBPyConnection) -> DuckDBPyRelation:
    return con.sql("SELECT NULL::UUID AS lead_id, NULL::DOUBLE AS lead_score, NULL::VARCHAR AS priority LIMIT 0")
