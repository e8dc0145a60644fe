"""The plain CSV by which the slow readers hand their rows to the engine: all cells quoted, LF, UTF-8, no header.

Belongs here: writing it. The engine reads it in ``delimited.scan_plain``; no library beyond Python is needed here, so
that the child process that parses workbooks stays small.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Record(NamedTuple):
    """A record: the line it begins at (None without lines), its cells, or why it can't be read and its text."""

    line_number: int | None
    cells: list[str]
    code: str | None = None
    raw: str | None = None


def write_plain(records: Iterable[Record], path: Path, width: int) -> tuple[int, int]:
    """Write records of ``width`` cells, numbered from 1; returns rows, and unreadable rows among them."""
    rows = unreadable = 0
    empty = [""] * width
    # Lone surrogates, which JSON can spell, become visible escapes: they are no text in UTF-8.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        write = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow
        for line_number, cells, code, raw in records:
            rows += 1
            if code:
                unreadable += 1
                write((rows, line_number, code, raw, *empty))
            else:
                write((rows, line_number, "", "", *cells))
    return rows, unreadable
