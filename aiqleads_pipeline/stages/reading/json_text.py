"""Parses JSON as the readers want it: nothing that was written is lost on the way.

Belongs here: one decoder for dropped files and for events of webhooks. Does not belong here: finding rows
(``documents``) and making them flat (``flatten``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def parse(text: str) -> Any:
    """JSON with numbers as written, equal keys kept apart, and NaN as null.

    Raises:
        ValueError, RecursionError: it is no JSON, or nested too deep.
    """
    return DECODER.decode(text)


def keep_apart(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Pairs as members of one object: of equal keys the second is called ``key (2)``.

    One pass: a count per key, so that a hundred thousand equal keys cost no more than as many different ones.
    """
    apart: dict[str, Any] = {}
    counts: dict[str, int] = {}
    for key, value in pairs:
        name = key
        while name in apart:
            counts[key] = counts.get(key, 1) + 1
            name = f"{key} ({counts[key]})"
        apart[name] = value
    return apart


def as_written(value: Any) -> str:
    """A parsed value as JSON again; empty if it is nested too deep for that."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else keep_apart(pairs)


DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=lambda _: None, strict=False
)
