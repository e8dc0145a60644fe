"""`scored_leads`: quality, fit, intent, probability, and their sum in points."""

import dagster as dg

from aiqleads_pipeline.assets.batch_run import BatchRun, BatchRuns
from aiqleads_pipeline.assets.facts import counts_by, materialized
from aiqleads_pipeline.assets.learning import Learnt, current_versions, load_learnt
from aiqleads_pipeline.assets.specs import asset_spec, table_check_specs
from aiqleads_pipeline.publishing.used import note_rules
from aiqleads_pipeline.stages.score import score_leads
from resources.store import alerts
from resources.store.pins import pin


@dg.multi_asset(specs=[asset_spec("scored_leads")], check_specs=table_check_specs("scored_leads"), name="scored_leads")
def scored_leads(context: dg.AssetExecutionContext, runs: dg.ResourceParam[BatchRuns]) -> dg.MaterializeResult:
    """Score by the rules and, where there is a sound one, the conversion model that was current at the first run."""
    with runs.step(context) as run:
        pinned = pin(run.outside.store, run.batch_id, "score", lambda: current_versions(run.outside))
        known = load_learnt(run.outside, run.con, pinned, use_model=run.settings.flags.enableMLScoring)
        relation = score_leads(
            run.con,
            run.read("enriched_leads"),
            run.rules.scoring,
            as_of=run.as_of,
            reliability=known.reliability,
            touches=_repeats_within(run),
            model=known.model,
            method_reason=known.method_reason,
        )
        rows = run.write(relation, "scored_leads")
        table = run.read("scored_leads")
        by_method = counts_by(table, "score_method")
        _alert(run, known, by_method)
        mean = table.aggregate("round(avg(lead_score), 2)").fetchall()[0][0]
        run.counts["mean_lead_score"] = mean
        run.counts["rules_sha256"] = note_rules(run.outside, run.rules)
        return materialized(
            run,
            "scored_leads",
            rows,
            {
                "by_score_method": by_method,
                "method_reason": known.method_reason or "the model scored",
                "mean_lead_score": mean or 0.0,
                "learnt": dg.MetadataValue.json(pinned),
            },
        )


def _repeats_within(run: BatchRun):  # type: ignore[no-untyped-def]
    """How often each lead of the batch came again in it: a sign of intent, and the same on every run."""
    return run.read("duplicate_leads").aggregate("existing_lead_id, count(*) AS touches_count", "existing_lead_id")


def _alert(run: BatchRun, known: Learnt, by_method: dict[str, int]) -> None:
    """Rules scored although the model should have: a person must know. One alert stands for all batches."""
    store, now = run.outside.store, run.settings.now()
    if not by_method.get("rules"):
        alerts.close_alert(store, code="rules_scored", subject="conversion_model", now=now)
    elif run.settings.flags.enableMLScoring:
        alerts.raise_alert(
            store,
            code="rules_scored",
            subject="conversion_model",
            severity="warning",
            detail=f"batch {run.batch_id}: {known.method_reason or 'model_failed'}",
            run_id=run.run_id,
            now=now,
        )
