"""The sensors: they find drops, ask for runs, free what dead workers held, and open alerts.

Belongs here: when to ask. What a drop is and who may ask is decided by the ledger (``resources.store.drops``), so a
second daemon, a cursor set back or the same tick twice ask for nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import dagster as dg

from aiqleads_pipeline.automation import reaping
from aiqleads_pipeline.automation.delivering import deliver_assigned
from aiqleads_pipeline.automation.gathering import gather_waiting
from aiqleads_pipeline.automation.jobs import load_outcomes, process_batch
from aiqleads_pipeline.automation.runner import RUNNER_LEASE
from aiqleads_pipeline.automation.running import job_of, run_tags
from aiqleads_pipeline.outside import Outside, open_outside
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.reading.intake import INTAKE_CHANNEL
from resources.store import alerts, drops
from resources.store.leases import live_leases

RUNNING = dg.DefaultSensorStatus.RUNNING
# A small drop that the resident runner did not take by then is asked for by the sensor.
RUNNER_PATIENCE = timedelta(seconds=20)


def build_sensors(settings: Settings | None) -> list[dg.SensorDefinition]:
    """All sensors, bound to the settings (from the environment by default)."""

    def outside() -> Outside:
        return open_outside(settings)

    return [
        _watch("upload", "watch_uploads", outside),
        _watch("webhook", "watch_webhooks", outside),
        _watch("scrape", "watch_scrapes", outside),
        _watch_intake(outside),
        _reap(outside),
        _retire(outside),
        _alert_failed_runs(outside),
        _watch_alerts(outside),
    ]


def _watch(channel: str, name: str, outside: Callable[[], Outside]) -> dg.SensorDefinition:
    @dg.sensor(
        name=name,
        jobs=[process_batch, load_outcomes],
        minimum_interval_seconds=1,
        default_status=RUNNING,
        description=f"Finds complete drops under {channel}s/ and asks for one run per new content",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        place = outside()
        found = drops.discover(
            place.bucket,
            place.store,
            now=place.settings.now(),
            settle_seconds=place.settings.DROP_SETTLE_SECONDS,
            remembered=json.loads(context.cursor or "{}"),
            channel=channel,
        )
        return request_runs(place, channel, cursor=json.dumps(dict(found.waiting)))

    return watch


def _watch_intake(outside: Callable[[], Outside]) -> dg.SensorDefinition:
    @dg.sensor(
        name="watch_intake",
        jobs=[process_batch, load_outcomes],
        minimum_interval_seconds=1,
        default_status=RUNNING,
        description="Gathers leads that the API took in into batches, and asks for their runs",
    )
    def watch(_context: dg.SensorEvaluationContext) -> dg.SensorResult:
        gather_waiting(outside())
        return request_runs(outside(), INTAKE_CHANNEL)

    return watch


def request_runs(outside: Outside, channel: str, cursor: str | None = None) -> dg.SensorResult:
    """Ask for the runs of all waiting batches of a channel that nobody else takes."""
    runner_is_alive = RUNNER_LEASE in live_leases(outside.store)
    now = outside.settings.now()
    runs, partitions = [], []
    for batch in drops.open_batches(outside.store, state="waiting", channel=channel):
        is_hot = batch.size_bytes <= outside.settings.HOT_DROP_KB * 1024
        if runner_is_alive and is_hot and now - batch.received_at < RUNNER_PATIENCE:
            continue
        if not drops.request_batch(outside.store, batch.batch_id, by="sensor"):
            continue
        job_name, partitions_def = job_of(batch)
        partitions.append(partitions_def.build_add_request([batch.batch_id]))
        runs.append(
            dg.RunRequest(
                run_key=f"{batch.batch_id}:{batch.attempts_count}",
                job_name=job_name,
                partition_key=batch.batch_id,
                tags=run_tags(outside, batch),
            )
        )
    return dg.SensorResult(run_requests=runs, dynamic_partitions_requests=partitions, cursor=cursor)


def _reap(outside: Callable[[], Outside]) -> dg.SensorDefinition:
    @dg.sensor(
        name="reap_dead_runs",
        minimum_interval_seconds=15,
        default_status=RUNNING,
        description="Frees runs and leases of workers that died, and lets their batches run again",
    )
    def reap(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        freed = reaping.reap(outside(), context.instance)
        deliver_assigned(outside())  # what an interrupted `review assign` left
        return dg.SkipReason(f"freed: {', '.join(freed)}" if freed else "nothing to free")

    return reap


def _retire(outside: Callable[[], Outside]) -> dg.SensorDefinition:
    @dg.sensor(
        name="retire_old_partitions",
        minimum_interval_seconds=3600,
        default_status=RUNNING,
        description="Takes partitions past AIQLEADS_PARTITION_DAYS out of the UI; their tables stay in the lake",
    )
    def retire(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        place = outside()
        oldest = place.settings.now() - timedelta(days=place.settings.PARTITION_DAYS)
        retired = drops.batches_to_retire(place.store, older_than=oldest)
        for batch in retired:
            context.instance.delete_dynamic_partition(str(job_of(batch)[1].name), batch.batch_id)
        drops.mark_retired(place.store, [batch.batch_id for batch in retired], place.settings.now())
        return dg.SkipReason(f"retired {len(retired)} partitions")

    return retire


def _alert_failed_runs(outside: Callable[[], Outside]) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        name="alert_failed_runs",
        default_status=RUNNING,
        description="Opens an alert for every failed run",
    )
    def alert(context: dg.RunFailureSensorContext) -> None:
        place = outside()
        subject = context.dagster_run.tags.get("dagster/partition", context.dagster_run.run_id)
        alerts.raise_alert(
            place.store,
            code="run_failed",
            subject=subject,
            severity="error",
            detail=f"{context.dagster_run.job_name}: see the run {context.dagster_run.run_id}",
            run_id=context.dagster_run.run_id,
            now=place.settings.now(),
        )

    return alert


def _watch_alerts(outside: Callable[[], Outside]) -> dg.SensorDefinition:
    @dg.sensor(
        name="watch_alerts",
        minimum_interval_seconds=30,
        default_status=RUNNING,
        description="Looks, tells alerts and moves the clock of promises while no watchman does",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        from aiqleads_pipeline.alerting.watchman import WATCHMAN_LEASE, look_once
        from aiqleads_pipeline.rules.alerts import load_alerts

        place = outside()
        if WATCHMAN_LEASE in live_leases(place.store):
            return dg.SkipReason("the watchman does it")
        rules = load_alerts(place.settings.rules_dir)
        look_once(place, rules, place.settings.now(), context.log.warning)
        return dg.SkipReason("looked")

    return watch
