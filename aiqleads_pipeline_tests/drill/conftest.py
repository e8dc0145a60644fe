"""What the drills share: one drill with its undisturbed run, done once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.crash_drill import Drill, prepared_drill
from benchmarks.drill.homes import Home
from resources.store.database import Store

ROWS, SEED = 60, 7


@pytest.fixture(scope="session")
def drill() -> Iterator[Drill]:
    """The template home, two drops that overlap, the points of their run and the state it leaves."""
    # Not under pytest's own folder: another pytest that starts takes away the database user's way through it.
    with (
        tempfile.TemporaryDirectory(prefix="aiqleads-drill-", ignore_cleanup_errors=True) as folder,
        prepared_drill(Path(folder), ROWS, SEED) as prepared,
    ):
        yield prepared


@pytest.fixture
def home(drill: Drill) -> Iterator[Home]:
    """A copy of the template home."""
    copied = drill.template.copy(drill.scratch / "broken")
    yield copied
    copied.remove()


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    """The store of that home; its server runs as long as the test."""
    with home.open_store() as opened:
        yield opened


@pytest.fixture
def expected_files(drill: Drill) -> list[Path]:
    """The two drops."""
    return drill.drops
