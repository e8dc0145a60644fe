"""Gathers rows whose columns are not known beforehand into one table, drop after drop.

Belongs here: the union of columns over rows and drops. A batch of a thousand webhook payloads is one table, not a
thousand.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from duckdb import DuckDBPyConnection

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.reading.delimited import scan_plain
from aiqleads_pipeline.stages.reading.documents import Found
from aiqleads_pipeline.stages.reading.drop import DropRefused, Table

_SAMPLES = 200
_KEY_COLUMNS = {"drop_key": "VARCHAR", "batch_row": "BIGINT"}
_LEADING = len(_KEY_COLUMNS) + 4


class Gathering:
    """Rows of one or several drops on their way into a table; use it as a context manager, then ``table``."""

    def __init__(self, path: Path, settings: Settings, sets_drops_aside: bool = False) -> None:
        self._path = path
        self._settings = settings
        self._sets_drops_aside = sets_drops_aside
        self._headers: dict[str, None] = {}  # in the order they turned up
        self._samples: list[list[str]] = []
        self._rows = self._unreadable = 0
        self._narrowest = 1 << 30
        self._file: IO[str] = path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        self._writer = csv.writer(self._file, quoting=csv.QUOTE_ALL, lineterminator="\n")

    def __enter__(self) -> Gathering:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, key: int, found: Iterable[Found]) -> tuple[int, int]:
        """Write the rows of one drop under its key; returns how many, and how many of them can't be read.

        Raises:
            DropRefused: there are more columns than the limit, or the document turns out to be damaged. Where drops
                are set aside, this becomes one more row that can't be read instead.
        """
        rows, unreadable_before = 0, self._unreadable
        try:
            for item in found:
                self._write(key, rows + 1, item)
                rows += 1
        except DropRefused as refusal:
            if not self._sets_drops_aside:
                raise
            rows += 1
            self._write(key, rows, Found(None, code="unreadable_drop", raw=str(refusal)))
        return rows, self._unreadable - unreadable_before

    def table(self, con: DuckDBPyConnection) -> Table:
        """What was gathered, as a table with ``drop_key`` and ``batch_row``."""
        self._file.close()
        if self._narrowest < len(self._headers):
            self._widen()
        return Table(
            list(self._headers),
            scan_plain(con, self._path, len(self._headers), _KEY_COLUMNS),
            {"header": list(self._headers), "has_header": True},
            self._rows,
            self._unreadable,
            [[*row, *[""] * (len(self._headers) - len(row))] for row in self._samples],
            has_drop_key=True,
            release=lambda: self._path.unlink(missing_ok=True),
        )

    def _write(self, key: int, row: int, item: Found) -> None:
        limit = self._settings.MAX_CELL_CHARS
        if item.code is None and any(len(text) > limit for text in item.row.values()):
            item = Found(item.line_number, code="cell_too_large", raw=json.dumps(item.row, ensure_ascii=False))
        new = [header for header in item.row if header not in self._headers]
        if len(self._headers) + len(new) > self._settings.MAX_DROP_COLUMNS:
            raise DropRefused("too_many_columns", f"The limit is {self._settings.MAX_DROP_COLUMNS}.")
        self._headers.update(dict.fromkeys(new))
        cells = [item.row.get(header, "") for header in self._headers]
        self._narrowest = min(self._narrowest, len(cells))
        self._rows += 1
        self._unreadable += item.code is not None
        self._writer.writerow((key, self._rows, row, item.line_number, item.code, item.raw[:limit], *cells))
        if item.code is None and len(self._samples) < _SAMPLES:
            self._samples.append(cells)

    def _widen(self) -> None:
        """Give every row all columns: some turned up late."""
        csv.field_size_limit(max(csv.field_size_limit(), 1 << 30))
        wide, width = self._path.with_suffix(".wide.csv"), _LEADING + len(self._headers)
        with (
            self._path.open(encoding="utf-8", newline="") as narrow,
            wide.open("w", encoding="utf-8", newline="") as out,
        ):
            writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerows([*row, *[""] * (width - len(row))] for row in csv.reader(narrow))
        wide.replace(self._path)
