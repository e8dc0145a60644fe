"""One batch in one run: its lease, its engine, its tables. Every step of the job works through it.

Belongs here: taking and keeping the lease, the time limit, what a failure does to the batch. Does not belong here:
what a step computes.
"""

from __future__ import annotations

import re
import shutil
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import duckdb
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.contract import cast_projection
from aiqleads_pipeline.outside import Outside, open_outside
from aiqleads_pipeline.publishing.pinned import rules_of
from aiqleads_pipeline.rules.book import RuleBook
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.engine import forget_temporary_tables, open_engine
from aiqleads_pipeline.stages.reading import DropRefused
from resources.store import alerts, drops
from resources.store.errors import LeaseHeld, LeaseLost
from resources.store.leases import Lease, held, holder_name

# A file larger than what one PROCESSING_TIMEOUT covers gets as many of them as it needs: stated on the run.
BYTES_PER_TIMEOUT = 300 * 1024 * 1024
INTERRUPT_EVERY_SECONDS = 0.05
# Errors whose message names code, never a cell.
NAMES_CODE = (AttributeError, NameError, ImportError, NotImplementedError)


@dataclass
class BatchRun:
    """A batch held under its lease: where its steps read, compute and write."""

    outside: Outside
    batch: drops.Batch
    run_id: str
    lease: Lease
    con: DuckDBPyConnection
    workdir: Path
    rules: RuleBook
    closing: ExitStack
    counts: dict[str, Any] = field(default_factory=dict)  # what steps add to the batch's public numbers
    delivery_counts: dict[str, dict[str, int]] = field(default_factory=dict)  # destination -> state -> count
    step_seconds: dict[str, float] = field(default_factory=dict)
    broken_claims: list[str] = field(default_factory=list)  # blocking checks that failed: the batch can't be done
    _started: float = field(default_factory=time.monotonic)
    tells_facts: ClassVar[bool] = True  # whether anybody looks at what its steps return

    @property
    def settings(self) -> Settings:
        """The settings of the process."""
        return self.outside.settings

    @property
    def batch_id(self) -> str:
        """The batch, which is also the partition."""
        return self.batch.batch_id

    @property
    def as_of(self) -> datetime:
        """The batch's own clock: when it was received. Steps never ask what time it is."""
        return self.batch.received_at

    def read(self, table: str) -> DuckDBPyRelation:
        """A table of this batch, lazy."""
        return self.outside.lake.read(self.con, table, self.batch_id)

    def write(self, relation: DuckDBPyRelation, table: str) -> int:
        """Write a table of this batch as its contract says; returns its rows."""
        exact = relation.project(cast_projection(table))
        self.outside.lake.write(exact, table, self.batch_id, guard=self.lease.check)
        return self.count(table)

    def count(self, table: str) -> int:
        """Rows of a table of this batch (from the Parquet footer)."""
        return int(self.read(table).aggregate("count(*)").fetchall()[0][0])

    def spool(self, relation: DuckDBPyRelation, name: str) -> DuckDBPyRelation:
        """Compute a relation once into a temporary file, so that several readers don't compute it again."""
        path = str(self.spooled(name))
        relation.write_parquet(path, compression="snappy")
        return self.con.read_parquet(path)

    def forget_temporary_tables(self) -> None:
        """Let go of what the stages kept on the engine; what was spooled or written stays."""
        forget_temporary_tables(self.con)

    def spooled(self, name: str) -> Path:
        """Where the file of ``spool`` lies."""
        return self.workdir / f"{name}.parquet"

    @property
    def time_limit_seconds(self) -> float:
        """How long the whole run may take."""
        return time_limit_seconds(self.settings, self.batch)

    @property
    def elapsed_seconds(self) -> float:
        """Since this process took the batch."""
        return time.monotonic() - self._started

    def note_seconds(self, step: str) -> None:
        """Note how long a step took: what has passed since the one before."""
        if step not in self.step_seconds:
            self.step_seconds[step] = round(self.elapsed_seconds - sum(self.step_seconds.values()), 3)

    def close(self) -> None:
        """Give the lease back and remove temporary files."""
        self.closing.close()


class BatchRuns:
    """The batches that this Dagster run holds; a run of a backfill may hold one after the other."""

    def __init__(self, settings: Settings | None) -> None:
        self._settings = settings
        self._open: dict[str, BatchRun] = {}

    @property
    def outside(self) -> Outside:
        """What lies outside, for steps that are not about one batch."""
        return open_outside(self._settings)

    @contextmanager
    def step(self, context: dg.AssetExecutionContext) -> Iterator[BatchRun]:
        """Run one step of the partition's batch; a failure marks the batch and is told without personal data."""
        run = self._open.get(context.partition_key) or self._take(context)
        try:
            run.lease.check()
            yield run
            run.forget_temporary_tables()
            run.note_seconds(context.op_execution_context.op.name)
        except DropRefused as refused:
            self._quarantine(run, refused)
            raise dg.Failure(
                f"quarantined: {refused.code}: {refused}",
                metadata={"reason_code": refused.code, "mapping_tried": dg.MetadataValue.json(refused.mapping)},
                allow_retries=False,
            ) from None
        except (LeaseLost, dg.Failure):
            raise
        except Exception as error:
            detail = redact(error)
            if isinstance(error, duckdb.InterruptException):  # by the watchdog: nobody else does
                detail = f"the time limit of {run.time_limit_seconds} s (PROCESSING_TIMEOUT) is over: {detail}"
            if isinstance(error, OSError | duckdb.IOException):
                detail += f" ({shutil.disk_usage(run.workdir).free >> 20:,} MiB free under the home)"
            self._fail(run, f"{context.op_execution_context.op.name}: {detail}")
            raise dg.Failure(detail, metadata={"where": _stack_of(error)}) from None

    def close(self) -> None:
        """End of the Dagster run: give all leases back."""
        while self._open:
            run = self._open.popitem()[1]
            try:
                if run.broken_claims:
                    detail = f"blocking checks failed: {', '.join(run.broken_claims)}"
                    drops.mark_failed(run.outside.store, run.batch_id, "check_failed", detail, lease=run.lease)
            finally:
                run.close()

    def _take(self, context: dg.AssetExecutionContext) -> BatchRun:
        outside, run_id = self.outside, context.run.run_id
        batch = drops.batch(outside.store, context.partition_key)
        with ExitStack() as opening:
            seconds = outside.settings.LEASE_SECONDS
            try:
                lease = opening.enter_context(
                    held(outside.store, f"batch:{batch.batch_id}", holder_name(run_id), seconds)
                )
            except LeaseHeld:
                message = f"another run holds batch {batch.batch_id}; it is left alone"
                raise dg.Failure(message, allow_retries=False) from None
            _clear_leavings(outside, batch.batch_id)
            workdir = outside.workdir(f"{batch.batch_id}-{run_id}")
            opening.callback(shutil.rmtree, workdir, ignore_errors=True)
            con = open_engine(outside.settings, workdir / "spill")
            opening.callback(con.close)
            outside.lake.attach(con)
            # No file changes while this engine reads it; slices of ten million leads read each footer a hundred times.
            con.execute("SET parquet_metadata_cache = true")
            opening.enter_context(interrupted_after(time_limit_seconds(outside.settings, batch), con))
            rules = rules_of(outside, batch.batch_id)
            run = BatchRun(outside, batch, run_id, lease, con, workdir, rules, opening.pop_all())
        self._open[batch.batch_id] = run
        return run

    def _quarantine(self, run: BatchRun, refused: DropRefused) -> None:
        drops.mark_quarantined(run.outside.store, run.batch_id, refused.code, str(refused), lease=run.lease)
        alerts.raise_alert(
            run.outside.store,
            code="drop_quarantined",
            subject=run.batch_id,
            severity="error",
            detail=f"{refused.code}: {refused}",
            run_id=run.run_id,
            now=run.settings.now(),
        )

    def _fail(self, run: BatchRun, detail: str) -> None:
        drops.mark_failed(run.outside.store, run.batch_id, "run_failed", detail, lease=run.lease)


@contextmanager
def interrupted_after(seconds: float, con: DuckDBPyConnection) -> Iterator[None]:
    """Stop whatever the engine does once the time is over, again and again: one signal might meet no query."""
    ended = threading.Event()

    def watch() -> None:
        is_over = not ended.wait(seconds)
        while is_over:
            con.interrupt()
            is_over = not ended.wait(INTERRUPT_EVERY_SECONDS)

    watchdog = threading.Thread(target=watch, daemon=True)
    watchdog.start()
    try:
        yield
    finally:
        ended.set()
        watchdog.join()


def time_limit_seconds(settings: Settings, batch: drops.Batch) -> float:
    """The bound of a batch's run: one PROCESSING_TIMEOUT for each 300 MiB begun."""
    return settings.pipeline.PROCESSING_TIMEOUT * (1 + batch.size_bytes // BYTES_PER_TIMEOUT)


def _clear_leavings(outside: Outside, batch_id: str) -> None:
    """Remove what a killed run of the batch left: whoever holds the lease is alone with it."""
    for left in (outside.settings.home / "work").glob(f"{batch_id}-*"):
        shutil.rmtree(left, ignore_errors=True)
    outside.lake.remove_stale_files(batch_id)


def redact(error: BaseException) -> str:
    """An error in one line without the values it quotes: engines put cells of leads into their messages."""
    lines = str(error).strip().splitlines() or [""]
    if isinstance(error, NAMES_CODE):
        return f"{type(error).__name__}: {lines[0]}"
    text = re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", lines[0])
    text = re.sub(r"\S+@\S+|(?<![\w/.=-])\+?\d[\d\s().-]{6,}\d(?![\w/-])", "…", text)
    return f"{type(error).__name__}: {text[:500]}"


def _stack_of(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames[-8:]))


def batch_runs_resource(settings: Settings | None = None) -> dg.ResourceDefinition:
    """The resource ``runs``: opened lazily by the first step, closed at the end of the run, killed or not."""

    @dg.resource(description="The batches this run holds: lease, engine, tables, rules")
    def runs(_context: dg.InitResourceContext) -> Iterator[BatchRuns]:
        held = BatchRuns(settings)
        try:
            yield held
        finally:
            held.close()

    return runs
