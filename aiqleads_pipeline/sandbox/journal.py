"""What each double has received: counts of attempts, effects, repeats, refusals and faults, and the last requests.

Belongs here: counting. Does not belong here: what a vendor's state is made of.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

from aiqleads_pipeline.sandbox.exchange import Reply, Request, stamp

KEPT_REQUESTS = 1000
KEPT_BYTES = 1 << 16


class Journal:
    """Of one double."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.attempts = self.effects = self.repeats = self.refused = 0
        self.statuses: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self._last: deque[tuple[Request, str, str | None]] = deque(maxlen=KEPT_REQUESTS)

    def note(self, request: Request, status: str, fault: str | None) -> None:
        """A request came and this was answered; ``status`` is ``none`` where nothing was."""
        self.attempts += 1
        self.statuses[status] += 1
        if fault is not None:
            self.faults[fault] += 1
        self._last.append((request, status, fault))

    def worked(self, reply: Reply) -> None:
        """The double did its work, whether or not its answer arrives."""
        self.effects += reply.effects
        self.repeats += reply.repeats
        if reply.status >= 400:
            self.refused += 1

    def counts(self) -> dict[str, Any]:
        """All counts."""
        return {
            "attempts": self.attempts,
            "effects": self.effects,
            "repeats": self.repeats,
            "refused": self.refused,
            "statuses": dict(sorted(self.statuses.items())),
            "faults": dict(sorted(self.faults.items())),
        }

    def latest(self, count: int) -> list[tuple[Request, str, str | None]]:
        """The last few: request, status, fault."""
        return list(self._last)[-count:]

    def requests(self) -> list[dict[str, Any]]:
        """The last requests, oldest first; bodies up to 64 KB."""
        return [
            {
                "at": stamp(request.now),
                "method": request.method,
                "path": request.path,
                "query": request.raw_query,
                "headers": request.headers,
                "body": request.body[:KEPT_BYTES].decode("utf-8", "replace"),
                "status": status,
                "fault": fault,
            }
            for request, status, fault in self._last
        ]
