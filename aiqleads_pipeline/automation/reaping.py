"""Frees what dead workers held: requests nobody took up, batches whose lease ran out, runs that will never end.

Belongs here: telling dead from slow. A worker is dead when its lease expired or its process is gone from this host.
"""

from __future__ import annotations

import dagster as dg

from aiqleads_pipeline.automation.running import is_abandoned
from aiqleads_pipeline.outside import Outside
from resources.store import alerts, drops


def reap(outside: Outside, instance: dg.DagsterInstance) -> list[str]:
    """Free what is dead and let it run again, MAX_RETRIES times at most; returns the batches freed."""
    unfinished = [
        batch
        for state in ("requested", "running")
        for batch in drops.open_batches(outside.store, state=state)
        if is_abandoned(outside, batch)
    ]
    for batch in unfinished:
        _free(outside, instance, batch)
    return [batch.batch_id for batch in unfinished]


def _free(outside: Outside, instance: dg.DagsterInstance, batch: drops.Batch) -> None:
    why = "its worker died" if batch.state == "running" else "its run never started"
    run = instance.get_run_by_id(batch.run_id) if batch.run_id else None
    if run is not None and not run.is_finished:
        instance.report_run_failed(run, f"The run was freed: {why}.")
    if batch.attempts_count > outside.settings.pipeline.MAX_RETRIES:
        drops.mark_failed(outside.store, batch.batch_id, "run_failed", f"{why}, {batch.attempts_count} times")
    else:
        drops.reopen(outside.store, batch.batch_id, states=[batch.state])
    alerts.raise_alert(
        outside.store,
        code="run_reaped",
        subject=batch.batch_id,
        severity="warning",
        detail=f"batch {batch.batch_id}: {why}",
        run_id=batch.run_id,
        now=outside.settings.now(),
    )
