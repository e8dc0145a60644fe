"""`company_enrichment`, `email_enrichment`, `phone_enrichment`, `social_enrichment`, `geo_enrichment`,
`industry_enrichment`: one asset per kind of provider. Batches note what they asked; a run of an asset completes leads
that went on without, once whoever was away is back.

Belongs here: the assets. Asking is in ``enriching``, rules in ``enrichment.yaml``.
"""

import dagster as dg

from aiqleads_pipeline.assets.batch_run import BatchRuns, redact
from aiqleads_pipeline.assets.specs import OWNERS
from aiqleads_pipeline.enriching.completing import complete, forget_old
from aiqleads_pipeline.enriching.desk import open_desk
from aiqleads_pipeline.enriching.reporting import kinds_metadata, raise_alerts
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.enrichment import KINDS, Kind, load_enrichment
from aiqleads_pipeline.stages.engine import open_engine
from resources.store.enrichment_gaps import count_gaps

TELLS = {
    "company": "Size, revenue and name of companies",
    "email": "Whether mail to an address arrives",
    "phone": "What kind of line a number is",
    "social": "Profiles of companies (off unless `legal.social` says yes)",
    "geo": "Where a lead is",
    "industry": "NAICS sectors by registers",
}


def completion_seconds(outside: Outside, time_share: float) -> float:
    """How long one kind may ask within a run."""
    return time_share * outside.settings.pipeline.PROCESSING_TIMEOUT


def _build(kind: Kind) -> dg.AssetsDefinition:
    @dg.asset(
        name=f"{kind}_enrichment",
        group_name="enrichment",
        kinds={"http", "postgres"},
        owners=OWNERS,
        description=f"{TELLS[kind]}, by providers of enrichment.yaml: completes leads that went on without.",
    )
    def kind_enrichment(context: dg.AssetExecutionContext, runs: dg.ResourceParam[BatchRuns]) -> dg.MaterializeResult:
        outside = runs.outside
        try:
            rules = load_enrichment(outside.settings.rules_dir)
            desk = open_desk(rules, outside.settings, outside.store)
            try:
                with open_engine(outside.settings) as con:
                    outside.lake.attach(con)
                    seconds = completion_seconds(outside, rules.content.time_share)
                    done = complete(outside, con, desk, kind, seconds)
                forget_old(desk)
                raise_alerts(desk, context.run.run_id)
                told = kinds_metadata(desk, (kind,)).get(kind, {"providers": "none is enabled"})
            finally:
                desk.close()
        except Exception as error:
            raise dg.Failure(redact(error)) from None  # a message may quote an answer
        counts = {"leads_due": done.due_count, "leads_completed": done.closed_count, "facts_added": done.facts_count}
        return dg.MaterializeResult(metadata={**told, **counts})

    return kind_enrichment


KIND_ENRICHMENTS = tuple(_build(kind) for kind in KINDS)


def kinds_waiting(outside: Outside) -> list[str]:
    """Kinds with leads whose completion is due."""
    now = outside.settings.now()
    return sorted({row["kind"] for row in count_gaps(outside.store) if row["next_at"] <= now})
