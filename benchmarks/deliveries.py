"""Speed of deliveries: webhooks per second of one worker, and what a dead destination does to others.

    python -m benchmarks.deliveries share       share of a bare loop of the same HTTP client (goal: at least 50 %)
    python -m benchmarks.deliveries beside      p99 of a destination alone, and beside dead ones (goal: below 1.2 x)

Each number is the median of several rounds, which take turns with what they are held against.
"""

from __future__ import annotations

import argparse
import base64
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text

from aiqleads_pipeline.delivering.kinds import build
from aiqleads_pipeline.delivering.worker import Worker
from aiqleads_pipeline.outside import Outside, close, open_outside
from aiqleads_pipeline.rules.destinations import load_destinations
from aiqleads_pipeline.settings import Settings
from benchmarks.receiver import light_receiver
from resources.destinations import Parcel
from resources.http import Limits
from resources.store import notices

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
BODY = {"number": 1, "contact": {"full_name": "Ada Lovelace", "email": "ada@example.com"}, "text": "x" * 900}
LATENCIES = """
SELECT extract(epoch FROM d.delivered_at - d.created_at) FROM aiqleads.deliveries AS d
WHERE d.destination = :destination AND d.state = 'delivered' AND d.created_at >= :since
"""


@contextmanager
def place(rules: str) -> Iterator[Outside]:
    """An embedded home with these destinations."""
    os.environ["AIQLEADS_SECRET__HOOK"] = SECRET
    with tempfile.TemporaryDirectory(prefix="aiqleads-bench-") as folder:
        (Path(folder) / "rules").mkdir()
        (Path(folder) / "rules" / "destinations.yaml").write_text(f"destinations:\n{rules}", encoding="utf-8")
        settings = Settings(HOME=Path(folder) / "home", RULES_DIR=Path(folder) / "rules", EGRESS_ALLOW_LOOPBACK=True)
        outside = open_outside(settings)
        try:
            yield outside
        finally:
            close(outside)


def post(outside: Outside, count: int, *names: str, priority: int = 2) -> None:
    """Notices as large as a lead."""
    with outside.store.transaction("bench:post") as con:
        now = outside.settings.now()
        for _ in range(count):
            notices.post(con, "lead.routed", BODY, names, priority, now)


def bare_per_second(outside: Outside, url: str, count: int) -> float:
    """A loop of the same client: the same body and headers, one after the other."""
    rule = load_destinations(outside.settings.rules_dir).sent["hook"]
    built = build(rule, outside)
    limits = Limits(max_redirects=0, max_retries=0, max_body_bytes=64 << 10)
    body = b"x" * 1200
    headers = {"webhook-id": str(uuid4()), "webhook-timestamp": "1", "webhook-signature": "v1,x" * 12}
    headers["Content-Type"] = "application/json"
    began = time.perf_counter()
    for _ in range(count):
        built.client.call("POST", url, headers=headers, body=body, limits=limits, may_repeat=True)
    taken = time.perf_counter() - began
    built.close()
    return count / taken


def signed_per_second(outside: Outside, count: int) -> float:
    """The destination alone: body, signature and request, without a store."""
    rule = load_destinations(outside.settings.rules_dir).sent["hook"]
    built = build(rule, outside)
    now = outside.settings.now()
    began = time.perf_counter()
    for _ in range(count):
        built.destination.deliver([Parcel(uuid4(), uuid4(), "hook", 1, 1, now, BODY)], timeout_seconds=10)
    taken = time.perf_counter() - began
    built.close()
    return count / taken


def worker_per_second(outside: Outside, count: int) -> float:
    """The worker, from the store to the last mark."""
    post(outside, count, "hook")
    with Worker(outside) as worker:
        worker.tick()
        began = time.perf_counter()
        worker.drain(60)
        taken = time.perf_counter() - began
    with outside.store.read() as con:
        left = con.execute(text("SELECT count(*) FROM aiqleads.outbox WHERE state <> 'delivered'")).scalar_one()
    if left:
        raise SystemExit(f"{left} deliveries were not made")
    return count / taken


def share(count: int, rounds: int, concurrency: int) -> None:
    """The worker's share of a bare loop."""
    with light_receiver() as port:
        url = f"http://127.0.0.1:{port}/in"
        hook = f"  - {{name: hook, kind: webhook, url: '{url}', secret: HOOK, concurrency: {concurrency}}}\n"
        with place(hook) as outside:
            bare_per_second(outside, url, 200)
            worker_per_second(outside, 200)
            found = [
                (
                    bare_per_second(outside, url, count),
                    signed_per_second(outside, count),
                    worker_per_second(outside, count),
                )
                for _ in range(rounds)
            ]
    bare, signed, worker = (statistics.median(each) for each in zip(*found, strict=True))
    shares = sorted(each[2] / each[0] for each in found)
    print(f"bare loop {bare:,.0f}/s; destination alone {signed:,.0f}/s; worker {worker:,.0f}/s")
    print(f"share of the bare loop: {statistics.median(shares):.0%} ({shares[0]:.0%} to {shares[-1]:.0%})")


def beside(count: int, rounds: int) -> None:
    """p99 from intent to delivery of a good destination: alone, and with five that hang."""
    hanging = socket.socket()
    hanging.bind(("127.0.0.1", 0))
    hanging.listen(512)
    with light_receiver() as port:
        rules = f"  - {{name: good, kind: webhook, url: 'http://127.0.0.1:{port}/in', secret: HOOK}}\n"
        dead_url = f"http://127.0.0.1:{hanging.getsockname()[1]}/in"
        dead = [f"dead{number}" for number in range(5)]
        rules += "".join(
            f"  - {{name: {name}, kind: webhook, url: '{dead_url}', secret: HOOK, timeout_seconds: 3}}\n"
            for name in dead
        )
        with place(rules) as outside:
            alone, burdened = [], []
            for turn in range(rounds):
                alone.append(_p99(outside, count))
                post(outside, 300, *dead, priority=1 + turn % 4)
                burdened.append(_p99(outside, count))
                with outside.store.transaction("bench:clear") as con:
                    con.execute(text("DELETE FROM aiqleads.outbox WHERE destination <> 'good'"))
    hanging.close()
    one, other = statistics.median(alone), statistics.median(burdened)
    print(f"p99 alone {1000 * one:.0f} ms; beside five that hang {1000 * other:.0f} ms: {other / one:.2f} x")


def _p99(outside: Outside, count: int) -> float:
    """Leads trickle in for some seconds; p99 of the time from intent to delivery, in seconds."""
    since = outside.settings.now()
    stop = threading.Event()
    with Worker(outside) as worker:
        running = threading.Thread(target=worker.run, args=(stop,))
        running.start()
        time.sleep(0.5)
        for _ in range(count):
            post(outside, 1, "good")
            time.sleep(0.005)
        time.sleep(0.5)
        stop.set()
        running.join()
    with outside.store.read() as con:
        found = sorted(con.execute(text(LATENCIES), {"destination": "good", "since": since}).scalars())
    return float(found[int(len(found) * 0.99)])


def main() -> int:
    """One of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("share", "beside"))
    parser.add_argument("--count", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=4)
    given = parser.parse_args()
    if given.part == "share":
        share(given.count or 2000, given.rounds, given.concurrency)
    else:
        beside(given.count or 400, given.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
