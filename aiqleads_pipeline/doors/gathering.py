"""Gathers what many requests want done into few pieces of work for one thread: whatever came while it was busy.

Belongs here: queue, thread, answering the event loop. Does not belong here: what the work is.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from aiqleads_pipeline.doors.problems import unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")
BUSY_COUNT = 4  # so many items at once say that more are on their way
_Job = tuple[Item, int, asyncio.Future[Result]]


class Gatherer(Generic[Item, Result]):
    """One thread that does ``work`` on up to ``most`` (by ``size``) items at once; more than ``room`` waiting are
    refused with 503. ``work`` returns one result per item, or raises for all of them.

    After a group of several it rests for ``linger_seconds``: who was told sends again, and the next group is large.
    What a group costs, whatever its size, is paid less often; a lone item never waits.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[list[Item]], Sequence[Result | BaseException]],
        most: int,
        room: int,
        size: Callable[[Item], int] = lambda _: 1,
        linger_seconds: float = 0.0,
    ) -> None:
        self._name, self._work, self._most, self._room, self._size = name, work, most, room, size
        self._linger_seconds = linger_seconds
        self._waiting: deque[_Job[Item, Result]] = deque()
        self._waiting_size = 0
        self._at_work: list[_Job[Item, Result]] = []
        self._wake = threading.Condition()
        self._is_stopped = False
        self._thread: threading.Thread | None = None

    def submit(self, item: Item) -> asyncio.Future[Result]:
        """Hand an item over, in the event loop's thread; the future has its result.

        Raises:
            Problem: 503, too many are waiting.
        """
        size = self._size(item)
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        with self._wake:
            if self._is_stopped:
                raise unavailable("stopping")
            if self._waiting and self._waiting_size + size > self._room:
                raise unavailable("overloaded")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._waiting.append((item, size, future))
            self._waiting_size += size
            self._wake.notify()
        return future

    def let_go(self, error: BaseException) -> None:
        """Tell everybody who waits that it comes to nothing, in the event loop's thread. What is at work may hang in a
        dead connection: it is left to itself, and the next item gets a new thread."""
        with self._wake:
            left, self._at_work = [*self._at_work, *self._waiting], []
            self._waiting.clear()
            self._waiting_size = 0
            self._thread = None
            self._wake.notify_all()
        for _, _, future in left:
            if not future.done():
                future.set_exception(error)

    def stop(self, seconds: float) -> None:
        """Take nothing more; what waits is still done. Returns when it is, or after ``seconds``."""
        with self._wake:
            self._is_stopped = True
            self._wake.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _run(self) -> None:
        me = threading.current_thread()
        while taken := self._take(me):
            busy = len(taken) >= BUSY_COUNT
            results: Sequence[Result | BaseException]
            try:
                results = self._work([item for item, _, _ in taken])
            except BaseException as error:  # it is the requests' to tell; the thread goes on
                results = [error] * len(taken)
            _tell([future for _, _, future in taken], results)
            if busy and self._linger_seconds:
                time.sleep(self._linger_seconds)

    def _take(self, me: threading.Thread) -> list[_Job[Item, Result]]:
        with self._wake:
            while self._thread is me and not self._waiting:
                if self._is_stopped:
                    return []
                self._wake.wait()
            if self._thread is not me:
                return []
            taken = [self._waiting.popleft()]
            total = taken[0][1]
            while self._waiting and total + self._waiting[0][1] <= self._most:
                taken.append(self._waiting.popleft())
                total += taken[-1][1]
            self._waiting_size -= total
            self._at_work = taken
        return taken


def _tell(futures: Sequence[asyncio.Future[Result]], results: Sequence[Result | BaseException]) -> None:
    """Resolve the futures in their loop, all by one call."""
    loop = futures[0].get_loop()

    def tell() -> None:
        for future, result in zip(futures, results, strict=True):
            if future.done():  # whoever waited has gone
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)

    if not loop.is_closed():
        loop.call_soon_threadsafe(tell)
