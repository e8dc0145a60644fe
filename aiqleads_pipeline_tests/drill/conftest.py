"""What the drills share: one drill with its undisturbed run, done once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.crash_drill import Drill, prepared_drill
from benchmarks.drill.homes import Home
from resources.store.database import Store

ROWS, SEED = 60, 7


@pytest.fixture(scope="session")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """The template home, two drops that overlap, the points of their run and the state it leaves."""
    with prepared_drill(tmp_path_factory.mktemp("drill"), ROWS, SEED) as prepared:
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
