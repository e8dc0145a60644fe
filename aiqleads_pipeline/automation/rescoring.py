"""Asks for new scores of the open leads that something was heard of, within minutes.

Belongs here: when to ask. Which leads, and scoring them, is ``aiqleads_pipeline.rescoring``'s business.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import dagster as dg

from aiqleads_pipeline.assets.open_lead_scores import Rescoring
from aiqleads_pipeline.automation.jobs import rescore_open_leads
from aiqleads_pipeline.outside import Outside, open_outside
from aiqleads_pipeline.rescoring import signals
from aiqleads_pipeline.settings import Settings
from resources.store.rescorings import last_rescoring

EVERY_SECONDS = 60
AGAIN_MINUTES = 5  # a run that failed is asked for again after that


def build_rescoring_sensor(settings: Settings | None) -> dg.SensorDefinition:
    """The sensor, bound to the settings (from the environment by default)."""

    def outside() -> Outside:
        return open_outside(settings)

    return _rescore_signalled(outside)


def _rescore_signalled(outside: Callable[[], Outside]) -> dg.SensorDefinition:
    @dg.sensor(
        name="rescore_signalled",
        job=rescore_open_leads,
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks for new scores of open leads that came again, said more, or were judged by a person",
    )
    def watch(_context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        place = outside()
        heard = signals(place)
        if heard is None or not heard.num_rows:
            return dg.SkipReason("nothing was heard of any lead" if heard is not None else "no scores to renew yet")
        return dg.RunRequest(
            run_key=_run_key(place),
            run_config=dg.RunConfig(ops={"open_lead_scores": Rescoring(only_signalled=True)}),
        )

    return watch


def _run_key(place: Outside) -> str:
    """One request for what was heard since the last scores, however often it is looked at; again if that run failed."""
    last = last_rescoring(place.store)
    now: datetime = place.settings.now()
    return f"{last.batch_id if last else 'first'}:{int(now.timestamp()) // (60 * AGAIN_MINUTES)}"
