"""HTTP/1.1 as uvicorn speaks it, with the limits that it lacks: slow senders and readers, large headers, idle callers.

Belongs here: what must be decided before there is a request. One sweep looks at all connections of the process; a
request costs two clock readings and no timer.
"""

from __future__ import annotations

import asyncio
import time
from functools import cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from aiqleads_pipeline.doors import metrics
from aiqleads_pipeline.doors.gate import SECURITY_HEADERS
from aiqleads_pipeline.doors.problems import PROBLEM_JSON, Problem, phrase, unavailable
from aiqleads_pipeline.doors.stopping import note_stopping
from aiqleads_pipeline.settings import Settings, load_settings

SWEEP_SECONDS = 0.25
STALLED_SECONDS = 30.0  # a reader that takes nothing for so long is cut off


@cache
def _settings() -> Settings:
    return load_settings()


class LimitedProtocol(HttpToolsProtocol):
    """One connection, bounded by the settings of the environment."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        settings = _settings()
        self.max_header_bytes = settings.API_HEADER_KB * 1024
        self.max_connections = settings.API_MAX_CONNECTIONS
        self.header_seconds = settings.API_HEADER_SECONDS
        self.body_seconds = settings.API_BODY_SECONDS
        self.body_bytes_per_second = settings.API_BODY_KB_PER_SECOND * 1024
        self._header_bytes = 0
        self._body_bytes = 0
        self._quiet_since = 0.0  # since when nothing is being answered, where nothing is
        self._waits_since: float | None = None  # since when a request, or the rest of one, is waited for
        self._in_body = False
        self._stalled_since: float | None = None
        self._problem: Problem | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._waits_since = time.monotonic()
        _sweeper_of(self.loop, self.connections)
        self._quiet_since = self._waits_since
        if len(self.connections) > self.max_connections and not self._make_room():
            self._cut("connections", unavailable("overloaded"))

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if not self._in_body:
            # The parser holds what is not yet a whole header: what came since the request began bounds it.
            self._header_bytes += len(data)
        super().data_received(data)
        if not self._in_body and self._waits_since is not None and self._header_bytes > self.max_header_bytes:
            self._cut("headers", Problem(431, "headers_too_large"))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._waits_since = time.monotonic()
        self._body_bytes, self._in_body = 0, False

    def on_headers_complete(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.max_header_bytes:
            self._problem = Problem(431, "headers_too_large")
            raise ValueError("headers too large")  # the parser stops here; send_400_response says why
        self._in_body, self._header_bytes = True, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._waits_since, self._in_body, self._header_bytes = None, False, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._quiet_since = time.monotonic()
        super().on_response_complete()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Who says that it sends no more may still read: its request is answered before the connection ends."""
        if self._waits_since is not None or self.cycle is None or self.cycle.response_complete:
            return None
        self.cycle.keep_alive = False
        return True

    def send_400_response(self, msg: str) -> None:
        """Called for whatever is no HTTP; ``msg`` is uvicorn's own."""
        problem, self._problem = self._problem or Problem(400, "malformed_request"), None
        self._cut("headers" if problem.status == 431 else "malformed", problem)

    def shutdown(self) -> None:
        """The server ends: what is under way is answered, what would go on for long ends by itself."""
        note_stopping()
        super().shutdown()

    def sweep(self, now: float) -> None:
        """Look whether the other end is too slow."""
        if self.transport.is_closing():
            return
        if self.flow.write_paused:
            self._stalled_since = self._stalled_since or now
            if now - self._stalled_since > STALLED_SECONDS:
                metrics.CUT_OFF.labels("slow_reader").inc()
                self.transport.abort()
            return
        self._stalled_since = None
        if self._waits_since is None:
            return
        if self.flow.read_paused:  # we are the slow ones
            self._waits_since += SWEEP_SECONDS
            return
        allowed = self.header_seconds
        if self._in_body:
            allowed = self.body_seconds + self._body_bytes / self.body_bytes_per_second
        if now - self._waits_since > allowed:
            self._cut("slow_sender", Problem(408, "too_slow"))

    def _cut(self, limit: str, problem: Problem) -> None:
        """End the connection; with an answer, unless one is on its way or nothing was asked."""
        metrics.CUT_OFF.labels(limit).inc()
        self._waits_since = None
        was_asked = self._in_body or self._header_bytes > 0 or limit in ("malformed", "headers", "connections")
        if was_asked and not self._is_answered():
            self.transport.write(_answer(problem))
        if self.cycle is not None and not self.cycle.response_complete:
            # The route is told that nobody listens any more, and what it still says goes nowhere.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def _make_room(self) -> bool:
        """Close the connection that has been quiet for longest, so that many idle ones keep nobody out; False if all
        are at work."""
        quiet = [
            connection
            for connection in self.connections
            if isinstance(connection, LimitedProtocol) and connection is not self and connection.is_quiet()
        ]
        if not quiet:
            return False
        metrics.CUT_OFF.labels("connections").inc()
        min(quiet, key=lambda connection: connection._quiet_since).transport.close()
        return True

    def is_quiet(self) -> bool:
        """Whether no request is coming as a body or being answered."""
        is_answering = self.cycle is not None and not self.cycle.response_complete
        return not (self._in_body or is_answering or self.transport.is_closing())

    def _is_answered(self) -> bool:
        """Whether the request in question has its answer, or an earlier one is still being answered."""
        if self.pipeline or self.cycle is None:
            return bool(self.pipeline)
        return self.cycle.response_started and (self._in_body or not self.cycle.response_complete)


class _Sweeper:
    """Looks at all connections of a loop, again and again."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connections: set[Any]) -> None:
        self._loop, self._connections = loop, connections
        loop.call_later(SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        now = time.monotonic()
        for connection in list(self._connections):
            if isinstance(connection, LimitedProtocol):
                connection.sweep(now)
        self._loop.call_later(SWEEP_SECONDS, self._sweep)


_sweepers: dict[int, _Sweeper] = {}


def _sweeper_of(loop: asyncio.AbstractEventLoop, connections: set[Any]) -> None:
    if id(connections) not in _sweepers:
        _sweepers[id(connections)] = _Sweeper(loop, connections)


def _answer(problem: Problem) -> bytes:
    body = problem.body()
    headers = [
        (b"content-type", PROBLEM_JSON),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *problem.raw_headers(),
        *SECURITY_HEADERS,
    ]
    lines = b"".join(b"%s: %s\r\n" % pair for pair in headers)
    return b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (problem.status, phrase(problem.status).encode(), lines, body)
