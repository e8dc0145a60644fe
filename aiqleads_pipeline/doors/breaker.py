"""The breaker of one process: notices that the database or the disk is away, says so at once, and heals by itself.

Belongs here: whether work may begin. A thread asks the database ten times a second, and at once when a request comes
and the last answer is not of this moment; an answer that is late (a stopped server, a network that swallows packets)
opens the breaker as an error does. While it is open every request is refused in memory, and whoever waits for the
database is let go with a 503.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import shutil
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from aiqleads_pipeline.doors.problems import unavailable
from aiqleads_pipeline.outside import Outside
from resources.store.database import statement
from resources.store.errors import StoreError, StoreUnavailable

DATABASE_AWAY, DISK_FULL = "database_away", "disk_full"
PROBE_SECONDS = 0.1
FRESH_SECONDS = 0.01  # a request that comes later after an answer of the database makes the prober ask again
LEAST_PATIENCE_SECONDS, MOST_PATIENCE_SECONDS = 0.06, 0.5
LOOK_SECONDS = 0.01
DISK_PROBE_SECONDS = 1.0
T = TypeVar("T")


class Patience:
    """How long an answer of the database may take before it is called away: a few times what the slowest took lately.

    A fast one is missed within a moment, and a busy one is not called away. The prober's; others may read.
    """

    TIMES, FORGETTING = 4, 0.95  # of the slowest answer; what is left of it after another one

    def __init__(self) -> None:
        self._slowest_seconds = MOST_PATIENCE_SECONDS / self.TIMES

    @property
    def seconds(self) -> float:
        """The patience of now."""
        return max(LEAST_PATIENCE_SECONDS, self.TIMES * self._slowest_seconds)

    def note(self, seconds: float) -> None:
        """The database answered after so long."""
        slowest = max(seconds, self._slowest_seconds * self.FORGETTING)
        self._slowest_seconds = min(slowest, MOST_PATIENCE_SECONDS / self.TIMES)


class Breaker:
    """Open with a ``reason`` or closed (None). Lives in the event loop's thread, but for the probing."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self.reason: str | None = DATABASE_AWAY  # until the first probe says otherwise
        self.opened_count = 0
        self._changed: list[Callable[[str | None], None]] = []
        self._asked_at: float | None = None
        self._answered_at = 0.0
        self._patience = Patience()
        self._wake = threading.Event()
        self._kept: Connection | None = None  # the prober's own
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
        self._wake.set()
        if self._looking is not None:
            self._looking.cancel()

    def on_change(self, callback: Callable[[str | None], None]) -> None:
        """Call back in the event loop whenever the reason changes: who batches requests lets its waiters go."""
        self._changed.append(callback)

    def check(self) -> None:
        """Raise the 503 of an open breaker; have the database asked if that was not done just now."""
        if self.reason is not None:
            raise unavailable(self.reason)
        if self._asked_at is None and time.monotonic() - self._answered_at > FRESH_SECONDS:
            self._wake.set()

    async def watch(self, work: Awaitable[T]) -> T:
        """The outcome of ``work``, or the 503 as soon as the breaker opens; the work itself goes on unwatched."""
        self.check()
        task = asyncio.ensure_future(work)
        await asyncio.wait((task, self._opened), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        task.add_done_callback(_forget)
        raise unavailable(self.reason or DATABASE_AWAY)

    def note_answer(self) -> None:
        """The database did some work just now: whatever else is late, it is there."""
        self._answered_at = time.monotonic()

    def note(self, error: BaseException) -> str | None:
        """Open for an error of the database or the disk that concerns all requests; the reason, None if it does not."""
        reason = reason_of(error)
        if reason is not None:
            self._set(reason)
        return reason

    def probe(self, reason: str | None) -> str | None:
        """Ask once; an open breaker asks for more before it closes: a new connection, and room on the disk.

        A closed one asks on a connection that it keeps: the pool would take a dead one away and wait for another.
        """
        if reason is None and self._kept is not None:
            with self._kept.begin():
                self._kept.execute(statement("doors/probe"))
        else:
            self._let_go()
            self._ask_anew(reason)
        free_mb = shutil.disk_usage(self._outside.settings.home).free // 2**20
        return DISK_FULL if free_mb < self._outside.settings.API_DISK_RESERVE_MB else None

    def _ask_anew(self, reason: str | None) -> None:
        store = self._outside.store  # the first time: opened and migrated
        if reason == DATABASE_AWAY:
            store.engine.dispose()
        with store.connect() as con, con.begin():
            con.execute(statement("doors/probe"))
            if reason == DISK_FULL:
                con.execute(statement("doors/probe_room"))
        self._kept = store.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            with contextlib.suppress(DBAPIError):
                kept.invalidate()
            kept.close()

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
        """Notice in the event loop that nobody gets an answer. As late as this loop itself comes to look, as late the
        database may be: then it is the machine that is busy."""
        looked_at = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            before, looked_at = looked_at, time.monotonic()
            late = looked_at - before - LOOK_SECONDS
            asked_at = self._asked_at
            if asked_at is not None and looked_at - max(asked_at, self._answered_at) > self._patience.seconds + late:
                self._set(DATABASE_AWAY)

    def _probe_for_ever(self, first: asyncio.Event) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            self._asked_at = asked_at = time.monotonic()
            was_closed = self.reason is None
            try:
                reason = self.probe(self.reason)
                if was_closed:  # what opens a connection anew takes longer than it should be waited for
                    self._patience.note(time.monotonic() - asked_at)
            except StoreUnavailable as error:
                reason = reason_of(error) or self.reason
                self._let_go()
            except StoreError as error:
                self.fatal, reason = error, DATABASE_AWAY
            except (OSError, DBAPIError, PoolTimeout) as error:
                reason = reason_of(error) or DATABASE_AWAY
                self._let_go()
            self._asked_at, self._answered_at = None, time.monotonic()
            try:
                self._loop.call_soon_threadsafe(self._set, reason)
                self._loop.call_soon_threadsafe(first.set)
            except RuntimeError:  # the loop is closed: the process ends
                break
            if reason is None:
                self._wake.wait(PROBE_SECONDS)
            else:
                self._stop.wait(DISK_PROBE_SECONDS if reason == DISK_FULL else PROBE_SECONDS)
        self._let_go()


def reason_of(error: BaseException) -> str | None:
    """Why all requests must be refused after such an error; None for one that is this request's own (a deadlock)."""
    if isinstance(error, OSError):
        return DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else None
    if not isinstance(error, StoreUnavailable | DBAPIError):
        return None
    cause = error.__cause__ if isinstance(error, StoreUnavailable) else error
    if isinstance(cause, PoolTimeout):  # this process asks for more than it may at once: the database is there
        return None
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
