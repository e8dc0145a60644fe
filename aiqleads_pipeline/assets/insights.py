"""`source_value`, `conversion_rates`, `recommended_leads`, `market_insights`: what became of leads.

Belongs here: the marts as assets, each version kept in the lake. Does not belong here: arithmetic (``sql/marts``).
"""

from collections.abc import Iterator

import dagster as dg
import pyarrow as pa
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.assets.batch_run import BatchRuns
from aiqleads_pipeline.assets.facts import markdown_table
from aiqleads_pipeline.assets.score_drift import picture
from aiqleads_pipeline.assets.specs import OWNERS
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rescoring import open_scores_now
from aiqleads_pipeline.stages.engine import open_engine, run_sql
from aiqleads_pipeline.tables import all_batches, store_relation
from resources.store import drops

MARTS = ("source_value", "conversion_rates", "recommended_leads", "market_insights")
STORY_TABLES = ("enriched_leads", "scored_leads", "classified_leads", "routed_leads")
OUTCOME_COLUMNS = {"lead_id": "UUID", "result": "VARCHAR", "closed_at": "TIMESTAMPTZ", "revenue_usd": "DOUBLE"}
PREVIEW_ROWS = 12


@dg.multi_asset(
    specs=[
        dg.AssetSpec(name, deps=["routed_leads", "outcomes"], group_name="insights", kinds={"duckdb"}, owners=OWNERS)
        for name in MARTS
    ],
    name="insights",
)
def insights(runs: dg.ResourceParam[BatchRuns]) -> Iterator[dg.MaterializeResult]:
    """All marts from the same reading of leads and outcomes."""
    outside = runs.outside
    version = f"{outside.settings.now():%Y%m%dT%H%M%S%fZ}"
    with open_engine(outside.settings) as con:
        outside.lake.attach(con)
        inputs = mart_inputs(con, outside)
        for name in MARTS:
            outside.lake.write(run_mart(con, name, inputs), name, version)
            written = outside.lake.read(con, name, version)
            rows = written.limit(PREVIEW_ROWS)
            yield dg.MaterializeResult(
                asset_key=name,
                metadata={
                    "dagster/row_count": written.aggregate("count(*)").fetchall()[0][0],
                    "version": version,
                    "preview": dg.MetadataValue.md(markdown_table(rows.columns, rows.fetchall())),
                    "picture": picture(_shown(name, written)),
                },
            )


def mart_inputs(con: DuckDBPyConnection, outside: Outside) -> dict[str, DuckDBPyRelation]:
    """What the marts read: the story of each lead, what arrived by source, costs, scores as of now."""
    sources = outside.rules().sources
    totals = drops.source_totals(outside.store)
    names = [source for source, _, _ in totals]
    costs = pa.table(
        {
            "source": pa.array(names, pa.string()),
            "cost_per_lead_usd": pa.array([sources.for_name(name).cost_per_lead_usd for name in names], pa.float64()),
        }
    )
    arrived = pa.table(
        {
            "source": pa.array(names, pa.string()),
            "received_count": pa.array([received for _, received, _ in totals], pa.int64()),
            "rejected_count": pa.array([rejected for _, _, rejected in totals], pa.int64()),
        }
    )
    tables = {name: all_batches(con, outside, name) for name in STORY_TABLES}
    outcomes = store_relation(con, outside, "outcomes", OUTCOME_COLUMNS)
    story = run_sql(con, "marts/closed_story", **tables, outcomes=outcomes, costs=con.from_arrow(costs))
    story.query("_", "CREATE OR REPLACE TEMP TABLE story_of_leads AS FROM _")
    repeated = run_sql(
        con,
        "marts/repeated_by_source",
        duplicate_leads=all_batches(con, outside, "duplicate_leads"),
        raw_leads=all_batches(con, outside, "raw_leads"),
    )
    scores = open_scores_now(con, outside)
    return {
        "story": con.table("story_of_leads"),
        "costs": con.from_arrow(costs),
        "arrived": con.from_arrow(arrived),
        "repeated": repeated,
        "scores": _no_scores(con) if scores is None else scores.project("lead_id, lead_score, priority"),
    }


def run_mart(con: DuckDBPyConnection, name: str, inputs: dict[str, DuckDBPyRelation]) -> DuckDBPyRelation:
    """The lazy relation of one mart."""
    return run_sql(con, f"marts/{name}", **inputs)


def _no_scores(con: DuckDBPyConnection) -> DuckDBPyRelation:
    return con.sql("SELECT NULL::UUID AS lead_id, NULL::DOUBLE AS lead_score, NULL::VARCHAR AS priority LIMIT 0")


def _shown(name: str, mart: DuckDBPyRelation) -> dict[str, float]:
    """The numbers of a mart's picture."""
    label, value, where = {
        "source_value": ("source", "won_share", "true"),
        "conversion_rates": ("value", "conversion_share", "what = 'score_band'"),
        "recommended_leads": ("owner || ' ' || place", "recommendation_score", "place <= 3"),
        "market_insights": ("territory || ' ' || industry_name || ' ' || week_date", "leads_count", "true"),
    }[name]
    rows = mart.filter(where).project(f"{label}, {value}").limit(PREVIEW_ROWS).fetchall()
    return {str(key): float(number or 0) for key, number in rows}
