"""When a delivery that failed is tried again: rounds of calls close together, and a schedule of days between rounds.

Belongs here: arithmetic. A round is a call and up to MAX_RETRIES more, RETRY_DELAY x 2^n apart; the number of attempts
tells where in which round a delivery is, so that nothing else has to be kept.
"""

from __future__ import annotations

from dataclasses import dataclass

_LONGEST_SECONDS = 7 * 86_400.0


@dataclass(frozen=True)
class Patience:
    """A destination's. ``waits``: seconds before its second, third, ... round."""

    max_retries: int
    delay_seconds: float
    waits: tuple[float, ...]

    @property
    def most_attempts(self) -> int:
        """After so many attempts it is over."""
        return (self.max_retries + 1) * (len(self.waits) + 1)

    def wait_after(self, attempts: int, asked_seconds: float | None, chance: float) -> float | None:
        """Seconds until the next attempt; None if that was the last.

        Args:
            attempts: how many there were.
            asked_seconds: what the receiver asked for: never sooner.
            chance: 0 to 1, spreads what failed together: within a round from half of the time on, between rounds by a
                tenth more.
        """
        if attempts >= self.most_attempts:
            return None
        rounds, calls = divmod(attempts - 1, self.max_retries + 1)
        if calls < self.max_retries:
            wait = self.delay_seconds * 2.0**calls * (0.5 + chance / 2)
        else:
            wait = self.waits[rounds] * (1 + chance / 10)
        return min(max(wait, asked_seconds or 0.0), _LONGEST_SECONDS)
