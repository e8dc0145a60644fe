"""`classified_leads`: industry, size, priority, territory."""

import dagster as dg

from aiqleads_pipeline.assets.batch_run import BatchRuns, redact
from aiqleads_pipeline.assets.facts import counts_by, materialized
from aiqleads_pipeline.assets.specs import asset_spec, table_check_specs
from aiqleads_pipeline.stages import classify


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
            run.lease.check()  # a lost lease or a timeout is no fault of the classes
            context.log.error(f"classification failed, default classes are taken: {redact(error)}")
            rows = run.write(classify.default_classes(run.con, enriched), "classified_leads")
        table = run.read("classified_leads")
        return materialized(
            run,
            "classified_leads",
            rows,
            {f"by_{column}": counts_by(table, column) for column in ("priority", "territory", "size_segment")},
        )
