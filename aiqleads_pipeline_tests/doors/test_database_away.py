"""The database stops, is killed, comes back; the disk is full: 503 at once, no false 2xx, and it heals by itself."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

from aiqleads_pipeline.doors.breaker import (
    DATABASE_AWAY,
    DISK_FULL,
    LEAST_PATIENCE_SECONDS,
    MOST_PATIENCE_SECONDS,
    Breaker,
    Patience,
    reason_of,
)
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline_tests.doors.conftest import Reply, Service, private_folder, serving, wait_for
from resources.store import keys
from resources.store.database import Store
from resources.store.errors import StoreUnavailable
from resources.store.server import EmbeddedServer

HEALED_SECONDS = 60


@pytest.fixture(scope="module")
def homely() -> Iterator[Service]:
    """A service on the embedded database of a home of its own: this one may be stopped and killed."""
    with private_folder() as home, serving(None, home, PIPELINE_CONFIG__RATE_LIMIT_MAX=1_000_000) as service:
        yield service


@dataclass
class Senders:
    """Clients that send one lead after the other and keep a log of what they were told."""

    service: Service
    api_key: str
    accepted: set[str] = field(default_factory=set)
    others: list[tuple[int, str | None, float]] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __enter__(self) -> Senders:
        self._threads = [threading.Thread(target=self._send) for _ in range(6)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        while not self._stop.is_set():
            tag = f"{os.getpid()}x{time.monotonic_ns()}x{next(self._numbers)}"
            lead = {"email": f"ann@c{tag}.com", "last_name": f"Birch{tag}", "company_name": f"C{tag}"}
            headers = {"X-API-Key": self.api_key, "Content-Type": "application/json"}
            began = time.monotonic()
            try:
                reply = self.service.ask("POST", "/v1/leads", json.dumps(lead), headers)
            except OSError as error:
                self.failed.append(error)
                continue
            if reply.status == 202:
                self.accepted.add(reply.json["lead_id"])
            else:
                self.others.append((reply.status, reply.headers["retry-after"], time.monotonic() - began))


def database_processes(home: Path) -> list[psutil.Process]:
    postmaster = psutil.Process(int((home / "pg" / "postmaster.pid").read_text().split()[0]))
    return [postmaster, *postmaster.children(recursive=True)]


@contextmanager
def away(home: Path, how: signal.Signals) -> Iterator[None]:
    """The database stopped or killed; stopped processes go on at the end, whatever happened."""
    processes = database_processes(home)
    for process in processes:
        process.send_signal(how)
    try:
        yield
    finally:
        if how == signal.SIGSTOP:
            for process in processes:
                process.send_signal(signal.SIGCONT)


def kept(service: Service) -> set[str]:
    with service.store.read() as con:
        return {str(lead_id) for lead_id in con.execute(text("SELECT lead_id FROM aiqleads.intake")).scalars()}


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_a_database_that_goes_away_under_requests(homely: Service, how: signal.Signals) -> None:
    key = keys.create_key(homely.store, f"away{how}", "client", datetime.now(UTC)).api_key
    refused: list[float] = []
    with Senders(homely, key) as senders:
        wait_for(lambda: len(senders.accepted) > 20)
        with away(homely.home, how):
            if how == signal.SIGSTOP:  # a killed one is started again by whoever needs it
                wait_for(lambda: homely.status("/readyz") == 503)
                assert homely.get("/readyz").code == DATABASE_AWAY
                assert homely.status("/healthz") == 200
                before = len(senders.others)
                wait_for(lambda: len(senders.others) > before + 50)
                refused = sorted(seconds for _, _, seconds in senders.others[before + 10 :])
            accepted = len(senders.accepted)
        wait_for(lambda: len(senders.accepted) > accepted + 20, HEALED_SECONDS)
        wait_for(lambda: homely.status("/readyz") == 200)
    assert senders.failed == []
    assert {status for status, _, _ in senders.others} <= {503}
    assert all(retry_after == "1" for _, retry_after, _ in senders.others)
    # Refused in memory, so that nobody waits: 2 ms each, against the 100 that are promised.
    assert not refused or refused[len(refused) // 2] < 0.1
    assert senders.accepted <= kept(homely)


def test_ctrl_c_ends_the_service_with_status_0_and_its_database_with_it(homely: Service) -> None:
    homely.store.close()  # the test is no user of the embedded database any more
    processes = database_processes(homely.home)
    assert homely.stop(signal.SIGINT) == 0
    wait_for(lambda: not any(process.is_running() for process in processes))


def test_a_database_that_is_away_at_the_start_is_waited_for() -> None:
    with private_folder() as folder, private_folder() as home:
        server = EmbeddedServer(folder).start()
        url = server.url()
        server.close()
        with serving(url, home) as service:
            assert service.get("/readyz").code == DATABASE_AWAY
            refused = service.get("/v1/whoami", "aiq_aaaaaaaaaaaa." + "A" * 43)
            assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, DATABASE_AWAY, "1")
            with closing(EmbeddedServer(folder).start()):
                wait_for(lambda: service.status("/readyz") == 200, HEALED_SECONDS)
                assert service.get("/v1/whoami", "aiq_aaaaaaaaaaaa." + "A" * 43).status == 401
                service.stop()


def test_too_little_room_opens_the_breaker_before_the_disk_is_full(store: Store) -> None:
    assert breaker_on(store).probe(None) is None
    assert breaker_on(store, API_DISK_RESERVE_MB=1_048_576).probe(None) == DISK_FULL


def breaker_on(store: Store, **settings: int) -> Breaker:
    outside = Outside(Settings(HOME=Path(tempfile.gettempdir()), **settings))  # type: ignore[arg-type]
    outside.__dict__["store"] = store
    return Breaker(outside)


@pytest.fixture
def small_store(database_server: EmbeddedServer, make_database: Callable[[], str]) -> Iterator[tuple[Store, Path]]:
    """A store whose tables lie on a disk of 32 MB."""
    with private_folder() as folder:
        disk = folder / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(disk)]
        if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
            pytest.skip("mounting a small disk needs more rights")
        place = disk / "tables"
        place.mkdir()
        postgres = psutil.Process(int((database_server.home / "pg" / "postmaster.pid").read_text().split()[0]))
        os.chown(place, postgres.uids().real, postgres.gids().real)
        folder.chmod(0o755)
        disk.chmod(0o755)
        admin = create_engine(database_server.url("postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as con:
            con.execute(text(f"CREATE TABLESPACE small LOCATION '{place}'"))
            con.execute(text("CREATE DATABASE small TEMPLATE template1 TABLESPACE small"))
        with Store.open(database_server.url("small"), Path("/nonexistent")) as store:
            store.migrate()
            yield store, disk
        with admin.connect() as con:
            con.execute(text("DROP DATABASE small WITH (FORCE)"))
            con.execute(text("DROP TABLESPACE small"))
        admin.dispose()
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_503_until_there_is_room(small_store: tuple[Store, Path]) -> None:
    store, disk = small_store
    key = keys.create_key(store, "disk", "client", datetime.now(UTC)).api_key
    with store.transaction("test:fill") as con:
        con.execute(text("CREATE TABLE ballast (bytes text)"))
    with private_folder() as home, serving(store.url, home) as service:
        assert service.get("/v1/whoami", key).status == 200
        fill = text("INSERT INTO ballast SELECT repeat(md5(n::text), 60) FROM generate_series(1, :count) AS n")
        for count in (1000, 50, 1):  # ever smaller pieces, until not one page is left
            with pytest.raises(StoreUnavailable) as full:
                while True:
                    with store.transaction("test:fill") as con:
                        con.execute(fill, {"count": count})
            assert reason_of(full.value) == DISK_FULL

        def post() -> Reply:
            lead = {"email": "ann@alder-works.com", "last_name": "Alder"}
            return service.ask(
                "POST", "/v1/leads", json.dumps(lead), {"X-API-Key": key, "Content-Type": "application/json"}
            )

        refused = post()
        assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, DISK_FULL, "1")
        assert service.get("/readyz").code == DISK_FULL
        assert post().code == DISK_FULL
        assert kept(service) == set()
        subprocess.run(["mount", "-o", "remount,size=96m", str(disk)], check=True)
        wait_for(lambda: service.status("/readyz") == 200)
        assert post().status == 202
        assert len(kept(service)) == 1


def test_only_what_concerns_all_opens_the_breaker() -> None:
    class Said(Exception):
        def __init__(self, sqlstate: str | None) -> None:
            self.sqlstate = sqlstate

    def unavailable(sqlstate: str | None) -> StoreUnavailable:
        error = StoreUnavailable("x")
        error.__cause__ = Said(sqlstate)
        return error

    assert {state: reason_of(unavailable(state)) for state in ("40P01", "40001", "55P03")} == dict.fromkeys(
        ("40P01", "40001", "55P03")
    )
    assert {reason_of(unavailable(state)) for state in (None, "08006", "57P01", "57P03", "53300")} == {DATABASE_AWAY}
    assert reason_of(unavailable("53100")) == reason_of(OSError(28, "no space")) == DISK_FULL
    assert reason_of(OSError(2, "no file")) is reason_of(ValueError("x")) is None


def test_a_fast_database_is_missed_within_a_moment_and_a_slow_one_is_waited_for() -> None:
    patience = Patience()
    assert patience.seconds == pytest.approx(MOST_PATIENCE_SECONDS)  # nothing is known of it yet
    for _ in range(150):
        patience.note(0.001)
    assert patience.seconds == LEAST_PATIENCE_SECONDS
    patience.note(0.03)
    assert patience.seconds == pytest.approx(4 * 0.03)
    patience.note(5)  # as slow as that it was away: it does not make the next time longer than half a second
    assert patience.seconds == pytest.approx(MOST_PATIENCE_SECONDS)
    for _ in range(150):
        patience.note(0.001)
    assert patience.seconds == LEAST_PATIENCE_SECONDS


def test_an_answer_that_stays_away_opens_the_breaker_and_another_one_does_not(store: Store) -> None:
    async def watched(is_working: bool) -> int:
        breaker, hang = breaker_on(store), threading.Event()
        probe = breaker.probe
        await breaker.start()
        breaker._patience.note = lambda seconds: None  # type: ignore[method-assign]
        breaker.probe = lambda reason: (hang.wait(5) and None) or probe(reason)  # type: ignore[method-assign]
        opened = asyncio.Event()
        breaker.on_change(lambda _reason: opened.set())
        for _ in range(100):
            if is_working:
                breaker.note_answer()
            with suppress(TimeoutError):
                await asyncio.wait_for(opened.wait(), 0.01)
        count = breaker.opened_count
        breaker.stop()
        hang.set()
        return count

    assert asyncio.run(watched(is_working=True)) == 0
    assert asyncio.run(watched(is_working=False)) == 1
