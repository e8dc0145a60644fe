"""The resident runner: takes small drops as they come and runs their job in its own warm process.

Belongs here: the loop. It does what the sensors do, only sooner: a run started by the daemon takes seconds to start.
While its lease is fresh, the sensors leave small drops to it; when it dies, they take over.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

import dagster as dg

from aiqleads_pipeline.automation.gathering import gather_waiting
from aiqleads_pipeline.automation.instance import open_instance
from aiqleads_pipeline.automation.reaping import reap
from aiqleads_pipeline.automation.running import run_batch
from aiqleads_pipeline.outside import Outside
from resources.store import drops
from resources.store.errors import LeaseHeld, LeaseLost
from resources.store.leases import Lease, held, holder_name

RUNNER_LEASE = "runner"
TICK_SECONDS = 0.25


def run_resident(defs: dg.Definitions, outside: Outside) -> None:
    """Run until SIGTERM or SIGINT; one such runner works per home, another one waits for its turn."""
    stop = threading.Event()

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    with open_instance(outside) as instance:
        while not stop.is_set():
            try:
                seconds = outside.settings.LEASE_SECONDS
                with held(outside.store, RUNNER_LEASE, holder_name("runner"), seconds) as lease:
                    reap(outside, instance)
                    _work(defs, instance, outside, lease, stop)
            except (LeaseHeld, LeaseLost):
                stop.wait(1)


def _work(
    defs: dg.Definitions, instance: dg.DagsterInstance, outside: Outside, lease: Lease, stop: threading.Event
) -> None:
    while not stop.is_set():
        lease.check()
        tick(defs, instance, outside)
        stop.wait(TICK_SECONDS)


def tick(defs: dg.Definitions, instance: dg.DagsterInstance, outside: Outside) -> None:
    """Look once: register what is new, gather what the doors took in, run what is small."""
    gather_waiting(outside)
    drops.discover(
        outside.bucket,
        outside.store,
        now=outside.settings.now(),
        settle_seconds=outside.settings.DROP_SETTLE_SECONDS,
        # Looks are too close together to tell by two of them that an object stands still: its time must.
        remembered={},
    )
    for batch in drops.open_batches(outside.store, state="waiting"):
        is_hot = batch.size_bytes <= outside.settings.HOT_DROP_KB * 1024
        if is_hot and drops.request_batch(outside.store, batch.batch_id, by=holder_name("runner")):
            run_batch(defs, instance, outside, batch.batch_id)
