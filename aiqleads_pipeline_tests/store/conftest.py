"""One embedded server for the test session; a migrated database of its own for each test, copied from a template."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from resources.store.database import Store
from resources.store.server import EmbeddedServer

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(tmp_path_factory.mktemp("store_home")).start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def make_database(server: EmbeddedServer) -> Iterator[Callable[[str], str]]:
    """Makes an empty database (copied from the one named) and returns its URL."""
    admin = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")

    def make(template: str = "template1") -> str:
        name = f"test_{next(_numbers)}"
        with admin.connect() as con:
            con.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        return server.url(name)

    yield make
    admin.dispose()


@pytest.fixture(scope="session")
def template(make_database: Callable[[str], str]) -> str:
    """The name of a migrated database that nobody is connected to."""
    url = make_database("template1")
    with Store.open(url, Path("/nonexistent")) as store:
        store.migrate()
    return str(make_url(url).database)


@pytest.fixture
def empty_database_url(make_database: Callable[[str], str]) -> str:
    return make_database("template1")


@pytest.fixture
def store(make_database: Callable[[str], str], template: str) -> Iterator[Store]:
    with Store.open(make_database(template), Path("/nonexistent")) as store:
        yield store
