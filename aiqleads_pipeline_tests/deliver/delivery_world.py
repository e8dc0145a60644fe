"""A world that delivers: rules, a store, and a receiver that knows which event it saw how often."""

from __future__ import annotations

import base64
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from aiqleads_pipeline.delivering.worker import Worker
from aiqleads_pipeline.outside import Outside, close, open_outside
from aiqleads_pipeline.settings import PipelineConfig, Settings
from aiqleads_pipeline_tests.doors.http_world import Asked, Reply, Site, reply
from resources.store import deliveries, notices
from resources.store.deliveries import Delivery

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


class Receiver(Site):
    """Notes each event's id and takes it once: what an idempotent receiver does. ``say`` answers instead where it gives
    something."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.effects: list[str] = []
        self.say: Callable[[Asked], Reply | None] = lambda asked: None
        self._taking = threading.Lock()
        super().__init__(self._take)

    def _take(self, asked: Asked) -> Reply:
        event_id = asked.headers.get("webhook-id") or asked.headers.get("idempotency-key", "")
        with self._taking:
            self.seen[event_id] += 1
        other = self.say(asked)
        if other is not None:
            return other
        with self._taking:
            if event_id not in self.effects:
                self.effects.append(event_id)
        return reply(202, "{}")


class World:
    """Settings, rules and store of a test."""

    def __init__(self, database_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rules = folder / "rules"
        self.rules.mkdir()
        self._folder, self._url, self._monkeypatch = folder, database_url, monkeypatch
        monkeypatch.setenv("AIQLEADS_SECRET__HOOK", SECRET)
        self.outside = self.open()

    def open(self, **changes: Any) -> Outside:
        """The world by other settings."""
        base: dict[str, Any] = {
            "HOME": self._folder / "home",
            "DATABASE_URL": self._url,
            "RULES_DIR": self.rules,
            "EGRESS_ALLOW_LOOPBACK": True,
            "pipeline": PipelineConfig(MAX_RETRIES=0, RETRY_DELAY=1, DELIVERY_TIMEOUT=5),
        }
        return open_outside(Settings(**(base | changes)))

    def says(self, *destinations: str, more: str = "") -> None:
        """Write destinations.yaml: a flow mapping per destination."""
        lines = "".join(f"  - {{{each}}}\n" for each in destinations)
        (self.rules / "destinations.yaml").write_text(f"{more}\ndestinations:\n{lines}", encoding="utf-8")

    def post(self, count: int, *names: str, priority: int = 2, now: datetime | None = None) -> list[UUID]:
        """Notices for destinations; their ids."""
        made = []
        with self.outside.store.transaction("test:post") as con:
            for number in range(count):
                at = now or self.outside.settings.now()
                made.append(notices.post(con, "lead.tested", {"number": number}, names, priority, at))
        return [each for each in made if each is not None]

    def drain(self, seconds: float = 20, outside: Outside | None = None) -> int:
        """Deliver what is due."""
        with Worker(outside or self.outside) as worker:
            return worker.drain(seconds)

    def list(self, **which: Any) -> Sequence[Delivery]:
        """Deliveries as they stand."""
        return deliveries.list_deliveries(self.outside.store, **which)

    def states(self, destination: str | None = None) -> dict[str, int]:
        """How many deliveries are in which state."""
        return dict(Counter(each.state for each in self.list(destination=destination, limit=100_000)))

    def make_due(self) -> None:
        """Time passes: whatever waits is due."""
        with self.outside.store.transaction("test:pass_time") as con:
            con.execute(
                text(
                    "UPDATE aiqleads.outbox SET next_attempt_at = created_at "
                    "WHERE state = 'pending' AND next_attempt_at IS NOT NULL"
                )
            )
            con.execute(text("UPDATE aiqleads.delivery_lanes SET open_until = NULL, paused_until = NULL"))

    def close(self) -> None:
        """Let the store go."""
        close(self.outside)


def hook(receiver: Site, name: str = "hook", rest: str = "") -> str:
    """A webhook's rule."""
    return f"name: {name}, kind: webhook, url: '{receiver.url}/in', secret: HOOK{rest and ', ' + rest}"
