"""What all routes of one worker process share: settings, store, breaker, threads, keys, limits.

Belongs here: holding it together and its life. Routes find it as ``request.app.state.doors``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiqleads_pipeline.doors import metrics
from aiqleads_pipeline.doors.access import Authenticator
from aiqleads_pipeline.doors.breaker import Breaker
from aiqleads_pipeline.doors.problems import Problem, unavailable
from aiqleads_pipeline.doors.quotas import Quotas
from aiqleads_pipeline.doors.tokens import Tokens
from aiqleads_pipeline.doors.workers import Workers
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import Settings
from resources.store import keys, limits
from resources.store.database import Store
from resources.store.errors import StoreUnavailable

HOUSEKEEPING_SECONDS = 60.0


@dataclass
class Doors:
    """One per worker process. ``is_stopping`` from the moment the process was told to end."""

    settings: Settings
    outside: Outside
    breaker: Breaker = field(init=False)
    workers: Workers = field(init=False)
    quotas: Quotas = field(init=False)
    tokens: Tokens = field(init=False)
    authenticator: Authenticator = field(init=False)
    parts: dict[type, Any] = field(default_factory=dict)  # what parts of the app keep for the process's life, by type

    def __post_init__(self) -> None:
        self.breaker = Breaker(self.outside)
        self.workers = Workers(self.settings.API_DATABASE_THREADS, self.breaker)
        self.quotas = Quotas(self.settings)
        self.tokens = Tokens(self.outside)
        self.authenticator = Authenticator(self.outside, self.workers, self.tokens)

    @property
    def store(self) -> Store:
        """The operational store, for work in a thread."""
        return self.outside.store

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The life of the shared things: probing, housekeeping, the end."""
        self.breaker.on_change(lambda reason: metrics.BREAKER_OPEN.set(int(reason is not None)))
        metrics.BREAKER_OPEN.set(1)
        await self.breaker.start()
        housekeeping = asyncio.create_task(self._keep_house())
        try:
            yield
        finally:
            housekeeping.cancel()
            with contextlib.suppress(Problem):
                await self._note_used_keys()
            self.workers.stop()
            self.breaker.stop()

    async def look_up_quota(self, client: str) -> None:
        """Know where a client stands, for the fields of its answers."""
        found = await self.workers.run(limits.peek, self.store, client, self.quotas.limit)
        self.quotas.note(client, found, 0)

    def problem_of(self, error: BaseException) -> Problem | None:
        """The 503 of an error of the database or the disk, which opens the breaker if it concerns all; else None."""
        reason = self.breaker.note(error)
        if reason is not None:
            return unavailable(reason)
        return unavailable("overloaded") if isinstance(error, StoreUnavailable) else None

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(HOUSEKEEPING_SECONDS)
            with contextlib.suppress(Problem):  # the database is away: the next time will do
                await self._note_used_keys()
                await self.workers.run(keys.forget_failures, self.store)

    async def _note_used_keys(self) -> None:
        used, self.authenticator.used_keys = self.authenticator.used_keys, set()
        if used:
            await self.workers.run(keys.mark_used, self.store, sorted(used), self.settings.now())
