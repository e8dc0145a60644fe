"""Runs the job of a batch in this process, on the real instance: the same job that the sensors launch.

Belongs here: partition, tags, and what became of the batch. Used by ``aiqleads process`` and the resident runner.
"""

from __future__ import annotations

import time
from datetime import timedelta

import dagster as dg
from sqlalchemy.exc import DBAPIError

from aiqleads_pipeline.assets.batch_run import time_limit_seconds
from aiqleads_pipeline.assets.outcomes import OUTCOMES_SOURCE
from aiqleads_pipeline.assets.specs import batches, outcome_batches
from aiqleads_pipeline.automation.jobs import LOAD_OUTCOMES, MAX_RUNTIME_TAG, PROCESS_BATCH
from aiqleads_pipeline.outside import Outside
from resources.store import drops
from resources.store.errors import StoreUnavailable
from resources.store.leases import holder_is_dead, holder_name, live_leases

POLL_SECONDS = 0.2
AGAIN = "it waits and is run again by `aiqleads up`, or by the same command"
# The run's log is in Dagster; on the terminal stands what became of the batch.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
ENDED = ("done", "failed", "quarantined")
# From a request to the run's lease: the start of a run worker included.
REQUEST_PATIENCE = timedelta(seconds=60)


def run_batch(defs: dg.Definitions, instance: dg.DagsterInstance, outside: Outside, batch_id: str) -> bool:
    """Execute a batch's job here and now; True if it succeeded. The ledger holds what became of it.

    Raises:
        StoreUnavailable: the database went away under Dagster; the batch waits for another run.
    """
    batch = drops.batch(outside.store, batch_id)
    job_name, partitions = job_of(batch)
    instance.add_dynamic_partitions(str(partitions.name), [batch_id])
    job = defs.resolve_job_def(job_name)
    try:
        result = job.execute_in_process(
            instance=instance,
            partition_key=batch_id,
            raise_on_error=False,
            tags=run_tags(outside, batch),
            run_config=QUIET,
        )
    except DBAPIError:
        _survive(outside, batch_id)
        raise StoreUnavailable(f"the database went away while batch {batch_id} ran: {AGAIN}") from None
    return bool(result.success)


def _survive(outside: Outside, batch_id: str) -> None:
    """Dagster lost its storage in mid-run: let the batch wait for another run, MAX_RETRIES times at most."""
    batch = drops.batch(outside.store, batch_id)
    if batch.state in ENDED:
        return
    if batch.attempts_count > outside.settings.pipeline.MAX_RETRIES:
        detail = f"the database went away, {batch.attempts_count} times"
        drops.mark_failed(outside.store, batch_id, "run_failed", detail)
    else:
        drops.reopen(outside.store, batch_id, states=["requested", "running"])


def job_of(batch: drops.Batch) -> tuple[str, dg.DynamicPartitionsDefinition]:
    """The job a batch wants and the partitions it belongs to: outcomes are no leads."""
    return (LOAD_OUTCOMES, outcome_batches) if batch.source == OUTCOMES_SOURCE else (PROCESS_BATCH, batches)


def run_tags(outside: Outside, batch: drops.Batch) -> dict[str, str]:
    """The tags of a batch's run, the same whoever starts it."""
    limit = time_limit_seconds(outside.settings, batch)
    return {"aiqleads/source": batch.source, MAX_RUNTIME_TAG: str(int(limit))}


def run_or_wait(defs: dg.Definitions, instance: dg.DagsterInstance, outside: Outside, batch_id: str) -> None:
    """Run a batch to its end, or wait for the end if somebody alive runs it; a dead one's work is taken over."""
    me = holder_name("process")
    while True:
        batch = drops.batch(outside.store, batch_id)
        if batch.state in ENDED:
            return
        if batch.state == "waiting":
            if drops.request_batch(outside.store, batch_id, by=me):
                run_batch(defs, instance, outside, batch_id)
                return
        elif is_abandoned(outside, batch):
            drops.reopen(outside.store, batch_id, states=["requested", "running"])
        else:
            time.sleep(POLL_SECONDS)


def is_abandoned(outside: Outside, batch: drops.Batch) -> bool:
    """Whether nobody works on a requested or running batch any more: its process is gone or its lease ran out."""
    if f"batch:{batch.batch_id}" in live_leases(outside.store):
        return False
    if batch.state == "running" or (batch.requested_by and holder_is_dead(batch.requested_by)):
        return True
    return batch.requested_at is not None and outside.settings.now() - batch.requested_at > REQUEST_PATIENCE
