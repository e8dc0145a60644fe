"""`source_reliability`, `conversion_model`: what outcomes teach.

Belongs here: assets over all batches. Each version of what was learnt is kept, so that a batch scored by it can be
scored again with the same result.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from duckdb import DuckDBPyConnection

from aiqleads_pipeline.assets.batch_run import BatchRuns
from aiqleads_pipeline.assets.specs import OWNERS
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.source_history import closed_leads, keep_version, learn_sources
from aiqleads_pipeline.stages.conversion import ConversionModel, ModelUnusable, TrainedModel, train
from aiqleads_pipeline.stages.conversion.training import compare_with
from aiqleads_pipeline.stages.engine import open_engine
from resources.store import alerts

SEED = 20261123


@dg.asset(group_name="learning", kinds={"duckdb", "parquet"}, owners=OWNERS, deps=["outcomes"])
def source_reliability(runs: dg.ResourceParam[BatchRuns]) -> dg.MaterializeResult:
    """What became of each source's leads, shrunk to the mean of all sources where there are few."""
    with _engine(runs.outside) as con:
        learnt = learn_sources(con, runs.outside)
        version = keep_version(runs.outside, learnt, runs.outside.settings.now())
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
    """Train on all outcomes; a sound model comes into force if it beats the one that is, by the gate of ``compare``."""
    outside = runs.outside
    with _engine(outside) as con:
        result = train(con, closed_leads(con, outside), seed=SEED, rules=outside.rules().scoring)
    metrics = dg.MetadataValue.json(result.metrics)
    if isinstance(result, TrainedModel):
        page = outside.models.keep_report(result.version, result.page, result.card)
        outside.models.save(result.version, result.document)
        decision = put_in_force(outside, result)
        if outside.models.current() is not None:
            alerts.close_alert(outside.store, "rules_scored", "conversion_model", outside.settings.now())
        return dg.MaterializeResult(
            metadata={
                "model_version": result.version,
                "in_force": outside.models.current() or "rules",
                "promotion": decision,
                "metrics": metrics,
                "is_sound": True,
                "report": dg.MetadataValue.path(str(page)),
                "model_card": dg.MetadataValue.md(result.card),
            }
        )
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


@contextmanager
def _engine(outside: Outside) -> Iterator[DuckDBPyConnection]:
    with open_engine(outside.settings) as con:
        outside.lake.attach(con)
        yield con


def put_in_force(outside: Outside, result: TrainedModel) -> str:
    """Put the new model in force if there is none, or if it beats the one in force; returns why or why not."""
    in_force = outside.models.current()
    if result.version in outside.models.withdrawn():
        return "stays out: it was rolled back; `aiqleads model promote` puts it in force again"
    if in_force is None:
        outside.models.promote(result.version)
        return "promoted: no model was in force"
    if in_force == result.version:
        return "unchanged: the same outcomes give the model that is in force"
    champion = ConversionModel.load(outside.models.load(in_force))
    try:
        verdict = compare_with(champion, result)
    except ModelUnusable as error:
        outside.models.promote(result.version)
        return f"promoted: the model in force can't be used: {error}"
    if verdict.is_better:
        outside.models.promote(result.version)
    return f"{'promoted' if verdict.is_better else 'stays a challenger'}: {verdict.words}"
