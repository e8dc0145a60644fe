"""A reader at work: drops are written to a folder and read with the real engine."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from aiqleads_pipeline.rules.sources import SourceRules
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.stages.reading import DropFile, ReadResult, Table, read_drops, read_table

RECEIVED_AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@dataclass
class Reader:
    """Reads bytes as the pipeline would read a drop."""

    con: duckdb.DuckDBPyConnection
    settings: Settings
    folder: Path
    received_at: datetime = RECEIVED_AT
    _count: Iterator[int] = field(default_factory=itertools.count)

    def drop(self, content: bytes | str, name: str = "leads.csv") -> DropFile:
        """A file that arrived."""
        data = content.encode() if isinstance(content, str) else content
        path = self.folder / f"arrived-{next(self._count)}"
        path.write_bytes(data)
        return DropFile(path, hashlib.sha256(data).hexdigest(), name)

    def table(self, content: bytes | str, **settings: Any) -> Table:
        """The drop as a table of text."""
        return read_table(self.con, self.drop(content), self._settings(settings), self.folder)

    def cells(self, content: bytes | str, **settings: Any) -> list[tuple[Any, ...]]:
        """Its cells alone."""
        return [row[4:] for row in self.rows(content, **settings)]

    def rows(self, content: bytes | str, **settings: Any) -> list[tuple[Any, ...]]:
        """Its rows: drop_row, line_number, read_error_code, raw_line, cells."""
        table = self.table(content, **settings)
        rows = table.relation.order("drop_row").fetchall()
        assert len(rows) == table.rows
        assert sum(row[2] is not None for row in rows) == table.unreadable_rows
        table.release()
        return rows

    def drops(
        self, *contents: bytes | str, rules: SourceRules | None = None, channel: str = "upload", **settings: Any
    ) -> ReadResult:
        """The drops as a batch of raw leads."""
        return read_drops(
            self.con,
            [self.drop(content, f"drop-{number}") for number, content in enumerate(contents, 1)],
            rules or SourceRules(name="fair"),
            batch_id="20261123T093000-0001",
            channel=channel,
            received_at=self.received_at,
            settings=self._settings(settings),
            workdir=self.folder,
        )

    def leads(self, *contents: bytes | str, rules: SourceRules | None = None, **settings: Any) -> list[dict[str, Any]]:
        """The raw leads of a batch: what is not null, without the constants of the batch."""
        result = self.drops(*contents, rules=rules, **settings)
        relation = result.relation.order("row_number")
        hidden = ("batch_id", "source", "source_channel", "received_at", "lead_id")
        leads = [
            {name: value for name, value in zip(relation.columns, row, strict=True) if value is not None}
            for row in relation.fetchall()
        ]
        result.release()
        return [{name: value for name, value in lead.items() if name not in hidden} for lead in leads]

    def _settings(self, changes: dict[str, Any]) -> Settings:
        return self.settings.model_copy(update=changes)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """One engine for the stories of a module."""
    folder = tmp_path_factory.mktemp("drops [of] today*")
    settings = Settings(HOME=folder / "home")
    with open_engine(settings) as con:
        yield Reader(con, settings, folder)
        left = con.execute("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'drop_%'").fetchall()
        assert left == [], "released tables are gone"
