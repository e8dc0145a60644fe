"""A database of its own for each test, and what lies outside as the product opens it, with a clock the test moves."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from aiqleads_pipeline.outside import Outside, close, open_outside
from aiqleads_pipeline.settings import PROJECT_DIR, Settings
from aiqleads_pipeline_tests.pipeline.conftest import house, leads_csv  # noqa: F401
from aiqleads_pipeline_tests.store.conftest import make_database, server, template  # noqa: F401

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # a Monday


@dataclass
class World:
    """An outside, its rules folder, and a clock."""

    outside: Outside
    rules: Path
    now: datetime = NOW

    def later(self, **lengths: float) -> datetime:
        """Move the clock."""
        self.now += timedelta(**lengths)
        return self.now

    def write(self, name: str, content: str) -> None:
        """Replace a rules file."""
        (self.rules / name).write_text(content)

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Ask the store."""
        with self.outside.store.read() as con:
            return [tuple(row) for row in con.execute(text(query), values)]

    def run(self, statement: str, **values: Any) -> None:
        """Write to the store."""
        with self.outside.store.transaction("test:write") as con:
            con.execute(text(statement), values)

    def notices(self) -> list[tuple[str, dict[str, Any], str, int]]:
        """Topic, body, destination and priority of all notices, in order."""
        return self.rows(
            "SELECT n.topic, n.body, o.destination, o.priority FROM aiqleads.notices n "
            "JOIN aiqleads.outbox o ON o.lead_id = n.notice_id ORDER BY n.notice_id, o.destination"
        )


@pytest.fixture
def world(make_database: Callable[[str], str], template: str) -> Iterator[World]:  # noqa: F811
    folder = Path(tempfile.mkdtemp(prefix="aiqleads-test-"))
    shutil.copytree(PROJECT_DIR / "data" / "rules", folder / "rules")
    outside = open_outside(
        Settings(
            HOME=folder / "home", DATABASE_URL=make_database(template), RULES_DIR=folder / "rules",
            EGRESS_ALLOW_LOOPBACK=True,
        )
    )  # fmt: skip
    yield World(outside, folder / "rules")
    close(outside)
    shutil.rmtree(folder, ignore_errors=True)
