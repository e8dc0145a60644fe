"""When leads that went on with less are completed: every five minutes, while any is due and `enrichment.yaml` is on."""

from __future__ import annotations

import dagster as dg

from aiqleads_pipeline.assets.kind_enrichment import kinds_waiting
from aiqleads_pipeline.automation.jobs import MAX_RUNTIME_TAG
from aiqleads_pipeline.outside import open_outside
from aiqleads_pipeline.rules.enrichment import KINDS, is_plainly_off
from aiqleads_pipeline.settings import Settings, load_settings

complete_enrichment = dg.define_asset_job(
    "complete_enrichment",
    selection=dg.AssetSelection.assets(*(f"{kind}_enrichment" for kind in KINDS)),
    description="Asks providers again about leads that went on without their answers",
)


def build_completion_schedule(settings: Settings | None) -> dg.ScheduleDefinition:
    """The schedule; it asks for a run of just the kinds that have due leads."""

    @dg.schedule(
        name="complete_enrichment_often",
        job=complete_enrichment,
        cron_schedule="*/5 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Completes leads that went on without a provider's answer; skips while none is due",
    )
    def complete_often(_context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        used = settings or load_settings()
        if is_plainly_off(used.rules_dir):
            return dg.SkipReason("enrichment.yaml is off")
        kinds = kinds_waiting(open_outside(used))
        if not kinds:
            return dg.SkipReason("no lead waits for a provider")
        keys = [dg.AssetKey(f"{kind}_enrichment") for kind in kinds]
        return dg.RunRequest(
            asset_selection=keys, tags={MAX_RUNTIME_TAG: str(used.pipeline.PROCESSING_TIMEOUT * len(keys) + 300)}
        )

    return complete_often
