"""The breaker of one process: notices that the database or the disk is away, says so at once, and heals by itself.

Belongs here: whether work may begin. A thread asks the database ten times a second; an answer that does not come within
``HANG_SECONDS`` (a stopped server, a network that swallows packets) opens the breaker as an error does. While it is
open every request is refused in memory, and whoever waits for the database is let go with a 503.
"""

from __future__ import annotations

import asyncio
import errno
import shutil
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from aiqleads_pipeline.doors.problems import unavailable
from aiqleads_pipeline.outside import Outside
from resources.store.database import statement
from resources.store.errors import StoreError, StoreUnavailable

DATABASE_AWAY, DISK_FULL = "database_away", "disk_full"
PROBE_SECONDS = 0.1
HANG_SECONDS = 0.5
LOOK_SECONDS = 0.05
DISK_PROBE_SECONDS = 1.0
T = TypeVar("T")


class Breaker:
    """Open with a ``reason`` or closed (None). Lives in the event loop's thread, but for the probing."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self.reason: str | None = DATABASE_AWAY  # until the first probe says otherwise
        self.opened_count = 0
        self._changed: list[Callable[[str | None], None]] = []
        self._asked_at: float | None = None
        self._stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop  # from start on, as the next
        self._opened: asyncio.Future[None]
        self._looking: asyncio.Task[None] | None = None
        self.fatal: StoreError | None = None  # what no waiting mends: a newer schema, a wrong URL

    async def start(self) -> None:
        """Begin to probe; returns when the first probe has an outcome or is late."""
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.create_future()
        first = asyncio.Event()
        threading.Thread(target=self._probe_for_ever, args=(first,), name="breaker", daemon=True).start()
        await first.wait()
        if self.fatal is not None:
            raise self.fatal
        self._looking = self._loop.create_task(self._look_for_ever())

    def stop(self) -> None:
        """End probing; nothing is waited for."""
        self._stop.set()
        if self._looking is not None:
            self._looking.cancel()

    def on_change(self, callback: Callable[[str | None], None]) -> None:
        """Call back in the event loop whenever the reason changes: who batches requests lets its waiters go."""
        self._changed.append(callback)

    def check(self) -> None:
        """Raise the 503 of an open breaker."""
        if self.reason is not None:
            raise unavailable(self.reason)

    async def watch(self, work: Awaitable[T]) -> T:
        """The outcome of ``work``, or the 503 as soon as the breaker opens; the work itself goes on unwatched."""
        self.check()
        task = asyncio.ensure_future(work)
        await asyncio.wait((task, self._opened), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        task.add_done_callback(_forget)
        raise unavailable(self.reason or DATABASE_AWAY)

    def note(self, error: BaseException) -> str | None:
        """Open for an error of the database or the disk that concerns all requests; the reason, None if it does not."""
        reason = reason_of(error)
        if reason is not None:
            self._set(reason)
        return reason

    def probe(self, reason: str | None) -> str | None:
        """Ask once; an open breaker asks for more before it closes: a new connection, and room on the disk."""
        store = self._outside.store  # the first time: opened and migrated
        if reason == DATABASE_AWAY:
            store.engine.dispose()
        with store.connect() as con, con.begin():
            con.execute(statement("doors/probe"))
            if reason == DISK_FULL:
                con.execute(statement("doors/probe_room"))
        free_mb = shutil.disk_usage(self._outside.settings.home).free // 2**20
        return DISK_FULL if free_mb < self._outside.settings.API_DISK_RESERVE_MB else None

    def _set(self, reason: str | None) -> None:
        if reason == self.reason or (reason == DATABASE_AWAY and self.reason == DISK_FULL):
            return
        self.reason = reason
        if reason is None:
            self._opened = self._loop.create_future()
        else:
            self.opened_count += 1
            if not self._opened.done():
                self._opened.set_result(None)
        for callback in self._changed:
            callback(reason)

    async def _look_for_ever(self) -> None:
        """Notice in the event loop that the prober got no answer."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            asked_at = self._asked_at
            if asked_at is not None and time.monotonic() - asked_at > HANG_SECONDS:
                self._set(DATABASE_AWAY)

    def _probe_for_ever(self, first: asyncio.Event) -> None:
        while not self._stop.is_set():
            self._asked_at = time.monotonic()
            try:
                reason = self.probe(self.reason)
            except StoreUnavailable as error:
                reason = reason_of(error) or self.reason
            except StoreError as error:
                self.fatal, reason = error, DATABASE_AWAY
            except (OSError, DBAPIError, PoolTimeout) as error:
                reason = reason_of(error) or DATABASE_AWAY
            self._asked_at = None
            try:
                self._loop.call_soon_threadsafe(self._set, reason)
                self._loop.call_soon_threadsafe(first.set)
            except RuntimeError:  # the loop is closed: the process ends
                return
            self._stop.wait(DISK_PROBE_SECONDS if reason == DISK_FULL else PROBE_SECONDS)


def reason_of(error: BaseException) -> str | None:
    """Why all requests must be refused after such an error; None for one that is this request's own (a deadlock)."""
    if isinstance(error, OSError):
        return DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else None
    if not isinstance(error, StoreUnavailable | DBAPIError):
        return None
    cause = error.__cause__ if isinstance(error, StoreUnavailable) else error
    original = cause.orig if isinstance(cause, DBAPIError) else cause
    state = getattr(original, "sqlstate", None)
    if state is None:
        return DATABASE_AWAY
    if state == "53100":
        return DISK_FULL
    return DATABASE_AWAY if state.startswith(("08", "53", "57P", "58")) else None


def _forget(task: asyncio.Future[T]) -> None:
    if not task.cancelled():
        task.exception()
