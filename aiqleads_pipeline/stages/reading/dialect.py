"""Finds out how a delimited text is written: delimiter, quote, escape, and where its header stands.

Belongs here: decisions on the first lines. Does not belong here: reading the rest (``delimited``, ``tolerant``) and
what headers mean (``mapping``, handed in as ``knows``).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import _csv

DELIMITERS = (",", ";", "\t", "|", "\x1f", "\x01", "^", "~", ":")
SAMPLE_LINES = 200
_PREAMBLE_RECORDS = 40
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DATALIKE = re.compile(r"[\d\s.,+\-()/:%$€£]+")

Knows = Callable[[str], str | None]  # a header's meaning, None where it has none


@dataclass(frozen=True)
class Dialect:
    """How cells are told apart; with ``backslash`` a backslash escapes."""

    delimiter: str
    quote: str = '"'
    backslash: bool = False

    def reader(self, lines: Iterable[str], strict: bool = False) -> _csv.Reader:
        """A reader of records; strict ones raise ``csv.Error`` at a quote out of place."""
        options: dict[str, Any] = {"escapechar": "\\", "doublequote": False} if self.backslash else {}
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote, strict=strict, **options)

    def guard(self, line: str) -> str:
        """A line in which a backslash that escapes nothing stays a backslash."""
        if not self.backslash or "\\" not in line:
            return line
        loose = rf"\\(?![\\{re.escape(self.quote)}{re.escape(self.delimiter)}\r\n])|(\\\\)"
        return re.sub(loose, lambda found: found.group(1) or "\\\\", line)

    def with_backslash(self) -> Dialect:
        """The same with backslashes that escape."""
        return replace(self, backslash=True)

    def cells_between_blanks(self, line: str) -> list[str]:
        """The cells of a line in which blanks stand around quotes; empty if quotes are out of place even so."""
        quote, delimiter = re.escape(self.quote), re.escape(self.delimiter)
        cell = re.compile(
            rf" *{quote}((?:[^{quote}]++|{quote}{quote})*+){quote} *(?={delimiter}|$)"
            rf"|((?! *{quote})[^{delimiter}]*)(?={delimiter}|$)"
        )
        cells: list[str] = []
        at = 0
        while found := cell.match(line, at):
            quoted, bare = found.groups()
            cells.append(quoted.replace(self.quote * 2, self.quote) if quoted is not None else bare)
            if found.end() == len(line):
                return cells
            at = found.end() + 1
        return []


@dataclass(frozen=True)
class Layout:
    """Where the rows begin: dialect, headers, physical lines before the first row, whether there is a header."""

    dialect: Dialect
    headers: list[str]
    lines_before_rows: int
    has_header: bool
    samples: list[list[str]]

    @property
    def width(self) -> int:
        """Cells of a row."""
        return len(self.headers)


@dataclass(frozen=True)
class HeaderRow:
    """The header among the first records: its position (None: there is none) and how many headers are known."""

    index: int | None
    known: int


def find_layout(head: str, knows: Knows, delimiter: str | None = None) -> Layout:
    """The layout by the first lines of a text; ``delimiter`` where the source declares it."""
    lines = list(io.StringIO(head, newline=""))
    if len(lines) > 1 and not lines[-1].endswith(("\n", "\r")):
        lines.pop()  # cut off by the sample's end
    lines = lines[:SAMPLE_LINES]
    skipped = 0
    declared = re.fullmatch(r"\"?sep=(.)\"?\s*", lines[0]) if lines else None
    if declared:
        delimiter, skipped = delimiter or declared.group(1), 1
    quotes = _quotes_of(lines)
    marks = [delimiter] if delimiter else [mark for mark in DELIMITERS if any(mark in line for line in lines)]
    choices = [Dialect(mark, quote) for quote in quotes for mark in marks or [","]]
    # Where a quote behind a backslash can't close a cell, backslashes escape; of equally good ways the first is taken.
    choices = [
        variant
        for choice in choices
        for variant in ([choice.with_backslash()] if _escapes(lines, choice) else []) + [choice]
    ]
    return max((_layout(lines, skipped, choice, knows) for choice in choices), key=lambda found: found[0])[1]


def _escapes(lines: list[str], dialect: Dialect) -> bool:
    inside = re.compile(rf"\\{dialect.quote}(?![{re.escape(dialect.delimiter)}\r\n{dialect.quote}]|$)")
    return any(inside.search(line) for line in lines)


def find_header(records: Sequence[Sequence[str]], knows: Knows) -> HeaderRow:
    """The header among the first records: the first that knows the most, or the first record if it looks like one.

    A record of data is never taken for a header: it has addresses or numbers in it, or a lone word that happens to be
    known. Title rows, notes and comments may stand above.
    """
    best, most = None, 0
    usual = _first_of_usual_width(records)
    is_one_column = bool(records) and len(records[usual]) == 1
    for index, record in enumerate(records[:_PREAMBLE_RECORDS]):
        filled = [cell for cell in record if cell.strip()]
        if not filled or any(_EMAIL.fullmatch(cell.strip()) for cell in filled):
            continue
        if len(filled) == 1 and not is_one_column:
            continue
        known = len({meaning for cell in filled if (meaning := knows(cell))})
        enough = known >= 3 or known * 4 >= len(filled)
        if any(_is_data(cell.strip()) for cell in filled):
            enough = known >= 2 and known * 2 >= len(filled)
        if known > most and enough and (index == 0 or known >= 2 or is_one_column):
            best, most = index, known
    if best is not None:
        return HeaderRow(best, most)
    filled = [cell.strip() for cell in records[usual] if cell.strip()] if records else []
    if filled and len(set(filled)) * 2 > len(filled) and not any(_is_data(cell) for cell in filled):
        return HeaderRow(usual, 0)
    return HeaderRow(None, 0)


def _first_of_usual_width(records: Sequence[Sequence[str]]) -> int:
    """The first record with as many cells as most have: title rows and comments have fewer."""
    counts = [len(record) for record in records]
    usual = max(set(counts), key=counts.count, default=0)
    return counts.index(usual) if counts.count(usual) * 2 > len(counts) else 0


def numbered_headers(width: int) -> list[str]:
    """Names for the columns of a file without a header; ``sources.yaml`` may refer to them."""
    return [f"column {number}" for number in range(1, width + 1)]


def distinct_headers(cells: Sequence[str]) -> list[str]:
    """Headers under which every column can be kept: equal ones are numbered, empty ones named by position."""
    seen: set[str] = set()
    headers = []
    for number, cell in enumerate(cells, start=1):
        base = " ".join(cell.replace("\ufeff", "").split()) or f"column {number}"
        header, count = base, 1
        while header in seen:
            count += 1
            header = f"{base} ({count})"
        seen.add(header)
        headers.append(header)
    return headers


def _layout(lines: list[str], skipped: int, dialect: Dialect, knows: Knows) -> tuple[tuple[float, ...], Layout]:
    records, ends = _sample(lines[skipped:], dialect)
    kept = [(record, end) for record, end in zip(records, ends, strict=True) if any(cell.strip() for cell in record)]
    records = [record for record, _ in kept]
    found = find_header(records, knows)
    rows = records if found.index is None else records[found.index + 1 :]
    width = _width(records, rows, found)
    if found.index is None:
        headers, before = numbered_headers(width), skipped
    else:
        cells = list(records[found.index])
        headers = distinct_headers([*cells, *[""] * width][:width])
        before = skipped + kept[found.index][1]
    samples = [[*row[:width]] for row in rows if len(row) >= width and not any(row[width:])]
    steady = len(samples) / len(rows) if rows else 0.5
    score = (float(found.known), steady if width > 1 else 0.0, float(min(width, 50)))
    return score, Layout(dialect, headers, before, found.index is not None, samples)


def _width(records: list[list[str]], rows: list[list[str]], found: HeaderRow) -> int:
    """Cells of a row: as many as the header has, without an empty end that no row fills."""
    if found.index is None:
        counts = [len(row) for row in rows]
        return max(set(counts), key=counts.count) if counts else 0
    header = records[found.index]
    width = len(header)
    while width > 1 and not header[width - 1].strip() and not any(any(row[width - 1 :]) for row in rows):
        width -= 1
    return width


def _sample(lines: list[str], dialect: Dialect) -> tuple[list[list[str]], list[int]]:
    """The first records and the number of physical lines up to the end of each."""
    records, ends = [], []
    reader = dialect.reader(map(dialect.guard, lines))
    try:
        for record in reader:
            records.append(record)
            ends.append(reader.line_num)
    except csv.Error:
        pass  # a cell beyond csv's limit: what was read so far decides
    return records, ends


def _quotes_of(lines: list[str]) -> list[str]:
    """The quotes to try, likeliest first: the single quote only where it wraps cells and the double quote does not."""
    text = "".join(lines)
    edge = "[" + re.escape("".join(DELIMITERS)) + r"\r\n]"
    wrapped = {quote: len(re.findall(rf"(?:^|{edge}){quote}[^{quote}]*{quote}(?={edge}|$)", text)) for quote in "\"'"}
    return ["'", '"'] if wrapped["'"] > len(lines) // 2 and not wrapped['"'] else ['"']


def _is_data(cell: str) -> bool:
    return len(cell) > 200 or "@" in cell or "://" in cell or _DATALIKE.fullmatch(cell) is not None
