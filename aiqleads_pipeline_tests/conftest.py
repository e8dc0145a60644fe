"""Fixtures of all tests: real small things. No test reads another's home, database or environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline_tests.shared_engine import SharedEngine

OUR_VARIABLES = ("AIQLEADS_", "PIPELINE_CONFIG__", "FEATURE_FLAGS__", "DAGSTER_HOME")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's settings don't reach the tests."""
    import os

    for name in [name for name in os.environ if name.startswith(OUR_VARIABLES)]:
        monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a home of its own."""
    return Settings(HOME=tmp_path / "home")


@pytest.fixture(scope="session")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedEngine]:
    """The engine that the tests of a session use one after the other."""
    engine = SharedEngine(Settings(HOME=tmp_path_factory.mktemp("engine")))
    yield engine
    engine.con.close()


@pytest.fixture
def con(shared_engine: SharedEngine) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine as the pipeline opens it: nothing of another test is on it."""
    yield shared_engine.con
    shared_engine.forget()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real inputs that may lie beside the checkout; tests that use them skip where they are absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared inputs are not beside this checkout")
    return folder
