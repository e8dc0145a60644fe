"""Drains the outbox by a job where no resident worker does: the same worker, for a bounded time.

Belongs here: the job and the sensor that asks for it. The worker is ``delivering.worker``. Annotations are not
postponed: Dagster reads them.
"""

from datetime import timedelta

import dagster as dg

from aiqleads_pipeline.automation.jobs import MAX_RUNTIME_TAG
from aiqleads_pipeline.delivering.worker import deliverable, drain
from aiqleads_pipeline.outside import open_outside
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.settings import Settings
from resources.store import lanes

DRAIN_OUTBOX = "drain_outbox"
DRAIN_SECONDS = 120
# A resident worker takes what is due within a second: after this nobody does.
PATIENCE = timedelta(seconds=15)


def build_drain_job(settings: Settings | None) -> dg.JobDefinition:
    """The job, bound to the settings (from the environment by default)."""

    @dg.op(name="send_due_deliveries", description="Sends what is due to the destinations, within their budgets")
    def send_due(context: dg.OpExecutionContext) -> None:
        count = drain(open_outside(settings), DRAIN_SECONDS)
        context.log.info(f"{count} deliveries were tried")

    @dg.job(
        name=DRAIN_OUTBOX,
        tags={MAX_RUNTIME_TAG: str(3 * DRAIN_SECONDS)},
        description="Sends what is due in the outbox where no resident worker does",
    )
    def drain_outbox() -> None:
        send_due()

    return drain_outbox


def build_drain_sensor(settings: Settings | None) -> dg.SensorDefinition:
    """Asks for a run when something has been due for a while and nobody sends it."""

    @dg.sensor(
        name="watch_outbox",
        job_name=DRAIN_OUTBOX,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Drains the outbox by a job where no resident worker does",
    )
    def watch(_context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        outside = open_outside(settings)
        try:
            names = deliverable(outside)
        except RulesError as error:
            return dg.SkipReason(f"the rules are wrong: {str(error).splitlines()[0]}")
        now = outside.settings.now()
        waiting = lanes.neglected(outside.store, list(names), now - PATIENCE, now)
        if not waiting:
            return dg.SkipReason("nothing waits that nobody sends")
        # One run at a time: the next key comes when this one's time is over.
        return dg.RunRequest(run_key=f"drain:{int(now.timestamp()) // DRAIN_SECONDS}")

    return watch
