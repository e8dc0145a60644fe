"""Measures the pipeline itself: a file through ``aiqleads process`` in a home of its own, and what each step took.

Belongs here: running the real command and reading what it left. Nothing of the pipeline is called in this process but
the store, to read. Step times are those that Dagster recorded.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from benchmarks.measuring import Watched, watch
from resources.store.database import Store

SOURCE = "bench"
AIQLEADS = str(Path(sys.executable).parent / "aiqleads")
STEP_SECONDS = Path(__file__).with_name("step_seconds.sql")
WARM_UP = "First Name,Last Name,Email\nAda,Warmup,ada.warmup@warm-up.example.com\n"


@dataclass(frozen=True)
class Measured:
    """One file through the pipeline: the command's own summary, what it took, seconds by step in the order they ran."""

    summary: dict[str, Any]
    watched: Watched
    steps: dict[str, float]


@contextmanager
def fresh_home(folder: Path) -> Iterator[Path]:
    """A home with its database made and one lead in it; removed at the end."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    warm_up = folder.with_suffix(".csv")
    warm_up.write_text(WARM_UP, encoding="utf-8")
    try:
        watch(command(warm_up, "warmup"), environment(folder))
        yield folder
    finally:
        warm_up.unlink()
        shutil.rmtree(folder, ignore_errors=True)


def command(file: Path, source: str = SOURCE) -> list[str]:
    """The command line that processes a file."""
    return [AIQLEADS, "process", str(file), "--source", source, "--json"]


def environment(home: Path) -> dict[str, str]:
    """What a command needs to work in a home."""
    return {"AIQLEADS_HOME": str(home)}


def measure(home: Path, file: Path) -> Measured:
    """Process a file in a home and tell what it took; the clock runs from the start of the command to its end.

    Raises:
        ProgramFailed: the command failed.
    """
    watched = watch(command(file), environment(home), home)
    summary = json.loads(watched.output.strip().splitlines()[-1])
    with Store.open(None, home) as store:
        return Measured(summary, watched, step_seconds(store, summary["batch_id"]))


def step_seconds(store: Store, batch_id: str) -> dict[str, float]:
    """Seconds of each step of the batch's last run, as Dagster's event log has them."""
    with store.read() as con:
        run_id = con.execute(
            text("SELECT run_id FROM aiqleads.batches WHERE batch_id = :batch_id"), {"batch_id": batch_id}
        ).scalar_one()
    engine = create_engine(store.dagster_url)
    try:
        with engine.connect() as con:
            rows = con.execute(text(STEP_SECONDS.read_text(encoding="utf-8")), {"run_id": run_id})
            return {row.step_key: float(row.seconds) for row in rows if row.seconds is not None}
    finally:
        engine.dispose()
