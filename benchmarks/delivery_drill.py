"""The drill of deliveries: 5,000 of them through workers that are killed, lost answers and duplicated claims.

    python -m benchmarks.delivery_drill --seeds 1,2,3,4,5

Measured at an idempotent receiver: every lead has exactly one effect. Workers die by SIGKILL at every point (claimed,
sent, answer read, marked) and in the middle of a request; the receiver drops answers of work that it has done, fails,
and holds of live workers run out, so that others claim the same. Prints one line per seed; exit status 1 if anything
was lost or done twice.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import multiprocessing
import os
import random
import signal
import socketserver
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from aiqleads_pipeline.outside import close, open_outside
from aiqleads_pipeline.settings import Settings
from resources.store import notices
from resources.store.notices import Notice

POINTS = (
    "before:store:claim_deliveries", "after:store:claim_deliveries", "before:deliver", "after:deliver",
    "before:store:mark_deliveries", "after:store:mark_deliveries",
)  # fmt: skip
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
LATE = """
UPDATE aiqleads.outbox SET next_attempt_at = now()
WHERE delivery_id IN (
    SELECT delivery_id FROM aiqleads.outbox
    WHERE destination = 'hook' AND next_attempt_at > now()
    ORDER BY delivery_id
    FOR UPDATE SKIP LOCKED
)
"""
LATE_TURNS = 4  # of the loop: each time all that is held comes again
CLOSED = "UPDATE aiqleads.delivery_lanes SET open_until = NULL, paused_until = NULL WHERE open_until IS NOT NULL"
LEFT = "SELECT count(*) FROM aiqleads.deliveries WHERE destination = 'hook' AND state <> 'delivered'"


@dataclass
class Told:
    """What a drill found."""

    seed: int
    deliveries_count: int
    effects_count: int
    doubles_count: int
    arrivals_count: int
    kills: Counter[str]
    lost_answers_count: int
    not_delivered_count: int
    seconds: float

    @property
    def is_good(self) -> bool:
        """Every delivery has one effect, and the store knows it."""
        whole = self.effects_count == self.deliveries_count and self.not_delivered_count == 0
        return whole and self.doubles_count == 0


@dataclass
class Receiver:
    """Idempotent by webhook-id; fails, loses answers and kills whoever asks, by its seed."""

    chance: random.Random
    kills_left: int
    workers: list[BaseProcess] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    effects: Counter[int] = field(default_factory=Counter)  # by lead
    killed: set[int] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    kills: Counter[str] = field(default_factory=Counter)
    lost_answers_count: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, event_id: str, body: bytes) -> bytes | None:
        """An answer; None: the connection breaks after the work was done."""
        with self.lock:
            self.seen[event_id] += 1
            roll = self.chance.random()
            if roll < 0.01:
                return _reply(500)
            if event_id not in self.done:  # the effect, in one step with knowing the id
                self.effects[json.loads(body)["data"]["number"]] += 1
                self.done.add(event_id)
            if roll < 0.03:
                self.lost_answers_count += 1
                return None
            if roll < 0.035 and self.kills_left:
                self._kill()
        return _reply(202)

    def _kill(self) -> None:
        alive = [each for each in self.workers if each.is_alive() and each.pid]
        if alive:
            victim = self.chance.choice(alive).pid or 0
            self.kills_left -= 1
            self.kills["in a request"] += 1
            self.killed.add(victim)
            os.kill(victim, signal.SIGKILL)


def _reply(status: int) -> bytes:
    return f"HTTP/1.1 {status} Any\r\nContent-Length: 2\r\n\r\n{{}}".encode()


@contextmanager
def serving(receiver: Any) -> Iterator[int]:
    """The receiver on loopback; its port."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                while self.rfile.readline():
                    headers = {}
                    while (line := self.rfile.readline()) not in (b"\r\n", b""):
                        name, _, value = line.decode("latin-1").partition(":")
                        headers[name.lower()] = value.strip()
                    body = self.rfile.read(int(headers.get("content-length", 0)))
                    answer = receiver.take(headers["webhook-id"], body)
                    if answer is None:
                        return
                    self.wfile.write(answer)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A killed worker breaks its connections: nothing to tell."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def work(settings: Settings, crash_at: str, seed: int) -> None:
    """A worker process: sends until nothing is left, or dies at its point."""
    from aiqleads_pipeline.delivering import worker
    from resources.durable import CRASH_AT

    os.environ["AIQLEADS_SECRET__HOOK"] = SECRET
    if crash_at:
        os.environ[CRASH_AT] = crash_at
    random.seed(seed)
    worker.TICK_SECONDS = 0.05
    worker.drain(open_outside(settings), 60)


def drill(seed: int, deliveries_count: int, kills_count: int, database_url: str, folder: Path) -> Told:
    """One drill on a migrated, empty store."""
    chance = random.Random(seed)
    receiver = Receiver(random.Random(seed + 1), kills_left=kills_count // 4)
    began = time.monotonic()
    with serving(receiver) as port:
        rules = folder / f"rules-{seed}"
        rules.mkdir(parents=True)
        hook = f"{{name: hook, kind: webhook, url: 'http://127.0.0.1:{port}/in', secret: HOOK, concurrency: 4}}"
        (rules / "destinations.yaml").write_text(f"destinations:\n  - {hook}\n", encoding="utf-8")
        settings = Settings(
            HOME=folder / "home", DATABASE_URL=SecretStr(database_url), RULES_DIR=rules, EGRESS_ALLOW_LOOPBACK=True
        )
        outside = open_outside(settings)
        try:
            with outside.store.transaction("drill:post") as con:
                drilled = [
                    Notice("lead.drilled", {"number": number}, ["hook"], 1 + number % 4, f"drill {number}")
                    for number in range(deliveries_count)
                ]
                notices.post_many(con, drilled, outside.settings.now())
            left = _run(settings, outside.store, receiver, chance, kills_count)
        finally:
            close(outside)
    doubles = sum(count - 1 for count in receiver.effects.values())
    return Told(
        seed, deliveries_count, len(receiver.effects), doubles, receiver.seen.total(), receiver.kills,
        receiver.lost_answers_count, left, time.monotonic() - began,
    )  # fmt: skip


def _run(settings: Settings, store: Any, receiver: Receiver, chance: random.Random, kills_count: int) -> int:
    """Two workers at a time, each killed at a point of its own until enough were; what is not delivered at the end."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["aiqleads_pipeline.delivering.worker", "aiqleads_pipeline.delivering.web"])
    points = list(itertools.islice(itertools.cycle(chance.sample(POINTS, len(POINTS))), kills_count))
    deadline = time.monotonic() + 170
    planned: dict[BaseProcess, str] = {}
    for turn in itertools.count():
        if time.monotonic() > deadline:
            break
        for process in [each for each in receiver.workers if not each.is_alive()]:
            receiver.workers.remove(process)
            point = planned.pop(process)
            if process.exitcode == -signal.SIGKILL and process.pid not in receiver.killed:
                receiver.kills[point] += 1
            elif point:
                points.append(point)  # it died of another cause, or all was delivered before
            process.close()
        with store.transaction("drill:time_passes") as con:  # holds run out, of live workers too
            if turn % LATE_TURNS == 0:
                con.execute(text(LATE))
            con.execute(text(CLOSED))
            left = int(con.execute(text(LEFT)).scalar_one())
        if left == 0:
            break
        while len(receiver.workers) < 2:
            point = points.pop() if points else ""
            passes = 60 if point.endswith(":deliver") else 2
            at = f"{point}#{chance.randint(1, passes)}" if point else ""
            process = forks.Process(target=work, args=(settings, at, chance.randrange(1 << 30)))
            process.start()
            receiver.workers.append(process)
            planned[process] = point
        time.sleep(0.1)
    for process in receiver.workers:
        process.terminate()
        process.join()
    return left


def main() -> int:
    """All seeds, each on a store of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1,2,3,4,5,6,7,8,9,10")
    parser.add_argument("--deliveries", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=30)
    given = parser.parse_args()
    is_good = True
    for seed in map(int, given.seeds.split(",")):
        with tempfile.TemporaryDirectory(prefix="aiqleads-drill-") as folder:
            outside = open_outside(Settings(HOME=Path(folder) / "home"))
            url = outside.store.url
            told = drill(seed, given.deliveries, given.kills, url, Path(folder))
            close(outside)
        is_good = is_good and told.is_good
        kills = ", ".join(f"{count} x {point}" for point, count in sorted(told.kills.items()))
        print(
            f"seed {told.seed}: {'ok' if told.is_good else 'WRONG'}: {told.deliveries_count:,} deliveries,"
            f" {told.effects_count:,} effects, {told.doubles_count} double, {told.not_delivered_count} not delivered;"
            f" {told.arrivals_count:,} arrivals, {told.lost_answers_count} answers lost;"
            f" killed {told.kills.total()} times ({kills}); {told.seconds:.1f} s",
            flush=True,
        )
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
