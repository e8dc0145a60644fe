"""`aiqleads serve` as a process: workers share one port, the end answers what was begun, nobody is left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from aiqleads_pipeline.commands.serve import connections_each, is_loopback, serve_doors
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import Settings, SettingsError
from aiqleads_pipeline_tests.doors.conftest import Reply, Service, private_folder, serving, wait_for
from resources.store import keys


def workers_of(service: Service) -> list[psutil.Process]:
    """The worker processes that live."""
    children = psutil.Process(service.process.pid).children()
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "--multiprocessing-fork" in child.cmdline()]


def test_workers_share_port_keys_and_numbers_are_replaced_and_leave_nobody_behind(
    make_database: Callable[[], str],
) -> None:
    limits = {"PIPELINE_CONFIG__RATE_LIMIT_MAX": 5, "PIPELINE_CONFIG__RATE_LIMIT_WINDOW": 4}
    with private_folder() as home, serving(make_database(), home, "--workers", "2", **limits) as pair:
        wait_for(lambda: len(workers_of(pair)) == 2)
        key = keys.create_key(pair.store, "acme", "client", datetime.now(UTC)).api_key
        assert_limit_is_kept(pair, key)
        form = f"grant_type=client_credentials&client_id={key.partition('.')[0]}&client_secret={key}"
        type_ = {"Content-Type": "application/x-www-form-urlencoded"}
        token = pair.ask("POST", "/oauth/token", form, type_).json["access_token"]
        assert {pair.get("/v1/whoami", token).status for _ in range(20)} == {200}  # whichever worker it meets
        counted = 'aiqleads_requests_total{method="GET",route="/v1/whoami",status="200"} 20.0'
        assert all(counted in pair.get("/metrics").body.decode() for _ in range(6))
        first = workers_of(pair)[0]
        first.kill()
        wait_for(lambda: first not in workers_of(pair) and len(workers_of(pair)) == 2)
        wait_for(lambda: all(pair.status("/healthz") == 200 for _ in range(5)))
        workers = workers_of(pair)
        pair.stop(signal.SIGKILL)
        wait_for(lambda: all(is_gone(worker) for worker in workers))


def assert_limit_is_kept(pair: Service, key: str) -> None:
    """Five leads in four seconds, whichever worker they meet; and Retry-After keeps its word at the first try."""

    def post(path: str, *numbers: int) -> Reply:
        leads = [{"email": f"ann@alder{n}-works.com", "last_name": f"Alder{n}"} for n in numbers]
        body = json.dumps(leads if path.endswith("batch") else leads[0])
        return pair.ask("POST", path, body, {"X-API-Key": key, "Content-Type": "application/json"})

    assert post("/v1/leads/batch", 1, 2, 3, 4).status == 200
    last = post("/v1/leads", 5)
    assert (last.status, last.headers["ratelimit-remaining"]) == (202, "0")
    refused = post("/v1/leads", 6)
    assert (refused.status, refused.code) == (429, "rate_limited")
    time.sleep(int(refused.headers["retry-after"]))
    assert post("/v1/leads", 6).status == 202


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_the_end_waits_for_the_request_that_was_begun(make_database: Callable[[], str]) -> None:
    with private_folder() as home, serving(make_database(), home) as service:
        key = keys.create_key(service.store, "acme", "client", datetime.now(UTC)).api_key
        lead = json.dumps({"email": "ann@alder-works.com", "last_name": "Alder"}).encode()
        head = f"POST /v1/leads HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
        with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
            connection.sendall(f"{head}Content-Length: {len(lead)}\r\n\r\n".encode() + lead[:10])
            wait_for(lambda: "aiqleads_requests_at_work 1.0" in service.get("/metrics").body.decode())
            service.process.send_signal(signal.SIGTERM)
            wait_for(lambda: service.status("/healthz") is None)  # takes no more connections,
            connection.sendall(lead[10:])
            answer = b"".join(iter(lambda: connection.recv(65536), b""))  # but finishes this one
        assert answer.startswith(b"HTTP/1.1 202 ")
        assert service.process.wait(20) == 0
        lead_id = json.loads(answer.partition(b"\r\n\r\n")[2])["lead_id"]
        with service.store.read() as con:
            kept = con.exec_driver_sql("SELECT lead_id::text FROM aiqleads.intake").scalars().all()
        assert kept == [lead_id]
        [used] = keys.list_keys(service.store, "acme")
        assert used.last_used_at is not None  # noted at the end at the latest, never per request


def test_a_taken_port_is_named_in_one_line(service: Service, tmp_path: Path) -> None:
    environment = os.environ | {"AIQLEADS_HOME": str(tmp_path), "AIQLEADS_DATABASE_URL": service.store.url}
    command = [sys.executable, "-m", "aiqleads_pipeline.cli", "serve", "--port", str(service.port)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        f"aiqleads: 127.0.0.1:{service.port} can't be listened on (Address already in use): "
        "choose another --host or --port\n"
    )


def test_wrong_settings_stop_the_start(tmp_path: Path) -> None:
    outside = Outside(Settings(HOME=tmp_path, OUTSIDE_ISSUER="https://id.example"))
    with pytest.raises(SettingsError, match="AIQLEADS_OUTSIDE_JWKS"):
        serve_doors(outside, "127.0.0.1", 0, 2, say=print)
    assert "store" not in outside.__dict__


@pytest.mark.parametrize(("workers", "each"), [(2, 15), (3, 15), (6, 9), (14, 4)])
def test_workers_share_the_connections_that_the_database_takes(workers: int, each: int) -> None:
    assert connections_each(97, workers, 15) == each


def test_too_many_workers_for_the_database_are_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="takes 97 connections, enough for 14 workers, not 15"):
        connections_each(97, 15, 15)


def test_only_loopback_is_within_this_host() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.5", "example.com")] == [False] * 4
