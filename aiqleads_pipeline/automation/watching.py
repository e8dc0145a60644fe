"""What looks for drift and renews the insights every night, and makes the first insights as soon as there are leads.

Belongs here: when. What they do is the assets' business.
"""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from aiqleads_pipeline.marts import MARTS
from aiqleads_pipeline.outside import Outside, open_outside
from aiqleads_pipeline.settings import Settings

watch_drift = dg.define_asset_job(
    "watch_drift",
    selection=dg.AssetSelection.assets("score_drift"),
    description="Looks whether leads, scores and probabilities still are what they were",
)
watch_drift_every_night = dg.ScheduleDefinition(
    name="watch_drift_every_night",
    job=watch_drift,
    cron_schedule="45 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="A warning, an alert, and the second time in a row the rules score instead of the model",
)
renew_insights = dg.define_asset_job(
    "renew_insights",
    selection=dg.AssetSelection.assets(*MARTS),
    description="What sources, owners, rules and markets brought; the best open leads of each owner",
)
renew_insights_every_night = dg.ScheduleDefinition(
    name="renew_insights_every_night",
    job=renew_insights,
    cron_schedule="30 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Insights and recommendations as of the night's scores",
)
WATCHING_JOBS = (watch_drift, renew_insights)
WATCHING_SCHEDULES = (watch_drift_every_night, renew_insights_every_night)


def build_insights_sensor(settings: Settings | None) -> dg.SensorDefinition:
    """The sensor of the first insights, bound to the settings (from the environment by default)."""

    def outside() -> Outside:
        return open_outside(settings)

    return _make_first_insights(outside)


def _make_first_insights(outside: Callable[[], Outside]) -> dg.SensorDefinition:
    @dg.sensor(
        name="make_first_insights",
        job=renew_insights,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks for the marts once, when the first leads were routed: nobody waits for the night to see any",
    )
    def watch(_context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        lake = outside().lake
        if all(lake.batches(mart) for mart in MARTS):
            return dg.SkipReason("there are insights; they are renewed every night")
        if not (batches := lake.batches("routed_leads")):
            return dg.SkipReason("no leads were routed yet")
        # Asked for again as batches come, should the run for those before have failed.
        return dg.RunRequest(run_key=f"first insights: {len(batches)} batches, {batches[-1]}")

    return watch
