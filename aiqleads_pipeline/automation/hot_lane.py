"""The hot lane: a process apart, with an engine of its own, that decides leads at once for callers who wait.

Belongs here: the socket and the queue. What is too much, or fails, is answered with nothing: the lead is accepted all
the same, and its batch is run in the ordinary way.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import queue
import signal
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import IO, Any
from uuid import UUID

from duckdb import DuckDBPyConnection

from aiqleads_pipeline.assets.batch_run import redact
from aiqleads_pipeline.automation.hot_run import decide_awaited
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.publishing.pinned import current_rules
from aiqleads_pipeline.stages.engine import load_reference, open_engine
from aiqleads_pipeline.stages.enrich import REFERENCES

MOST_WAITING = 64
LONGEST_WAIT_SECONDS = 60.0
_log = logging.getLogger("aiqleads.hot_lane")


@dataclass
class Awaited:
    """A lead that somebody waits for."""

    source: str
    lead_id: UUID
    answer: Future[dict[str, Any]] = field(default_factory=Future)


class HotLane:
    """One thread decides; whatever came while it was busy is its next micro-batch."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._waiting: queue.Queue[Awaited | None] = queue.Queue(MOST_WAITING)
        self._con: DuckDBPyConnection | None = None

    def ask(self, source: str, lead_id: UUID) -> dict[str, Any]:
        """What was decided of a lead; empty if the lane is busy or can't."""
        awaited = Awaited(source, lead_id)
        try:
            self._waiting.put_nowait(awaited)
            return awaited.answer.result(LONGEST_WAIT_SECONDS)
        except (queue.Full, TimeoutError):
            return {}

    def work(self) -> None:
        """Decide until ``stop``."""
        with contextlib.suppress(Exception):  # then the first lead says why
            self._warm_up()
        while (first := self._waiting.get()) is not None:
            group = [first]
            with contextlib.suppress(queue.Empty):
                while (more := self._waiting.get_nowait()) is not None:
                    group.append(more)
            for source in dict.fromkeys(one.source for one in group):
                self._decide(source, [one for one in group if one.source == source])

    def stop(self) -> None:
        """Let ``work`` end."""
        self._waiting.put(None)

    def _decide(self, source: str, group: list[Awaited]) -> None:
        decided: dict[UUID, dict[str, Any]] = {}
        try:
            decided = decide_awaited(self._outside, self._engine(), source, [one.lead_id for one in group], _log)
        except Exception as error:
            _log.warning("decided nothing: %s", redact(error))
            self._con = None  # whatever is left on the engine, the next one has none of it
        for one in group:
            one.answer.set_result(decided.get(one.lead_id, {}))

    def _warm_up(self) -> None:
        """What is the same for all leads, before the first one comes."""
        current_rules(self._outside)
        load_reference(self._engine(), *REFERENCES)

    def _engine(self) -> DuckDBPyConnection:
        if self._con is None:
            con = open_engine(self._outside.settings, self._outside.settings.home / "spill" / "hot")
            con.execute("SET threads = 1")  # a lone lead has no work for two
            self._outside.lake.attach(con)
            self._con = con
        return self._con


def run_hot_lane(outside: Outside) -> None:
    """Answer on the socket of the home until SIGTERM or SIGINT; one lane works per home, another waits for its turn."""
    path = outside.settings.hot_lane_socket
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.with_suffix(".lock").open("w")):
        path.unlink(missing_ok=True)  # a killed predecessor's
        lane = HotLane(outside)
        threading.Thread(target=lane.work, name="decide", daemon=True).start()

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError, ValueError, KeyError):  # whoever asked has gone
                    asked = json.loads(self.rfile.readline(4096))
                    answer = lane.ask(str(asked["source"]), UUID(asked["lead_id"]))
                    self.wfile.write(json.dumps(answer).encode() + b"\n")

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
            request_queue_size = MOST_WAITING

        with Server(str(path), Handler) as server:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
            server.serve_forever(poll_interval=0.2)
            lane.stop()
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(lock: IO[str]) -> Iterator[None]:
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
