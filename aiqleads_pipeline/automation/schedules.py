"""The schedules. All are stopped until somebody starts them, but for those the README lists as unattended."""

from __future__ import annotations

import dagster as dg

from aiqleads_pipeline.automation.jobs import audit_leads, read_back_crms, rescore_open_leads, retrain_model

RUNNING = dg.DefaultScheduleStatus.RUNNING

SCHEDULES = (
    dg.ScheduleDefinition(
        name="rescore_every_night",
        job=rescore_open_leads,
        cron_schedule="15 2 * * *",
        execution_timezone="UTC",
        default_status=RUNNING,
        description="Freshness decays and touches arrive: open leads get today's score",
    ),
    dg.ScheduleDefinition(
        name="retrain_every_week",
        job=retrain_model,
        cron_schedule="30 3 * * 1",
        execution_timezone="UTC",
        default_status=RUNNING,
        description="The conversion model learns from the week's outcomes",
    ),
    dg.ScheduleDefinition(
        name="audit_every_week",
        job=audit_leads,
        cron_schedule="0 4 * * 1",
        execution_timezone="UTC",
        default_status=RUNNING,
        description="Great Expectations audit with HTML Data Docs",
    ),
    dg.ScheduleDefinition(
        name="read_back_crms_every_day",
        job=read_back_crms,
        cron_schedule="30 5 * * *",
        execution_timezone="UTC",
        default_status=RUNNING,
        description="What the CRMs hold is compared with what was sent; does nothing while no CRM is enabled",
    ),
)
