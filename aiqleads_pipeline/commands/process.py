"""`aiqleads process`: files into the watched bucket, through the same job as a dropped file, waiting for the end."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from dataclasses import asdict, dataclass
from pathlib import Path

import dagster as dg

from aiqleads_pipeline.assets.specs import UPSTREAM
from aiqleads_pipeline.automation.instance import open_instance
from aiqleads_pipeline.automation.running import run_or_wait
from aiqleads_pipeline.contract import STORE_TABLES
from aiqleads_pipeline.outside import Outside
from resources.store import drops

PROGRESS_TABLES = [name for name in UPSTREAM if name not in STORE_TABLES]


@dataclass(frozen=True)
class Summary:
    """What became of one file: the public JSON object of ``process --json``."""

    batch_id: str
    source: str
    received: int
    rejected: int
    duplicates: int
    routed: int
    in_review: int
    delivered_pending: int
    seconds: float
    status: str
    file: str
    reason_code: str | None
    detail: str | None


def process_files(outside: Outside, files: Sequence[Path], source: str, show_progress: bool) -> Iterator[Summary]:
    """Process each file to the end, in order; a file that fails does not stop the next."""
    from aiqleads_pipeline.definitions import build_defs

    defs = build_defs()
    gc.set_threshold(100_000, 20, 100)  # half a million objects stay: each full collection looks through all of them
    with open_instance(outside) as instance:
        for file in files:
            yield process_file(defs, instance, outside, file, source, show_progress)


def process_file(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    outside: Outside,
    file: Path,
    source: str,
    show_progress: bool = False,
) -> Summary:
    """Put one file in the bucket, run its batch (or wait for whoever runs it), and say what became of it."""
    dropped = outside.bucket.put(file, "upload", source, file.name)
    drop = drops.register(outside.bucket, outside.store, dropped, now=outside.settings.now())
    batch = drops.batch(outside.store, drop.batch_id)
    if batch.state == "done":
        return summarise(batch, file.name, status="repeat")
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(run_or_wait, defs, instance, outside, batch.batch_id)
        _show(outside, batch.batch_id, file.name, ending, show_progress)
        ending.result()
    batch = drops.batch(outside.store, batch.batch_id)
    return summarise(batch, file.name, status=batch.state)


def summarise(batch: drops.Batch, file: str, status: str) -> Summary:
    """The public summary of a batch."""
    counts = batch.counts
    ended = batch.finished_at
    return Summary(
        batch_id=batch.batch_id,
        source=batch.source,
        received=counts.get("received", 0),
        rejected=counts.get("rejected", 0),
        duplicates=counts.get("duplicates", 0),
        routed=counts.get("routed", 0),
        in_review=counts.get("in_review", 0),
        delivered_pending=counts.get("delivered_pending", 0),
        seconds=round(counts.get("seconds", 0.0), 3) if ended else 0.0,
        status=status,
        file=file,
        reason_code=batch.reason_code,
        detail=batch.detail,
    )


def as_json(summary: Summary) -> dict[str, object]:
    """The summary as the JSON object that other programs read."""
    return asdict(summary)


def _show(outside: Outside, batch_id: str, name: str, ending: Future[None], show_progress: bool) -> None:
    """A progress bar over the batch's tables, on a terminal, for work of more than two seconds."""
    if not (show_progress and sys.stderr.isatty()):
        return
    try:
        ending.result(timeout=2)
        return
    except StillRunning:
        pass
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=len(PROGRESS_TABLES))
        while not ending.done():
            done = sum(outside.lake.exists(table, batch_id) for table in PROGRESS_TABLES)
            progress.update(task, completed=done)
            try:
                ending.result(timeout=0.3)
            except StillRunning:
                continue
