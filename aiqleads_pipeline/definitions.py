"""The Dagster definitions: everything put together, nothing opened. ``build_defs`` takes settings for tests."""

from __future__ import annotations

import dagster as dg

from aiqleads_pipeline.assets.batch_run import batch_runs_resource
from aiqleads_pipeline.assets.registry import ASSETS
from aiqleads_pipeline.automation.completing import build_completion_schedule, complete_enrichment
from aiqleads_pipeline.automation.draining import build_drain_job, build_drain_sensor
from aiqleads_pipeline.automation.jobs import JOBS
from aiqleads_pipeline.automation.rescoring import build_rescoring_sensor
from aiqleads_pipeline.automation.schedules import SCHEDULES
from aiqleads_pipeline.automation.scraping import build_scrape_schedule, build_scrape_sensor, scrape_sites
from aiqleads_pipeline.automation.sensors import build_sensors
from aiqleads_pipeline.automation.telling import build_telling_sensor
from aiqleads_pipeline.automation.watching import WATCHING_JOBS, WATCHING_SCHEDULES, build_insights_sensor
from aiqleads_pipeline.settings import Settings


def build_defs(settings: Settings | None = None, **overrides: object) -> dg.Definitions:
    """All assets, jobs, sensors and schedules; ``overrides`` replace resources by name."""
    return dg.Definitions(
        assets=ASSETS,
        jobs=(*JOBS, scrape_sites, *WATCHING_JOBS, complete_enrichment, build_drain_job(settings)),
        schedules=(
            *SCHEDULES,
            *WATCHING_SCHEDULES,
            build_scrape_schedule(settings),
            build_completion_schedule(settings),
        ),
        sensors=[
            *build_sensors(settings),
            build_scrape_sensor(settings),
            build_drain_sensor(settings),
            build_rescoring_sensor(settings),
            build_insights_sensor(settings),
            build_telling_sensor(settings),
        ],
        resources={"runs": batch_runs_resource(settings), **overrides},
        executor=dg.in_process_executor,
    )


defs = build_defs()
