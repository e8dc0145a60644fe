"""How many senders of a lane are of use: threads share one interpreter, so that quick calls are made by one best.

Belongs here: arithmetic on how long calls take. Does not belong here: how many calls a destination allows
(``resources.store.lanes``).
"""

from __future__ import annotations

# Calls this quick are our own work. Each such time that a call takes longer is one more sender that pays.
QUICK_SECONDS = 0.001
_WEIGHT = 0.2  # of the last call


class Pace:
    """The calls of one lane; not safe by itself where threads share it. All moments are monotonic."""

    def __init__(self) -> None:
        self._began: dict[int, float] = {}
        self._seconds: float | None = None

    def begins(self, sender: int, at: float) -> None:
        """A sender begins a call."""
        self._began[sender] = at

    def ends(self, sender: int, at: float) -> bool:
        """A sender's call is over; whether others beside it are of use."""
        seconds = at - self._began.pop(sender)
        self._seconds = seconds if self._seconds is None else (1 - _WEIGHT) * self._seconds + _WEIGHT * seconds
        return self.senders(at) > 1

    def senders(self, at: float) -> float:
        """How many senders bring more than fewer would; any number while nothing is known."""
        if self._seconds is None:
            return float("inf")
        longest = at - min(self._began.values()) if self._began else 0.0
        return 1 + max(self._seconds, longest) // QUICK_SECONDS
