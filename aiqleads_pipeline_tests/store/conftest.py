"""One embedded server for the test session; a migrated database of its own for each test, copied from a template."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from resources.store.database import Store
from resources.store.server import EmbeddedServer

_numbers = itertools.count(1)


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder for a server's home. Not pytest's: run as root, each session closes the folders above to the server's
    user again, and another session may begin at any time."""
    with tempfile.TemporaryDirectory(prefix="aiqleads-test-") as folder:
        yield Path(folder)


@pytest.fixture
def fresh_home() -> Iterator[Path]:
    with private_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home whose server each test starts and stops; creating one costs a second."""
    with private_folder() as folder:
        yield folder
        EmbeddedServer(folder).start().close()


def spare_the_disk(server: EmbeddedServer) -> None:
    """What needn't outlive the machine waits for no disk."""
    conf = server.home / "pg" / "local.conf"
    conf.write_text("fsync = off\n")
    conf.chmod(0o644)
    admin = create_engine(server.url("postgres"))
    with admin.connect() as con:
        con.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    with private_folder() as folder:
        server = EmbeddedServer(folder).start()
        spare_the_disk(server)
        yield server
        server.close()


@pytest.fixture(scope="session")
def make_database(server: EmbeddedServer) -> Iterator[Callable[[str], str]]:
    """Makes an empty database (copied from the one named) and returns its URL."""
    admin = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")

    def make(template: str = "template1") -> str:
        name = f"test_{next(_numbers)}"
        with admin.connect() as con:
            con.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
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
