"""Measures the doors: posts accepted per second as a share of a bare ASGI "hello", their latency, leads by batches.

Belongs here: a load generator in a process of its own (keep-alive connections, one request after the other on each),
the hello, starting and ending the service. Run as ``python -m benchmarks.doors``.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

CONNECTIONS = 64
SECONDS = 8.0
BATCH_LEADS = 1000
HELLO = ["-m", "uvicorn", "--factory", "benchmarks.doors:hello_app", "--loop", "uvloop", "--http", "httptools",
         "--no-access-log", "--log-level", "warning", "--lifespan", "off", "--port"]  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """Requests answered per second, by status, and latency in milliseconds."""

    per_second: float
    statuses: dict[int, int]
    p50_ms: float
    p99_ms: float


def hello_app() -> Any:
    """What a server costs that does nothing."""

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello"})

    return app


class _Connection(asyncio.Protocol):
    """Sends the next request when the answer to the last is whole."""

    def __init__(self, load: _Load) -> None:
        self._load, self._buffer = load, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        start = self._buffer.lower().find(b"content-length: ", 0, head) + 16
        length = int(self._buffer[start : self._buffer.index(b"\r\n", start)])
        if len(self._buffer) < head + 4 + length:
            return
        self._load.note(int(self._buffer[9:12]), time.perf_counter() - self._sent_at)
        self._buffer = b""
        self._next()

    def _next(self) -> None:
        if time.perf_counter() >= self._load.until:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(self._load.make_request())


class _Load:
    def __init__(self, make_request: Callable[[], bytes], seconds: float) -> None:
        self.make_request, self._seconds = make_request, seconds
        self.statuses: dict[int, int] = {}
        self._latencies: list[float] = []

    def note(self, status: int, seconds: float) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self._latencies.append(seconds)

    async def run(self, port: int, connections: int) -> Measured:
        loop = asyncio.get_running_loop()
        began_at = time.perf_counter()
        self.until = began_at + self._seconds
        pairs = [await loop.create_connection(lambda: _Connection(self), "127.0.0.1", port) for _ in range(connections)]
        while not all(transport.is_closing() for transport, _ in pairs):
            await asyncio.sleep(0.05)
        took = time.perf_counter() - began_at
        ordered = sorted(self._latencies)
        at = [round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1) for share in (0.5, 0.99)]
        return Measured(round(len(ordered) / took, 1), self.statuses, at[0], at[1])


def _generate(port: int, kind: str, key: str, connections: int, seconds: float, answer: Any) -> None:
    numbers = itertools.count(int.from_bytes(os.urandom(3), "big") * 10_000_000)
    path, make_body = {
        "hello": ("/", lambda: b"x" * 300),
        "lead": ("/v1/leads", lambda: _lead(next(numbers))),
        "batch": ("/v1/leads/batch", lambda: b"[" + b",".join(_lead(next(numbers)) for _ in range(BATCH_LEADS)) + b"]"),
    }[kind]
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: "

    def make_request() -> bytes:
        body = make_body()
        return head.encode() + b"%d\r\n\r\n" % len(body) + body

    answer.send(uvloop.run(_Load(make_request, seconds).run(port, connections)))


def _lead(number: int) -> bytes:
    return (
        b'{"external_id":"L%d","first_name":"Ann","last_name":"Birch","email":"ann.birch%d@example-%d.com",'
        b'"phone":"+1415%07d","company_name":"Acme %d Inc","job_title":"Head of Sales","country":"US","region":"CA",'
        b'"postal_code":"94107","employee_count":120,"message":"Please send an offer for 20 seats.",'
        b'"consent":true,"created_at":"2026-01-02T10:00:00Z"}'
    ) % (number, number, number % 50_000, 2_000_000 + number % 7_999_999, number)


def measure(port: int, kind: str, key: str = "", connections: int = CONNECTIONS, seconds: float = SECONDS) -> Measured:
    """Load a server from a process of its own."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_generate, args=(port, kind, key, connections, seconds, theirs)
    )
    process.start()
    theirs.close()
    found: Measured = ours.recv()
    process.join()
    return found


@contextmanager
def _hello() -> Iterator[tuple[int, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, *HELLO, str(port)])
    try:
        _wait_until_open(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def _wait_until_open(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("the server does not listen")


@contextmanager
def service_under_load(home: Path) -> Iterator[tuple[int, str, int]]:
    """Port, key and process id of ``aiqleads serve`` with one worker."""
    environment = {**os.environ, "AIQLEADS_HOME": str(home), "PIPELINE_CONFIG__RATE_LIMIT_MAX": "100000000"}
    cli = [sys.executable, "-m", "aiqleads_pipeline.cli"]
    process = subprocess.Popen([*cli, "serve", "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = next(line for line in process.stderr if line.startswith("API "))
    made = subprocess.run(
        [*cli, "keys", "create", "--client", "bench", "--role", "client", "--json"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    try:
        _wait_until_open(int(said.rsplit(":", 1)[1]))
        yield int(said.rsplit(":", 1)[1]), json.loads(made.stdout)["api_key"], process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        process.stderr.close()


def _resident_mib(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def _cpu_us(pid: int) -> float:
    """Microseconds of processor time of a process so far: what other work on the machine does not change."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1e6 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    seconds = parser.parse_args().seconds
    with _hello() as (port, pid):
        measure(port, "hello", seconds=1)
        before_us = _cpu_us(pid)
        hello = measure(port, "hello", seconds=seconds / 2)
        cpu_us = (_cpu_us(pid) - before_us) / sum(hello.statuses.values())
    print(f"hello   {hello.per_second:>9,.0f} a second  p99 {hello.p99_ms} ms  {hello.statuses}  {cpu_us:.0f} us each")
    with (
        tempfile.TemporaryDirectory(prefix="aiqleads-bench-") as folder,
        service_under_load(Path(folder)) as (port, key, pid),
    ):
        measure(port, "lead", key, seconds=1)
        before_us = _cpu_us(pid)
        lead = measure(port, "lead", key, seconds=seconds)
        cpu_us = (_cpu_us(pid) - before_us) / sum(lead.statuses.values())
        share = 100 * lead.statuses.get(202, 0) / sum(lead.statuses.values()) * lead.per_second / hello.per_second
        print(
            f"leads   {lead.per_second:>9,.0f} a second  p50 {lead.p50_ms} ms  p99 {lead.p99_ms} ms  {lead.statuses}"
            f"  {share:.1f} % of hello, {cpu_us:.0f} us of processor time each"
        )
        before_us = _cpu_us(pid)
        batch = measure(port, "batch", key, connections=4, seconds=seconds)
        print(
            f"batches {batch.per_second * BATCH_LEADS:>9,.0f} leads a second  p99 {batch.p99_ms} ms  {batch.statuses}"
            f"  {(_cpu_us(pid) - before_us) / sum(batch.statuses.values()) / BATCH_LEADS:.0f} us each"
        )
        print(f"memory  {_resident_mib(pid):>9,} MiB resident at the end")


if __name__ == "__main__":
    main()
