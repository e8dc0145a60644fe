"""One home with a real PostgreSQL and a real Dagster instance for all tests of the wiring; a source for each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from aiqleads_pipeline.automation.instance import open_instance
from aiqleads_pipeline.commands.process import Summary, process_file
from aiqleads_pipeline.definitions import build_defs
from aiqleads_pipeline.outside import Outside, close_all, open_outside
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.tables import table_relation


@dataclass(frozen=True)
class House:
    """What `aiqleads process` has in hand."""

    outside: Outside
    instance: dg.DagsterInstance
    defs: dg.Definitions
    folder: Path

    def process(self, name: str, content: str | bytes, source: str) -> Summary:
        """Drop a file and run its batch to the end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return process_file(self.defs, self.instance, self.outside, file, source)

    def with_settings(self, **changes: Any) -> House:
        """The same home under other settings."""
        settings = self.outside.settings.model_copy(update=changes)
        return House(open_outside(settings), self.instance, build_defs(settings), self.folder)

    def rows(self, table: str, batch_id: str, *columns: str, order: str = "ALL") -> list[tuple[Any, ...]]:
        """Columns of a table of a batch."""
        with open_engine(self.outside.settings) as con:
            relation = table_relation(con, self.outside, table, batch_id)
            return relation.project(", ".join(columns) or "*").order(order).fetchall()


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    # Not under pytest's own folder: another pytest that starts takes away the database user's way through it.
    before = dict(os.environ)
    home = Path(tempfile.mkdtemp(prefix="aiqleads-test-"))
    settings = Settings(HOME=home)
    outside = open_outside(settings)
    try:
        with open_instance(outside) as instance:
            yield House(outside, instance, build_defs(settings), home / "inputs")
    finally:
        close_all()
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def leads_csv() -> Callable[..., str]:
    """A small CSV of leads whose people belong to one test only."""

    def make(tag: str, count: int = 5) -> str:
        lines = ["First Name,Last Name,Email,Company,Country,Job Title"]
        names = ["Alder", "Birch", "Cedar", "Doum", "Elm", "Fir", "Gum", "Hazel", "Iroko", "Juniper"]
        lines += [
            f"Ann{i},{names[i % 10]}{tag.title()},ann{i}@{tag}{i}-company.com,{tag.title()} {i} Software,US,CEO"
            for i in range(count)
        ]
        return "\n".join(lines) + "\n"

    return make
