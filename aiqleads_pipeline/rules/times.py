"""Lengths of time as people write them in rules: ``30 s``, ``5 min``, ``8 h``, ``3 d``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def _as_length(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"\s*(\d{1,6})\s*(s|min|h|d)\s*", value) if isinstance(value, str) else None
    if not found:
        raise ValueError("expected a time such as 30 s, 5 min, 8 h or 3 d")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


Length = Annotated[timedelta, BeforeValidator(_as_length)]
