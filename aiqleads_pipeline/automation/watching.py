"""The job and schedule that look for drift every night.

Belongs here: when. What drift is, is ``stages.drift``'s business.
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
