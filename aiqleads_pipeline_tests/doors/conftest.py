"""Real services on loopback: `aiqleads serve` as a process, on a database of its own in one embedded server."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline_tests.doors.http_world import Site
from aiqleads_pipeline_tests.doors.scrape_world import Scraper, Web
from resources.store.database import Store
from resources.store.server import EmbeddedServer

_numbers = itertools.count(1)


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """The first true value of ``condition``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("the state did not come about in time")


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """The body's document."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The problem's code."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        return str(self.json["code"])


@dataclass
class Service:
    """A running `aiqleads serve`."""

    process: subprocess.Popen[str]
    port: int
    home: Path
    store: Store = field(repr=False)

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str, key: str | None = None, **headers: str) -> Reply:
        """A GET, with a key if one is given."""
        return self.ask("GET", path, headers=({"Authorization": f"Bearer {key}"} if key else {}) | headers)

    def status(self, path: str) -> int | None:
        """A GET's status; None if the connection fails."""
        try:
            return self.get(path).status
        except OSError:
            return None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def serving(database_url: str | None, home: Path, *arguments: str, **settings: Any) -> Iterator[Service]:
    """A service of these settings (``AIQLEADS_*`` without the prefix), ready for requests unless it can't be."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIQLEADS_")}
    environment |= {name if "__" in name else f"AIQLEADS_{name}": str(value) for name, value in settings.items()}
    environment["AIQLEADS_HOME"] = str(home)
    if database_url is not None:
        environment["AIQLEADS_DATABASE_URL"] = database_url
    command = [sys.executable, "-W", "error", "-m", "aiqleads_pipeline.cli", "serve", "--port", "0", *arguments]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = next((line for line in process.stderr if line.startswith("API ")), "")
    assert said, "the service did not start"
    store = Store.open(database_url, home)
    service = Service(process, int(said.rsplit(":", 1)[1]), home, store)
    try:
        wait_for(lambda: service.status("/healthz"))
        yield service
    finally:
        service.stop()
        process.stderr.close()
        store.close()


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder for a home; not pytest's, whose parents are closed to the database's user."""
    with tempfile.TemporaryDirectory(prefix="aiqleads-doors-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def database_server() -> Iterator[EmbeddedServer]:
    """One PostgreSQL for all tests of the doors. It needn't outlive the machine: no waits for the disk."""
    with private_folder() as folder:
        server = EmbeddedServer(folder).start()
        conf = folder / "pg" / "local.conf"
        conf.write_text("fsync = off\n")
        conf.chmod(0o644)
        admin = create_engine(server.url("postgres"))
        with admin.connect() as con:
            con.execute(text("SELECT pg_reload_conf()"))
        admin.dispose()
        yield server
        server.close()


@pytest.fixture(scope="session")
def make_database(database_server: EmbeddedServer) -> Iterator[Callable[[], str]]:
    """Makes a migrated database of its own and returns its URL."""
    admin = create_engine(database_server.url("postgres"), isolation_level="AUTOCOMMIT")

    def make(template: str = "template1") -> str:
        name = f"doors_{next(_numbers)}"
        with admin.connect() as con:
            con.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
        return database_server.url(name)

    url = make()
    with Store.open(url, Path("/nonexistent")) as store:
        store.migrate()
    template = str(make_url(url).database)
    yield lambda: make(template)
    admin.dispose()


@pytest.fixture
def store(make_database: Callable[[], str]) -> Iterator[Store]:
    """A migrated store of one test."""
    with Store.open(make_database(), Path("/nonexistent")) as store:
        yield store


@pytest.fixture(scope="session")
def service(make_database: Callable[[], str]) -> Iterator[Service]:
    """The service that most tests share: each uses clients and keys of its own."""
    with private_folder() as home, serving(make_database(), home, API_TRUST_SECONDS=0.5) as service:
        yield service


@pytest.fixture
def web():
    return Web()


@pytest.fixture
def site(web):
    with Site(web.answer) as site:
        yield site


@pytest.fixture(scope="session")
def scrape_database(make_database):
    """One database for all tests of crawls, emptied by each."""
    return make_database()


@pytest.fixture
def scraper_of(scrape_database, tmp_path):
    made = []
    with Store.open(scrape_database, Path("/nonexistent")) as store, store.transaction("test:empty") as con:
        tables = ("scrapes", "scrape_pages", "drops", "batches", "alerts")
        con.exec_driver_sql(f"TRUNCATE {', '.join(f'aiqleads.{table}' for table in tables)} CASCADE")

    def make(**settings):
        (tmp_path / "rules").mkdir(exist_ok=True)
        given = {"EGRESS_ALLOW_LOOPBACK": True, **settings}
        url = SecretStr(scrape_database)
        outside = Outside(Settings(HOME=tmp_path / "home", DATABASE_URL=url, RULES_DIR=tmp_path / "rules", **given))
        made.append(outside)
        return Scraper(outside, tmp_path / "rules")

    yield make
    for outside in made:
        outside.store.close()


@pytest.fixture
def scraper(scraper_of):
    return scraper_of()
