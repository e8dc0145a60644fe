"""Tells what happens in leads' lives to the webhooks that ask for it.

Belongs here: when. What is told to whom is ``aiqleads_pipeline.lead_events``'s business.
"""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from aiqleads_pipeline.lead_events import tell_lead_events
from aiqleads_pipeline.outside import Outside, open_outside
from aiqleads_pipeline.settings import Settings

EVERY_SECONDS = 15


def build_telling_sensor(settings: Settings | None) -> dg.SensorDefinition:
    """The sensor, bound to the settings (from the environment by default)."""

    def outside() -> Outside:
        return open_outside(settings)

    return _tell_lead_events(outside)


def _tell_lead_events(outside: Callable[[], Outside]) -> dg.SensorDefinition:
    @dg.sensor(
        name="tell_lead_events",
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Posts CloudEvents of leads' lives for the webhooks whose `events` ask for them",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        done = tell_lead_events(outside())
        for type_, count in done.left_out.items():
            context.log.warning(f"{count:,} events of type {type_} were left out: too many at once")
        return dg.SkipReason(f"told: {done.told}" if done.told else "nothing to tell anybody")

    return watch
