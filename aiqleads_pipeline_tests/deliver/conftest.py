"""A store of its own for each test, copied from a template in one embedded server; receivers on loopback."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from aiqleads_pipeline_tests.deliver.delivery_world import Receiver, World
from aiqleads_pipeline_tests.store.conftest import spare_the_disk
from resources.store.database import Store
from resources.store.server import EmbeddedServer

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def delivery_server() -> Iterator[EmbeddedServer]:
    with tempfile.TemporaryDirectory(prefix="aiqleads-test-") as folder:
        server = EmbeddedServer(Path(folder)).start()
        spare_the_disk(server)
        yield server
        server.close()


@pytest.fixture(scope="session")
def new_database(delivery_server: EmbeddedServer) -> Iterator[Callable[[], str]]:
    """Makes a migrated database and returns its URL."""
    admin = create_engine(delivery_server.url("postgres"), isolation_level="AUTOCOMMIT")

    def make(template: str) -> str:
        name = f"deliver_{next(_numbers)}"
        with admin.connect() as con:
            con.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
        return delivery_server.url(name)

    url = make("template1")
    with Store.open(url, Path("/nonexistent")) as store:
        store.migrate()
    migrated = str(make_url(url).database)
    yield lambda: make(migrated)
    admin.dispose()


@pytest.fixture
def world(new_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(new_database(), tmp_path, monkeypatch)
    yield made
    made.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made
