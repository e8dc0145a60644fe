"""The jobs and schedules that look for drift and renew the insights every night.

Belongs here: when. What they do is the assets' business.
"""

from __future__ import annotations

import dagster as dg

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
    selection=dg.AssetSelection.assets("source_value", "conversion_rates", "recommended_leads", "market_insights"),
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
