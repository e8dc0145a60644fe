"""`classified_leads`: industry, size, priority, territory."""

import dagster as dg

from aiqleads_pipeline.assets.batch_run import BatchRun, BatchRuns, redact
from aiqleads_pipeline.assets.facts import counts_by, materialized
from aiqleads_pipeline.assets.fallbacks import require_own_fault
from aiqleads_pipeline.assets.specs import asset_spec, table_check_specs
from aiqleads_pipeline.stages import classify
from resources.store import alerts


@dg.multi_asset(
    specs=[asset_spec("classified_leads")], check_specs=table_check_specs("classified_leads"), name="classified_leads"
)
def classified_leads(context: dg.AssetExecutionContext, runs: dg.ResourceParam[BatchRuns]) -> dg.MaterializeResult:
    """Classify by the decision tables; if that fails, every lead gets the stated default classes."""
    with runs.step(context) as run:
        enriched, scored = run.read("enriched_leads"), run.read("scored_leads")
        try:
            classified = classify.classify_leads(run.con, enriched, scored, run.rules.priorities, run.rules.territories)
            rows = run.write(classified, "classified_leads")
        except Exception as error:
            require_own_fault(run, error)
            context.log.error(f"classification failed, default classes are taken: {redact(error)}")
            rows = run.write(classify.default_classes(run.con, enriched), "classified_leads")
            _alert(run, redact(error))
        else:
            alerts.close_alert(run.outside.store, "classes_defaulted", run.batch_id, run.settings.now())
        table = run.read("classified_leads")
        return materialized(
            run,
            "classified_leads",
            rows,
            {f"by_{column}": counts_by(table, column) for column in ("priority", "territory", "size_segment")},
        )


def _alert(run: BatchRun, detail: str) -> None:
    alerts.raise_alert(
        run.outside.store, "classes_defaulted", run.batch_id, "warning", detail, run.run_id, run.settings.now()
    )
