"""`enriched_leads`: what is known about a lead without asking anybody, and what providers say if any is enabled."""

import dagster as dg

from aiqleads_pipeline.assets.batch_run import BatchRuns, redact
from aiqleads_pipeline.assets.facts import counts_by, filled_shares, materialized
from aiqleads_pipeline.assets.fallbacks import require_own_fault
from aiqleads_pipeline.assets.provider_facts import enriched_by_providers
from aiqleads_pipeline.assets.specs import asset_spec, table_check_specs
from aiqleads_pipeline.stages.enrich import enrich_leads


@dg.multi_asset(
    specs=[asset_spec("enriched_leads")], check_specs=table_check_specs("enriched_leads"), name="enriched_leads"
)
def enriched_leads(context: dg.AssetExecutionContext, runs: dg.ResourceParam[BatchRuns]) -> dg.MaterializeResult:
    """Fill company, contact, place and industry facts from committed references."""
    with runs.step(context) as run:
        validated = run.read("validated_leads")
        try:
            relation = enrich_leads(run.con, validated, as_of=run.as_of, enabled=run.settings.flags.enableEnrichment)
            relation, told = enriched_by_providers(context, run, relation)
            rows = run.write(relation, "enriched_leads")
        except Exception as error:
            require_own_fault(run, error)
            context.log.warning(f"enrichment failed, leads go on without it: {redact(error)}")
            relation = enrich_leads(run.con, validated, as_of=run.as_of, enabled=False)
            told = {"enrichment_failure": redact(error)}
            rows = run.write(relation.project("* REPLACE (['enrichment_failed'] AS degraded)"), "enriched_leads")
        table = run.read("enriched_leads")
        return materialized(
            run,
            "enriched_leads",
            rows,
            {"by_status": counts_by(table, "enrichment_status"), "filled_share": filled_shares(table), **told},
        )
