"""The threads that wait for the database, so that the event loop never does: bounded in number and in queue.

Belongs here: handing work over. Whoever waits is let go with a 503 when the breaker opens, even if the thread hangs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from aiqleads_pipeline.doors.breaker import DATABASE_AWAY, Breaker
from aiqleads_pipeline.doors.problems import unavailable
from resources.store.errors import StoreUnavailable

T = TypeVar("T")
QUEUE_PER_THREAD = 16


class Workers:
    """A pool of ``threads`` with a queue of ``QUEUE_PER_THREAD`` each; more is refused with 503 ``overloaded``."""

    def __init__(self, threads: int, breaker: Breaker) -> None:
        self._threads, self._breaker = threads, breaker
        self._pool = self._new_pool()
        self._pending_count = 0
        breaker.on_change(self._renew)

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """``work(*arguments)`` in a thread.

        Raises:
            Problem: 503, if the database is or goes away, or there is too much to do. What was begun may still end.
        """
        self._breaker.check()
        if self._pending_count >= self._threads * (1 + QUEUE_PER_THREAD):
            raise unavailable("overloaded")
        self._pending_count += 1
        pool = self._pool
        future = pool.submit(work, *arguments)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: _tell(loop, self._done, pool))
        try:
            return await self._breaker.watch(asyncio.wrap_future(future))
        except StoreUnavailable as error:
            raise unavailable(self._breaker.note(error) or "overloaded") from error

    def stop(self) -> None:
        """Take no more work; threads that hang are left behind."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _done(self, pool: ThreadPoolExecutor) -> None:
        if pool is self._pool:
            self._pending_count -= 1

    def _renew(self, reason: str | None) -> None:
        """Threads may hang in a dead connection for long: they are left to it, and new ones begin with new ones."""
        if reason == DATABASE_AWAY:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool, self._pending_count = self._new_pool(), 0

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads, thread_name_prefix="store")


def _tell(loop: asyncio.AbstractEventLoop, callback: Callable[[ThreadPoolExecutor], None], pool: Any) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback, pool)
