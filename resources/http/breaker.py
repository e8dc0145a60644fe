"""The breaker: a host that keeps failing, or asks for a pause, is left alone for a while. In memory, per process.

Belongs here: counting and refusing. Does not belong here: what a failure is (``errors``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from resources.http.errors import CircuitOpen

_MOST_HOSTS = 10_000
_LONGEST_PAUSE_SECONDS = 300.0  # one path's long Retry-After must not silence its whole host for a day


@dataclass
class _Host:
    failures_count: int = 0
    closed_until: float = 0.0


class Breaker:
    """Opens for ``open_seconds`` after ``threshold`` failures in a row; then lets one call through to try.

    Args:
        now: a monotonic clock, seconds.
    """

    def __init__(self, threshold: int, open_seconds: float, now: Callable[[], float]) -> None:
        self._threshold, self._open_seconds, self._now = threshold, open_seconds, now
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def admit(self, host: str) -> None:
        """Let a call through.

        Raises:
            CircuitOpen: not now; says when.
        """
        with self._lock:
            state = self._hosts.get(host)
            if state is None:
                return
            wait = state.closed_until - self._now()
            if wait > 0:
                raise CircuitOpen(f"{host} is not called just now", retry_after_seconds=wait)
            if state.failures_count >= self._threshold:
                # One call tries; the others wait for what it finds, or for the next try.
                state.closed_until = self._now() + self._open_seconds

    def succeeded(self, host: str) -> None:
        """The host answered."""
        with self._lock:
            self._hosts.pop(host, None)

    def failed(self, host: str, pause_seconds: float | None = None, is_failure: bool = True) -> None:
        """The host failed (``is_failure``), or asked for a pause, or both."""
        with self._lock:
            if host not in self._hosts and len(self._hosts) >= _MOST_HOSTS:
                del self._hosts[next(iter(self._hosts))]
            state = self._hosts.setdefault(host, _Host())
            state.failures_count += is_failure
            pause = min(pause_seconds or 0.0, _LONGEST_PAUSE_SECONDS)
            if state.failures_count >= self._threshold:
                pause = max(pause, self._open_seconds)
            state.closed_until = max(state.closed_until, self._now() + pause)
