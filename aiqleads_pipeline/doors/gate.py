"""The gate in front of every route: who may, how much at once, how large; headers, problems and numbers of all answers.

Belongs here: what holds for every request. Plain ASGI, so that the fast route for single leads passes the same gate as
the rest. What it admits carries an ``access.Admission`` in ``scope[ADMISSION]``.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import re
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from aiqleads_pipeline.doors import metrics
from aiqleads_pipeline.doors.access import ADMISSION, Admission, address_of, admit
from aiqleads_pipeline.doors.doors import Doors
from aiqleads_pipeline.doors.permissions import Routes, Rule
from aiqleads_pipeline.doors.problems import (
    PROBLEM_JSON,
    ASGIApp,
    Message,
    Problem,
    Receive,
    Scope,
    Send,
    unavailable,
)

# Ids of requests: random for the process, then counted (asking the system each time lets go of the interpreter).
_PROCESS_ID = os.urandom(6).hex().encode()
_numbers = itertools.count()
log = logging.getLogger("aiqleads.doors")
LOCAL_ADDRESSES, LOCAL_HOSTS = ("127.", "::1"), (b"localhost", b"127.0.0.1", b"[::1]")
FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-real-ip")
UNREAD_BYTES = 64 * 1024  # more than this of an unread body ends the connection
LINGER_SECONDS = 1.0
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
_SECURITY_NAMES = frozenset(name for name, _ in SECURITY_HEADERS)


class Gate:
    """``app`` and the ``hot`` routes in front of it, behind one gate."""

    def __init__(self, doors: Doors, routes: Routes, app: ASGIApp, hot: Mapping[tuple[str, str], ASGIApp]) -> None:
        self._doors, self._routes, self._app, self._hot = doors, routes, app, hot
        self._max = doors.settings.API_MAX_REQUESTS
        self._at_work: Counter[str] = Counter()
        self._at_work_count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        answer = _Answer(send, self._doors)
        rules = self._routes.find(scope["path"])
        rule = rules.get(scope["method"])
        try:
            if rule is None:
                raise _no_such(rules)
            await self._pass(scope, receive, answer, rule)
            if not answer.is_started:
                raise answer.problem or RuntimeError("the route gave no answer")
        except Exception as error:
            await answer.fail(self._problem_of(error), scope, receive)
        metrics.count_request(
            scope["method"] if rules else "other", rule.path if rule else "none", answer.status, answer.seconds
        )

    async def _pass(self, scope: Scope, receive: Receive, answer: _Answer, rule: Rule) -> None:
        if _content_length(scope) > rule.max_body_kb * 1024:
            raise Problem(413, "body_too_large", detail=f"At most {rule.max_body_kb} KiB are taken here.")
        if rule.is_shed and self._at_work_count >= self._max:
            raise unavailable("overloaded")
        if rule.needs_store:
            self._doors.breaker.check()
        who = await self._admit(scope, answer, rule)
        body = _Body(receive, rule.max_body_kb * 1024, answer)
        route = self._hot.get((scope["method"], scope["path"]), self._app)
        if rule.is_shed:
            with self._working(who):
                await route(scope, body, answer)
        else:
            await route(scope, body, answer)

    @contextmanager
    def _working(self, who: str) -> Iterator[None]:
        """Count as work. One caller may fill three quarters of the places: the others find room beside it."""
        if self._at_work_count >= self._max or self._at_work[who] >= self._max * 3 // 4:
            raise unavailable("overloaded")
        self._at_work[who] += 1
        self._at_work_count += 1
        metrics.AT_WORK.set(self._at_work_count)
        try:
            yield
        finally:
            self._at_work_count -= 1
            self._at_work[who] -= 1
            if not self._at_work[who]:
                del self._at_work[who]
            metrics.AT_WORK.set(self._at_work_count)

    async def _admit(self, scope: Scope, answer: _Answer, rule: Rule) -> str:
        """Who it is: the client's name, or the address of one that needs none."""
        address = address_of(scope)
        if rule.is_public or (rule.is_local and _is_local(scope)):
            return f"ip:{address}"
        caller = await self._doors.authenticator.authenticate(scope)
        answer.client = caller.client
        admission: Admission = admit(caller, rule)
        scope[ADMISSION] = admission
        if rule.needs_store and not self._doors.quotas.is_fresh(caller.client):
            await self._doors.look_up_quota(caller.client)
        return caller.client

    def _problem_of(self, error: Exception) -> Problem:
        if isinstance(error, Problem):
            return error
        found = self._doors.problem_of(error)
        if found is None:
            # Types and places only: a message may quote what the client sent.
            places = " < ".join(f"{f.filename}:{f.lineno}" for f in reversed(traceback.extract_tb(error.__traceback__)))
            log.error("a request failed: %s at %s", type(error).__name__, places)
            return Problem(500, "internal_error")
        return found


class _Answer:
    """``send`` with what belongs on every answer."""

    def __init__(self, send: Send, doors: Doors) -> None:
        self._send, self._doors = send, doors
        self._began_at = time.perf_counter()
        self.client: str | None = None
        self.problem: Problem | None = None  # what must be answered instead of what the route says
        self.is_started = False
        self.is_body_read = False
        self._is_replaced = False
        self.status, self.seconds = 0, 0.0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            # A route that fails says 500 before its error gets here, and the gate knows better what to say.
            if self.problem is not None or message["status"] == 500:
                self._is_replaced = True
                return
            self._start(message)
        elif self._is_replaced:
            return
        await self._send(message)

    async def fail(self, problem: Problem, scope: Scope, receive: Receive) -> None:
        """Answer with a problem, unless an answer is on its way; then the connection ends with it unfinished."""
        metrics.REFUSED.labels(problem.code).inc()
        if self.is_started:
            raise ConnectionAbortedError("the answer can't be finished") from None
        body = problem.body()
        headers = [
            (b"content-type", PROBLEM_JSON),
            (b"content-length", str(len(body)).encode()),
            *problem.raw_headers(),
        ]
        is_cut = problem.status == 413 or _content_length(scope) > UNREAD_BYTES
        is_cut = is_cut and not self.is_body_read
        if is_cut:
            headers.append((b"connection", b"close"))
        self.problem = None
        start = {"type": "http.response.start", "status": problem.status, "headers": headers}
        self._start(start)
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": is_cut})
        if is_cut:
            await _linger(receive)
            await self._send({"type": "http.response.body", "body": b""})

    def _start(self, message: Message) -> None:
        self.is_started, self.status = True, message["status"]
        self.seconds = time.perf_counter() - self._began_at
        headers = list(message.get("headers", ()))
        own = _SECURITY_NAMES.intersection(name for name, _ in headers)
        headers += [pair for pair in SECURITY_HEADERS if pair[0] not in own] if own else SECURITY_HEADERS
        headers += self._doors.quotas.headers(self.client)
        headers.append((b"x-request-id", b"%s%08x" % (_PROCESS_ID, next(_numbers))))
        message["headers"] = headers


class _Body:
    """``receive`` that counts: a body sent in chunks says its length only as it comes."""

    def __init__(self, receive: Receive, max_bytes: int, answer: _Answer) -> None:
        self._receive, self._left, self._answer = receive, max_bytes, answer

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        self._answer.is_body_read = not message.get("more_body", False)
        if self._left < 0:
            self._answer.problem = Problem(413, "body_too_large")
            raise self._answer.problem
        return message


def _no_such(rules: Mapping[str, Rule]) -> Problem:
    if not rules:
        return Problem(404, "not_found")
    return Problem(405, "method_not_allowed", headers={"Allow": ", ".join(sorted(rules))})


def _is_local(scope: Scope) -> bool:
    """Whether the caller is on this host: not a proxy here that speaks for others, nor a page of the web in a browser
    here, whose name was made to point to this host."""
    if not address_of(scope).startswith(LOCAL_ADDRESSES):
        return False
    for name, value in scope["headers"]:
        if name in FORWARDED or (name == b"host" and re.sub(rb":\d+$", b"", value) not in LOCAL_HOSTS):
            return False
    return True


def _content_length(scope: Scope) -> int:
    """What the request says; 0 for a body in chunks, which is counted as it comes."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


async def _linger(receive: Receive) -> None:
    """Read on for a moment: closing at once would reset the connection before the answer is read."""
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return
    except TimeoutError:
        return
