"""Reads delimited text line by line, finding its feet again after every line that can't be read.

Belongs here: what a record is when quotes or counts are wrong. This is the slow way, taken where ``delimited`` finds
that the engine's fast reader would refuse the file or might have swallowed lines. Memory is bounded by one record.

A record that can't be read is one row per physical line with a code and its text; the next line starts afresh:

- ``wrong_column_count``: more cells than the header (unless the surplus is empty) or fewer, even if only cells at the
  end are missing: a line torn in two looks the same, and filling it up would make two wrong leads of one;
- ``unterminated_quote``: a quote that never closes, closes in the middle of a cell, or closes only after swallowing
  lines that are records themselves;
- ``undecodable_text``, ``cell_too_large``.
"""

from __future__ import annotations

import contextlib
import csv
import itertools
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from aiqleads_pipeline.stages.reading.dialect import Dialect
from aiqleads_pipeline.stages.reading.kinds import TESTS, kind_of
from aiqleads_pipeline.stages.reading.plain import Record

MAX_RECORD_CHARS = 1 << 20
MAX_RECORD_LINES = 10_000
_SURROGATES = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Shape:
    """What a record of this file looks like: how many cells, which columns hold addresses or numbers only."""

    cells: int
    kinds: tuple[Callable[[str], bool] | None, ...] = ()

    def fits(self, cells: Sequence[str]) -> bool:
        """Whether cells look like a record of their own, not like a piece of text within one."""
        if len(cells) != self.cells or self.cells < 2:
            return False
        typed = [(kind, cell) for kind, cell in zip(self.kinds, cells, strict=False) if kind]
        if not typed:
            return self.cells >= 4
        return any(cell for _, cell in typed) and all(not cell or kind(cell.strip()) for kind, cell in typed)


def shape_of(width: int, samples: Sequence[Sequence[str]]) -> Shape:
    """The shape by the first records."""
    columns = ([row[index].strip() for row in samples if row[index].strip()] for index in range(width))
    return Shape(width, tuple(TESTS.get(kind_of(values)) for values in columns))


def read_records(
    lines: Iterable[str], dialect: Dialect, shape: Shape, first_line: int, max_cell: int
) -> Iterator[Record]:
    """The records of a text from a line on; blank lines and rows of empty cells are left out.

    ``lines`` come with their line ends; lines with bytes that are no text hold lone surrogates, and lines longer than
    the limit are ``LongLine``. Line numbers start at ``first_line``.
    """
    return _Resync(lines, dialect, shape, first_line, max_cell).records()


class LongLine(str):
    """The beginning of a line that is longer than a record may be."""

    __slots__ = ()


def bounded_lines(file: IO[str]) -> Iterator[str]:
    """The lines of a file, none longer than a record may be."""
    while line := file.readline(MAX_RECORD_CHARS):
        if len(line) < MAX_RECORD_CHARS or line.endswith(("\n", "\r")):
            yield line
            continue
        while (rest := file.readline(MAX_RECORD_CHARS)) and not rest.endswith(("\n", "\r")):
            pass
        yield LongLine(line)


class _Lines:
    """Lines for ``csv.reader`` that remembers those of the open record, and can give them once more."""

    def __init__(self, lines: Iterable[str], dialect: Dialect) -> None:
        self._lines = iter(lines)
        self._dialect = dialect
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.taken_chars = 0
        self.set_aside: str | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        taken = self.taken
        if taken and (len(taken) >= MAX_RECORD_LINES or self.taken_chars > MAX_RECORD_CHARS):
            self._again.appendleft(line)
            raise StopIteration
        if isinstance(line, LongLine) or _SURROGATES.search(line):
            if taken:
                self._again.appendleft(line)
            else:
                self.set_aside = line
            raise StopIteration
        taken.append(line)
        self.taken_chars += len(line)
        return self._dialect.guard(line)

    def done(self) -> None:
        """The open record is settled."""
        self.taken.clear()
        self.taken_chars = 0

    def give_back(self, used: int = 1) -> None:
        """Give the lines of the open record but the first ones once more."""
        self._again.extendleft(reversed(self.taken[used:]))
        self.done()


class _Resync:
    def __init__(self, lines: Iterable[str], dialect: Dialect, shape: Shape, first_line: int, max_cell: int) -> None:
        self._dialect = dialect
        self._shape = shape
        self._line = first_line
        self._max_cell = max_cell
        self._lines = _Lines(lines, dialect)
        quote, delimiter = re.escape(dialect.quote), re.escape(dialect.delimiter)
        self._blank_before_quote = re.compile(r"(?!)" if dialect.backslash else rf"(?:^|{delimiter}) +{quote}")
        csv.field_size_limit(max(csv.field_size_limit(), 2 * MAX_RECORD_CHARS))

    def records(self) -> Iterator[Record]:
        lines = self._lines
        while True:
            try:
                for cells in self._dialect.reader(lines, strict=True):
                    record = self._settle(cells)
                    if record is None:
                        yield self._give_up("unterminated_quote")
                        break
                    self._line += len(lines.taken)
                    lines.done()
                    if record.code or any(record.cells):
                        yield record
                else:
                    if lines.set_aside is None:
                        return
                    yield self._refuse_set_aside()
            except csv.Error:
                yield self._recover() or self._give_up("unterminated_quote")

    def _settle(self, cells: list[str]) -> Record | None:
        """The record of strictly parsed cells; None where it must be taken apart into its lines."""
        width, taken = self._shape.cells, self._lines.taken
        cells = self._trimmed(cells)
        if len(taken) == 1 and " " + self._dialect.quote in taken[0] and self._blank_before_quote.search(taken[0]):
            between = self._trimmed(self._dialect.cells_between_blanks(_bare(taken[0])))
            cells = between if len(between) == width else cells
        if len(taken) > 1 and (len(cells) != width or self._has_swallowed(taken)):
            return None
        if len(cells) != width:
            if not any(cells):
                return Record(self._line, [])
            found = self._reread(taken[0])
            if found is None:
                return Record(self._line, [], "wrong_column_count", _bare(taken[0]))
            cells = found
        if self._lines.taken_chars > self._max_cell and max(map(len, cells)) > self._max_cell:
            return Record(self._line, [], "cell_too_large", "".join(taken)[: self._max_cell])
        return Record(self._line, cells)

    def _has_swallowed(self, taken: list[str]) -> bool:
        """Whether lines within a quoted cell are records of their own: then a quote was forgotten."""
        if self._shape.cells < 2:
            return False
        if any(self._shape.fits(self._alone(line)) for line in taken[1:-1]):
            return True
        return self._has_stray_quote(taken[0]) and self._has_stray_quote(taken[-1])

    def _has_stray_quote(self, line: str) -> bool:
        """Whether a line is a record if one quote in it is taken for text."""
        cells = _bare(line).split(self._dialect.delimiter)
        return sum(cell.count(self._dialect.quote) % 2 for cell in cells) == 1 and self._shape.fits(cells)

    def _alone(self, line: str) -> list[str]:
        if line.count(self._dialect.delimiter) + 1 < self._shape.cells:
            return []
        try:
            return next(self._dialect.reader([self._dialect.guard(line)], strict=True), [])
        except csv.Error:
            return []

    def _recover(self) -> Record | None:
        """The record of lines with odd quotes, if it can be read in one way only."""
        taken, width = self._lines.taken, self._shape.cells
        if len(taken) > 1:
            cells = self._trimmed(self._dialect.cells_between_blanks(_bare("".join(taken))))
            if len(cells) == width and not self._has_swallowed(taken):
                return self._recovered(cells, len(taken))
        found = self._reread(taken[0])
        if found is None:
            quote = self._dialect.quote
            literal = _bare(taken[0]).split(self._dialect.delimiter)
            # As many cells as the header, and no cell with half a pair of quotes: no quoted cell holds a delimiter.
            if len(literal) == width and all(cell.count(quote) % 2 == 0 for cell in literal):
                found = [_unwrapped(cell, quote) for cell in literal]
        return None if found is None else self._recovered(found, 1)

    def _recovered(self, cells: list[str], lines: int) -> Record | None:
        if max(map(len, cells)) > self._max_cell:
            return None
        record = Record(self._line, cells)
        self._line += lines
        self._lines.give_back(lines)
        return record

    def _reread(self, line: str) -> list[str] | None:
        """The cells by the other habits of writers: backslashes before quotes, blanks around quotes."""
        quote = self._dialect.quote
        found: list[list[str]] = []
        if "\\" + quote in line:
            dialect = self._dialect.with_backslash()
            with contextlib.suppress(csv.Error):
                found += itertools.islice(dialect.reader([dialect.guard(line)], strict=True), 1)
        if " " + quote in line or quote + " " in line:
            found.append(self._dialect.cells_between_blanks(_bare(line)))
        return next((cells for cells in map(self._trimmed, found) if len(cells) == self._shape.cells), None)

    def _trimmed(self, cells: list[str]) -> list[str]:
        """Cells without an empty surplus."""
        width = self._shape.cells
        return cells[:width] if len(cells) > width and not any(cells[width:]) else cells

    def _give_up(self, code: str) -> Record:
        record = Record(self._line, [], code, _bare(self._lines.taken[0])[: self._max_cell])
        self._line += 1
        self._lines.give_back()
        return record

    def _refuse_set_aside(self) -> Record:
        line = self._lines.set_aside or ""
        self._lines.set_aside = None
        code = "cell_too_large" if isinstance(line, LongLine) else "undecodable_text"
        raw = _bare(line)[: self._max_cell].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        record = Record(self._line, [], code, raw)
        self._line += 1
        return record


def _bare(line: str) -> str:
    return line.rstrip("\r\n")


def _unwrapped(cell: str, quote: str) -> str:
    return cell[1:-1] if len(cell) > 1 and cell.startswith(quote) and cell.endswith(quote) else cell
