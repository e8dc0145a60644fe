"""Asks the hot lane what becomes of a lead that was just taken in.

Belongs here: the question and how long it may take. The lane is another process (``automation.hot_lane``); while it is
busy or not there nobody is kept waiting.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiqleads_pipeline.doors.problems import Problem

DEFAULT_MS, MOST_MS = 2_000, 30_000


def read_wait(query: bytes) -> float | None:
    """How many seconds the caller wants to wait for the lead's route (``?wait=routed&timeout_ms=``); None: not at all.

    Raises:
        Problem: 400, it asks for something else.
    """
    if not query:
        return None
    asked = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    if "wait" not in asked:
        return None
    timeout = asked.get("timeout_ms", str(DEFAULT_MS))
    if asked["wait"] != "routed" or not (timeout.isascii() and timeout.isdigit() and 1 <= int(timeout[:6]) <= MOST_MS):
        detail = f"The way to wait is ?wait=routed&timeout_ms= with 1 to {MOST_MS:,}."
        raise Problem(400, "malformed_request", detail=detail)
    return int(timeout) / 1000


async def ask_hot_lane(path: Path, source: str, lead_id: str, seconds: float) -> dict[str, Any] | None:
    """What was decided of a lead, or None: not in time, busy, or no lane there."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_unix_connection(str(path))
            try:
                writer.write(json.dumps({"source": source, "lead_id": lead_id}).encode() + b"\n")
                answer: dict[str, Any] = json.loads(await reader.readline() or b"{}")
                return answer or None
            finally:
                writer.close()
    except (OSError, ValueError, TimeoutError):
        return None
