"""`source_reliability`, `conversion_model`, `open_lead_scores`: what outcomes teach, and today's scores.

Belongs here: assets over all batches. Each version of what was learnt is kept, so that a batch scored by it can be
scored again with the same result.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import pyarrow as pa
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.assets.batch_run import BatchRuns
from aiqleads_pipeline.assets.facts import counts_by
from aiqleads_pipeline.assets.learning import RELIABILITY_TABLE, current_versions, load_learnt
from aiqleads_pipeline.assets.specs import OWNERS
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.stages.conversion import TrainedModel, train
from aiqleads_pipeline.stages.current import current_leads
from aiqleads_pipeline.stages.engine import open_engine, run_sql
from aiqleads_pipeline.stages.enrich import enrich_leads
from aiqleads_pipeline.stages.score import score_leads
from aiqleads_pipeline.stages.score import source_reliability as learn_reliability
from aiqleads_pipeline.tables import all_batches, store_relation
from resources.store import alerts, drops, intake
from resources.store.touches import count_touches

SEED = 20261123
OUTCOME_COLUMNS = {"lead_id": "UUID", "result": "VARCHAR", "closed_at": "TIMESTAMPTZ"}


@dg.asset(group_name="learning", kinds={"duckdb", "parquet"}, owners=OWNERS, deps=["outcomes"])
def source_reliability(runs: dg.ResourceParam[BatchRuns]) -> dg.MaterializeResult:
    """What became of each source's leads, shrunk to the mean of all sources where there are few."""
    with _engine(runs.outside) as con:
        sources, received, rejected = list(zip(*drops.source_totals(runs.outside.store), strict=True)) or [()] * 3
        history = con.from_arrow(
            pa.table(
                {
                    "source": pa.array(sources, pa.string()),
                    "received_count": pa.array(received, pa.int64()),
                    "rejected_count": pa.array(rejected, pa.int64()),
                }
            )
        )
        learnt = learn_reliability(con, history, _closed_leads(con, runs.outside), runs.outside.rules().scoring)
        version = f"{runs.outside.settings.now():%Y%m%dT%H%M%S%fZ}"
        runs.outside.lake.write(learnt, RELIABILITY_TABLE, version)
        rows = learnt.filter("segment_code IS NULL").project("source, reliability_score").fetchall()
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(rows),
                "version": version,
                "reliability_score": dg.MetadataValue.json({source: round(score, 1) for source, score in rows}),
            }
        )


@dg.asset(group_name="learning", kinds={"xgboost"}, owners=OWNERS, deps=["outcomes", source_reliability])
def conversion_model(context: dg.AssetExecutionContext, runs: dg.ResourceParam[BatchRuns]) -> dg.MaterializeResult:
    """Train on all outcomes; a sound model comes into force, an unsound one leaves the last good one where it is."""
    outside = runs.outside
    with _engine(outside) as con:
        result = train(con, _closed_leads(con, outside), seed=SEED)
    metrics = dg.MetadataValue.json(result.metrics)
    if isinstance(result, TrainedModel):
        outside.models.save(result.version, result.document)
        outside.models.promote(result.version)
        alerts.close_alert(outside.store, "rules_scored", "conversion_model", outside.settings.now())
        return dg.MaterializeResult(metadata={"model_version": result.version, "metrics": metrics, "is_sound": True})
    context.log.warning(f"the model is unsound and not used: {result.reason}")
    in_force = outside.models.current()
    if in_force is None:
        alerts.raise_alert(
            outside.store,
            code="rules_scored",
            subject="conversion_model",
            severity="warning",
            detail=f"no sound model: {result.reason}",
            run_id=context.run.run_id,
            now=outside.settings.now(),
        )
    return dg.MaterializeResult(
        metadata={"is_sound": False, "reason": result.reason, "metrics": metrics, "in_force": in_force or "rules"}
    )


@dg.asset(
    group_name="learning",
    kinds={"duckdb", "parquet"},
    owners=OWNERS,
    deps=["routed_leads", conversion_model, source_reliability],
)
def open_lead_scores(runs: dg.ResourceParam[BatchRuns]) -> dg.MaterializeResult:
    """Scores of all open leads as of now: freshness decays, touches and outcomes arrive. One batch per night."""
    outside = runs.outside
    now = outside.settings.now()
    with _engine(outside) as con:
        known = load_learnt(outside, con, current_versions(outside), outside.settings.flags.enableMLScoring)
        open_leads = run_sql(
            con,
            "marts/open_leads",
            enriched_leads=_enriched_now(con, outside),
            routed_leads=all_batches(con, outside, "routed_leads"),
            outcomes=store_relation(con, outside, "outcomes", OUTCOME_COLUMNS),
        )
        scored = score_leads(
            con,
            open_leads,
            outside.rules().scoring,
            as_of=now,
            reliability=known.reliability,
            touches=con.from_arrow(count_touches(outside.store, until=now)).project(
                "lead_id AS existing_lead_id, touches_count"
            ),
            model=known.model,
            method_reason=known.method_reason,
        )
        batch = f"{now:%Y%m%d}"
        outside.lake.write(scored, "open_lead_scores", batch)
        written = outside.lake.read(con, "open_lead_scores", batch)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": written.aggregate("count(*)").fetchall()[0][0],
                "by_score_method": counts_by(written, "score_method"),
                "date": batch,
            }
        )


@contextmanager
def _engine(outside: Outside) -> Iterator[DuckDBPyConnection]:
    with open_engine(outside.settings) as con:
        outside.lake.attach(con)
        yield con


def _enriched_now(con: DuckDBPyConnection, outside: Outside) -> DuckDBPyRelation:
    """`enriched_leads` of all batches; leads that something was said about since as they are now."""
    enriched = all_batches(con, outside, "enriched_leads")
    said = intake.list_updates(outside.store)
    if not said.num_rows:
        return enriched
    validated = all_batches(con, outside, "validated_leads")
    current = current_leads(con, validated, con.from_arrow(said), outside.rules().sources)
    current.query("_", "CREATE OR REPLACE TEMP TABLE current_now AS FROM _")
    changed = enrich_leads(
        con,
        con.table("current_now"),
        as_of=outside.settings.now(),
        enabled=outside.settings.flags.enableEnrichment,
    )
    changed.query("_", "CREATE OR REPLACE TEMP TABLE current_enriched AS FROM _")
    return run_sql(
        con, "stages/current/enriched_leads", enriched_before=enriched, enriched_now=con.table("current_enriched")
    )


def _closed_leads(con: DuckDBPyConnection, outside: Outside) -> DuckDBPyRelation:
    return run_sql(
        con,
        "marts/closed_leads",
        enriched_leads=all_batches(con, outside, "enriched_leads"),
        outcomes=store_relation(con, outside, "outcomes", OUTCOME_COLUMNS),
    )
