"""Threads that read files for the doors: previews and lists of rejected rows. Few, with a queue that has an end.

Belongs here: their bounds - engine memory, threads, queue. Does not belong here: what is read.
"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from aiqleads_pipeline.doors.problems import unavailable
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import Settings

T = TypeVar("T")
THREADS = 2
MAX_QUEUE = 8
ENGINE_MEMORY_MB = 256
READER_MEMORY_MB = 512


class Readers:
    """One per worker process."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="read files")
        self._pending_count = 0

    @property
    def settings(self) -> Settings:
        """The settings that files are read under here: of the pipeline's, with less memory."""
        settings = self._outside.settings
        return settings.model_copy(
            update={
                "ENGINE_MEMORY_MB": min(ENGINE_MEMORY_MB, settings.ENGINE_MEMORY_MB),
                "READER_MEMORY_MB": min(READER_MEMORY_MB, settings.READER_MEMORY_MB),
                "ENGINE_THREADS": 1,
            }
        )

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """``work(*arguments)`` in a thread.

        Raises:
            Problem: 503, there is too much to do.
        """
        if self._pending_count >= THREADS + MAX_QUEUE:
            raise unavailable("overloaded", 5)
        self._pending_count += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            self._pending_count -= 1

    def workdir(self) -> Path:
        """A folder of one's own; whoever asks removes it."""
        return self._outside.workdir(f"doors-{uuid.uuid4().hex}")

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """A folder for the time of the block."""
        folder = self.workdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def stop(self) -> None:
        """Take no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)
