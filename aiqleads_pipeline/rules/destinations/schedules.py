"""Retry schedules by name: how long a delivery waits before each further round of calls, over days.

Belongs here: durations and the schedules that come with the project. A schedule of N waits makes N + 1 rounds.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_DURATION = re.compile(r"(?P<count>\d{1,6}(\.\d{1,3})?)(?P<unit>[smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_DAYS = 30


def duration_seconds(text: str) -> float:
    """``5s``, ``5m``, ``2h``, ``1d`` in seconds.

    Raises:
        ValueError: it is none, or longer than 30 days.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no duration such as 5s, 30m, 2h or 1d")
    seconds = float(found["count"]) * _SECONDS[found["unit"]]
    if seconds > _LONGEST_DAYS * 86_400:
        raise ValueError(f"{text!r} is longer than {_LONGEST_DAYS} days")
    return seconds


def _checked(text: str) -> str:
    duration_seconds(text)
    return text


Duration = Annotated[str, AfterValidator(_checked)]
Schedule = Annotated[tuple[Duration, ...], Field(max_length=50)]
SCHEDULES: dict[str, tuple[str, ...]] = {
    "svix": ("5s", "5m", "30m", "2h", "5h", "10h", "10h"),  # 27.6 h in all
    "standard_webhooks": ("5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h"),  # 75.6 h
    "urgent": ("5s", "15s", "30s", "1m", "2m", "5m", "10m", "20m", "1h"),  # for people on duty: 1.7 h
    "once": (),
}
DEFAULT_SCHEDULE = "svix"
