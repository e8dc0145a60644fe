"""Progress as server-sent events: the whole document at each change, a sign of life in between, until the end.

Belongs here: who listens and for how long. The document is ``progress``'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from aiqleads_pipeline.doors.doors import Doors
from aiqleads_pipeline.doors.problems import Problem, unavailable
from aiqleads_pipeline.doors.progress import Progress, fingerprint
from aiqleads_pipeline.doors.stopping import is_stopping

LOOK_SECONDS = 0.5
# Then the listener comes back, and its key is looked at again.
MAX_SECONDS = 600.0
RETRY_MS = 2000


class Listeners:
    """How many listen in this process."""

    def __init__(self, most: int) -> None:
        self._most, self._count = most, 0

    def require_room(self) -> None:
        """Raise the 503 of a full house."""
        if self._count >= self._most:
            raise unavailable("overloaded", 5)

    def __enter__(self) -> None:
        self._count += 1

    def __exit__(self, *_: object) -> None:
        self._count -= 1


def stream_progress(request: Request, doors: Doors, batch_id: str, file_name: str | None) -> Response:
    """The events of a batch from the one after ``Last-Event-ID`` on.

    Raises:
        Problem: 503, too many listen.
    """
    listeners: Listeners = doors.parts[Listeners]
    listeners.require_room()
    last_id = request.headers.get("last-event-id", "")
    if last_id.endswith("-end"):
        return Response(status_code=204)
    headers = {"x-accel-buffering": "no"}
    events = _events(request, doors, listeners, batch_id, file_name, last_id)
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(
    request: Request, doors: Doors, listeners: Listeners, batch_id: str, file_name: str | None, last_id: str
) -> AsyncIterator[bytes]:
    progress: Progress = doors.parts[Progress]
    ends_at = time.monotonic() + MAX_SECONDS
    with listeners:
        yield f"retry: {RETRY_MS}\n\n".encode()
        quiet_since = time.monotonic()
        while time.monotonic() < ends_at and not is_stopping() and not await request.is_disconnected():
            found = None
            with contextlib.suppress(Problem):  # the database may be away for a moment
                found = await doors.workers.run(progress.look, batch_id)
            if found is not None:
                document = found[1] | {"file_name": file_name}
                event_id = fingerprint(document)
                if found[0].is_ended:
                    yield _event("end", f"{event_id}-end", document)
                    return
                if event_id != last_id:
                    last_id, quiet_since = event_id, time.monotonic()
                    yield _event("progress", event_id, document)
            if time.monotonic() - quiet_since >= doors.settings.API_HEARTBEAT_SECONDS:
                quiet_since = time.monotonic()
                yield b": still here\n\n"
            await asyncio.sleep(LOOK_SECONDS)


def _event(name: str, event_id: str, document: dict[str, Any]) -> bytes:
    return f"event: {name}\nid: {event_id}\ndata: {json.dumps(document, separators=(',', ':'))}\n\n".encode()
