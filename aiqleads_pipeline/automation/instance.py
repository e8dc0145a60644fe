"""The Dagster instance of a home: its folder, its storage in our PostgreSQL, initialised once before anybody races.

Belongs here: ``DAGSTER_HOME`` and the variables that ``dagster.yaml`` reads.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import PROJECT_DIR

# Dagster opens a connection for every statement unless told to keep some open, as its own webserver does.
STATEMENT_TIMEOUT_MS, POOL_RECYCLE_SECONDS, POOL_OVERFLOW = 60_000, 3_600, 10


@contextmanager
def open_instance(outside: Outside) -> Iterator[dg.DagsterInstance]:
    """The instance of the home, prepared if it is new, for a process that runs jobs itself."""
    prepare_instance(outside)
    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(STATEMENT_TIMEOUT_MS, POOL_RECYCLE_SECONDS, POOL_OVERFLOW)
        yield instance


def prepare_instance(outside: Outside, environ: MutableMapping[str, str] | None = None) -> Path:
    """Create ``<home>/dagster``, point the environment to it, and create Dagster's tables under a lock."""
    environ = os.environ if environ is None else environ
    folder = outside.settings.home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    environ["DAGSTER_HOME"] = str(folder)
    environ["AIQLEADS_DAGSTER_DATABASE_URL"] = outside.store.dagster_url
    environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    text = (PROJECT_DIR / "dagster.yaml").read_text(encoding="utf-8")
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        config = folder / "dagster.yaml"
        if not config.exists() or config.read_text(encoding="utf-8") != text:
            config.write_text(text, encoding="utf-8")
        marker = folder / ".initialised"
        if not marker.exists():
            with dg.DagsterInstance.get() as instance:
                instance.get_runs(limit=1)
                instance.get_dynamic_partitions("batches")
            marker.touch()
    return folder
