"""Measures small drops beside a running ``aiqleads up``: from the file's rename to routed and committed.

Belongs here: starting and ending ``up``, dropping, waiting. The end is when the ledger says that the batch is done: its
leads are routed, their deliveries are in the outbox, all in committed transactions.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from benchmarks.measuring import PROJECT_DIR
from benchmarks.messy_leads import SEED, write_messy_leads
from benchmarks.pipeline import AIQLEADS, environment
from resources.store.database import Store

POLL_SECONDS = 0.02
PATIENCE_SECONDS = 120.0
STATE_OF_FILE = text(
    "SELECT b.state FROM aiqleads.drops d JOIN aiqleads.batches b USING (batch_id) WHERE d.name = :name"
)


class NotRouted(Exception):
    """A drop was not routed in time; the message says how it stands."""


@dataclass(frozen=True)
class Beside:
    """Seconds until the first drop after the start was routed, and of each drop beside the running service."""

    first_seconds: float
    seconds: list[float]


def measure_beside(home: Path, scratch: Path, leads: int = 100, times: int = 10) -> Beside:
    """Start ``up`` in a home and drop ``times`` files of ``leads`` leads, one after the other."""
    with Store.open(None, home) as store, _running(home):
        first = _drop_and_wait(store, home, _fresh_file(scratch, leads, 0))
        return Beside(first, [_drop_and_wait(store, home, _fresh_file(scratch, leads, n)) for n in range(1, times + 1)])


def _fresh_file(scratch: Path, leads: int, number: int) -> Path:
    file = scratch / f"beside-{number}.csv"
    write_messy_leads(file, leads, SEED + 1000 + number)
    return file


def _drop_and_wait(store: Store, home: Path, file: Path) -> float:
    folder = home / "bucket" / "uploads" / "beside"
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f".{file.name}.part"
    half.write_bytes(file.read_bytes())
    started = time.perf_counter()
    half.rename(folder / file.name)
    state = None
    while time.perf_counter() - started < PATIENCE_SECONDS:
        with store.read() as con:
            state = con.execute(STATE_OF_FILE, {"name": file.name}).scalar()
        if state == "done":
            return time.perf_counter() - started
        if state in ("failed", "quarantined"):
            break
        time.sleep(POLL_SECONDS)
    raise NotRouted(f"{file.name} is {state or 'not registered'} after {time.perf_counter() - started:.0f} s")


@contextmanager
def _running(home: Path) -> Iterator[None]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home / "up.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [AIQLEADS, "up", "--port", str(port)],
            cwd=PROJECT_DIR,
            env={**os.environ, **environment(home)},
            stdout=out,
            stderr=out,
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
