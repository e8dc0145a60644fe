"""What answers say about a client's limit, and the refusals that need no look into the store.

Belongs here: the ``RateLimit-*`` fields and what this process knows of each client. The count itself is in
``resources.store.limits``. The fields are those of the IETF draft in both forms that clients know: ``RateLimit-Limit``,
``-Remaining``, ``-Reset`` (draft 06 and before) and ``RateLimit-Policy`` with ``RateLimit`` (draft 07 and after).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.settings import Settings
from resources.store.limits import Allowance, Limit

MAX_CLIENTS_COUNT = 10_000
FRESH_SECONDS = 5.0


@dataclass(slots=True)
class _Told:
    allowance: Allowance
    at: float
    refused_count: int  # so many leads at once were refused,
    refused_until: float  # and are until then without asking again,
    room_at: float  # though there is no room before this


class Quotas:
    """What this process knows of its clients' limits: as of the last request of each that asked the store."""

    def __init__(self, settings: Settings) -> None:
        self.limit = Limit(settings.pipeline.RATE_LIMIT_MAX, settings.pipeline.RATE_LIMIT_WINDOW)
        self._told: dict[str, _Told] = {}

    def note(self, client: str, allowance: Allowance, leads_count: int) -> None:
        """Remember what the store said to a request for ``leads_count`` (0 for one that only looked)."""
        now = time.monotonic()
        is_refused = not allowance.is_granted and allowance.retry_after_seconds is not None
        room_at = now + (allowance.retry_after_seconds or 0)
        # The store rounds up to whole seconds; and it is asked now and then, since a limit may be raised.
        until = min(room_at - 1, now + FRESH_SECONDS) if is_refused else 0.0
        if client not in self._told and len(self._told) >= MAX_CLIENTS_COUNT:
            del self._told[next(iter(self._told))]
        self._told[client] = _Told(allowance, now, leads_count if is_refused else 0, until, room_at)

    def refusal(self, client: str, leads_count: int) -> Problem | None:
        """The 429 that is certain without asking: no place comes free before the time that the store named."""
        told = self._told.get(client)
        now = time.monotonic()
        if told is None or not told.refused_count or leads_count < told.refused_count or now >= told.refused_until:
            return None
        return rate_limited(told.allowance, told.room_at - now)

    def is_fresh(self, client: str) -> bool:
        """Whether what was said last is recent enough to be shown."""
        told = self._told.get(client)
        return told is not None and time.monotonic() - told.at < FRESH_SECONDS

    def headers(self, client: str | None) -> list[tuple[bytes, bytes]]:
        """The fields for an answer; to whom is not known, or was never told, only the policy can be said."""
        told = self._told.get(client) if client is not None else None
        if told is None:
            return limit_headers(self.limit.max_count, self.limit.window_seconds, self.limit.max_count, 0)
        said = told.allowance
        reset = max(0, said.reset_seconds - int(time.monotonic() - told.at))
        remaining = said.remaining_count if reset else said.limit_count
        return limit_headers(said.limit_count, said.window_seconds, remaining, reset)


def limit_headers(limit: int, window: int, remaining: int, reset: int) -> list[tuple[bytes, bytes]]:
    """The fields in both forms."""
    return [
        (b"ratelimit-limit", b"%d" % limit),
        (b"ratelimit-remaining", b"%d" % remaining),
        (b"ratelimit-reset", b"%d" % reset),
        (b"ratelimit-policy", b'"leads";q=%d;w=%d' % (limit, window)),
        (b"ratelimit", b'"leads";r=%d;t=%d' % (remaining, reset)),
    ]


def rate_limited(allowance: Allowance, seconds: float | None = None) -> Problem:
    """The problem of a refusal: 429 with a Retry-After that will do, or that the request can never fit."""
    if allowance.retry_after_seconds is None:
        return Problem(429, "exceeds_quota", detail=f"The limit is {allowance.limit_count} leads.")
    wait = allowance.retry_after_seconds if seconds is None else max(1, -int(-seconds // 1))
    return Problem(429, "rate_limited", headers={"Retry-After": str(wait)})
