"""The client that everything uses to call out: check, dial, ask, read, retry, redirect, all within limits.

Belongs here: one call from start to end. Does not belong here: which addresses are allowed (``addresses``), sockets
(``dialling``), what errors mean (``errors``), what any provider or destination wants.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.client import HTTPException

from urllib3 import HTTPHeaderDict
from urllib3.exceptions import HTTPError as Urllib3Error

from resources.http.addresses import Url, parse_url
from resources.http.answers import Answer, broken_exchange, read_body, retry_after_seconds
from resources.http.breaker import Breaker
from resources.http.dialling import Budget, Connection, Dialler, Resolver, system_resolver
from resources.http.errors import (
    TRANSIENT_STATUSES,
    AnswerLost,
    BadAnswer,
    BadRequest,
    HttpError,
    RefusedStatus,
    TimedOut,
    TooManyRedirects,
    TransientError,
    UnavailableStatus,
)

log = logging.getLogger("resources.http")
# It would log whole URLs of answers with odd headers.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
REPEATABLE_METHODS = SAFE_METHODS | {"PUT", "DELETE"}
METHODS = REPEATABLE_METHODS | {"POST", "PATCH"}
# All that goes along to another origin; whatever else a caller sent may be a credential.
_HEADERS_FOR_STRANGERS = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})
_HEADERS_OF_OURS = ("host", "content-length", "transfer-encoding", "connection", "expect")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OVERHEAD_BYTES = 1 << 16  # framing of chunks, trailers, what a buffer reads ahead


@dataclass(frozen=True)
class Limits:
    """Bounds of one call. ``total_seconds`` covers everything: look-ups, redirects, retries and the waits between."""

    connect_seconds: float = 10.0
    read_seconds: float = 20.0
    total_seconds: float = 30.0
    max_header_bytes: int = 1 << 16
    max_body_bytes: int = 8 << 20
    cuts_long_bodies: bool = False  # an answer whose body is longer is taken with what was read of it
    max_redirects: int = 5
    max_retries: int = 2
    first_delay_seconds: float = 0.5
    max_delay_seconds: float = 30.0


class HttpClient:
    """Calls out under one policy. Threads may share it; it holds connections until ``close``.

    Args:
        allow_loopback: the named setting ``AIQLEADS_EGRESS_ALLOW_LOOPBACK``.
        resolver: looks a name up; the system's by default.
        ca_file: certificates to trust beside the usual ones.
        wall_now: the clock that dates in Retry-After are held against (UTC).
    """

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        limits: Limits | None = None,
        user_agent: str = "aiqleads",
        resolver: Resolver = system_resolver,
        ca_file: str | None = None,
        breaker: Breaker | None = None,
        sleep: Callable[[float], None] = time.sleep,
        wall_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.limits = limits or Limits()
        self._user_agent, self._sleep, self._wall_now = user_agent, sleep, wall_now
        self._dialler = Dialler(allow_loopback, resolver, ca_file)
        self._breaker = breaker or Breaker(threshold=5, open_seconds=30.0, now=time.monotonic)
        self._jitter = random.Random()  # noqa: S311 - spreads retries, guards nothing

    def call(
        self,
        method: str,
        url: str | Url,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limits: Limits | None = None,
        may_repeat: bool | None = None,
    ) -> Answer:
        """One call, with retries and redirects within its limits.

        Answers of 2xx and 304 are returned; 3xx too where ``max_redirects`` is 0. GET, HEAD and OPTIONS follow
        redirects, others never do (a body does not go where it was not sent). To another origin no header goes along
        that could be a credential; never from https to http.

        Args:
            may_repeat: whether the receiver may get the request twice (it carries an idempotency key). By default as
                HTTP says: not for POST and PATCH, which are repeated only if nothing was sent.

        Raises:
            TransientError: a later retry can help; ``retry_after_seconds`` where the receiver said when.
            PermanentError: it can't. ``EgressRefused`` is one: nothing was sent to a blocked address.
        """
        bounds = limits or self.limits
        target = parse_url(url) if isinstance(url, str) else url
        if method not in METHODS:
            raise BadRequest("the method is none of HTTP that is used here")
        sent = HTTPHeaderDict(headers or {})
        if any(name.lower() in _HEADERS_OF_OURS or not _HEADER_NAME.fullmatch(name) for name in sent):
            raise BadRequest("a header can't be given, or its name is none")
        sent.setdefault("User-Agent", self._user_agent)
        sent.setdefault("Accept", "*/*")
        sent["Accept-Encoding"] = "gzip, deflate"
        deadline = time.monotonic() + bounds.total_seconds
        repeatable = method in REPEATABLE_METHODS if may_repeat is None else may_repeat
        request = _Request(method, target, sent, body, bounds, deadline, repeatable)
        for attempt in range(bounds.max_retries + 1):
            try:
                return self._follow(request)
            except TransientError as error:
                delay = self._delay(error, attempt, bounds)
                is_last = attempt == bounds.max_retries or not (repeatable or not error.was_sent)
                if is_last or time.monotonic() + delay >= deadline:
                    raise
                self._sleep(delay)
        raise AssertionError("unreachable")  # pragma: no cover

    def close(self) -> None:
        """Close idle connections."""
        self._dialler.close()

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _delay(self, error: TransientError, attempt: int, bounds: Limits) -> float:
        backoff = min(bounds.first_delay_seconds * 2.0**attempt, bounds.max_delay_seconds)
        jittered = backoff * (0.5 + self._jitter.random() / 2)
        return max(jittered, error.retry_after_seconds or 0.0)

    def _follow(self, request: _Request) -> Answer:
        for _hop in range(request.limits.max_redirects + 1):
            answer = self._attempt(request)
            is_light = request.method in SAFE_METHODS and request.body is None
            follows = answer.status in _REDIRECTS and request.limits.max_redirects and is_light
            if not follows or answer.location is None:
                return self._judged(answer, request.limits.max_redirects == 0)
            request = _redirected(request, answer.url.joined(answer.location))
        raise TooManyRedirects(f"{request.url.redacted}: more than {request.limits.max_redirects} redirects")

    def _attempt(self, request: _Request) -> Answer:
        """One exchange with one host, told to the breaker."""
        host = request.url.netloc
        self._breaker.admit(host)
        started = time.monotonic()
        try:
            answer = self._exchange(request)
        except TransientError as error:
            self._breaker.failed(host)
            log.info("%s %s: %s", request.method, request.url.redacted, error.code)
            raise
        except HttpError as error:
            log.info("%s %s: %s", request.method, request.url.redacted, error.code)
            raise
        if answer.status in TRANSIENT_STATUSES:
            self._breaker.failed(host, answer.retry_after_seconds, is_failure=answer.status != 429)
        else:
            self._breaker.succeeded(host)
        log.debug("%s %s: %d, %.3f s", request.method, request.url.redacted, answer.status, time.monotonic() - started)
        return answer

    def _exchange(self, request: _Request) -> Answer:
        left = request.deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(f"{request.url.redacted}: the call took longer than its limit")
        # The other side may close an idle connection while we write, and then nobody knows whether it read the request:
        # only one that may come twice goes over a used connection, and is asked again at once.
        connection = self._dialler.idle(request.url) if request.is_repeatable else None
        if connection is not None:
            with suppress(AnswerLost):
                return self._ask(connection, request)
        return self._ask(self._dialler.dial(request.url, min(request.limits.connect_seconds, left)), request)

    def _ask(self, connection: Connection, request: _Request) -> Answer:
        limits, url = request.limits, request.url
        is_whole = False
        budget = Budget(request.deadline, limits.read_seconds, limits.max_header_bytes)
        connection.timeout = limits.read_seconds
        connection.sock.budget = budget
        try:
            connection.request(
                request.method, url.target, request.body, request.headers, preload_content=False, decode_content=True
            )
            response = connection.getresponse()
            if response.status < 200:
                raise BadAnswer(f"{url.redacted} wants to speak another protocol")
            budget.bytes_left = limits.max_body_bytes + _OVERHEAD_BYTES
            body, is_cut = read_body(response, url, limits.max_body_bytes, limits.cuts_long_bodies)
            pause = retry_after_seconds(response.headers.get("retry-after"), self._wall_now())
            answer = Answer(response.status, response.headers, body, url, pause)
            stays = response.headers.get("connection", "").lower() != "close" and connection.sock is not None
            is_whole = stays and not is_cut
            return answer
        except (UnicodeEncodeError, TypeError):
            raise BadRequest("the request's headers can't be sent") from None
        except (Urllib3Error, HTTPException, OSError) as error:
            raise broken_exchange(error, url) from None
        except ValueError:
            raise BadRequest("the request's headers can't be sent") from None
        finally:
            if is_whole:
                self._dialler.keep(url, connection)
            else:
                connection.close()

    def _judged(self, answer: Answer, takes_redirects: bool) -> Answer:
        status, shown = answer.status, answer.url.redacted
        if 200 <= status < 300 or status == 304 or (takes_redirects and status in _REDIRECTS):
            return answer
        if status in TRANSIENT_STATUSES:
            raise UnavailableStatus(f"{shown} answered {status}", answer, answer.retry_after_seconds)
        raise RefusedStatus(f"{shown} answered {status}", answer)


@dataclass(frozen=True)
class _Request:
    method: str
    url: Url
    headers: HTTPHeaderDict
    body: bytes | None
    limits: Limits
    deadline: float  # monotonic seconds
    is_repeatable: bool


def _redirected(request: _Request, url: Url) -> _Request:
    if url.origin == request.url.origin:
        return replace(request, url=url)
    if (request.url.scheme, url.scheme) == ("https", "http"):
        raise BadAnswer(f"{request.url.redacted} redirects to a place without encryption")
    carried = HTTPHeaderDict(
        (name, value) for name, value in request.headers.items() if name.lower() in _HEADERS_FOR_STRANGERS
    )
    return replace(request, url=url, headers=carried)
