"""Answers that come piece by piece: text made by threads, and events until something ends.

Belongs here: sending, and cleaning up when nobody listens any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class CsvAnswer(StreamingResponse):
    """CSV made by a generator in a thread; the generator is closed whatever happens."""

    def __init__(self, pieces: Iterator[bytes], file_name: str) -> None:
        self._made = pieces
        super().__init__(
            self._in_threads(),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="{file_name}"'},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await asyncio.shield(asyncio.to_thread(_close, self._made))

    async def _in_threads(self) -> AsyncIterator[bytes]:
        while (piece := await asyncio.to_thread(next, self._made, None)) is not None:
            yield piece


def _close(pieces: Iterator[bytes]) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()
