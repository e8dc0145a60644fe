"""Finds the rows of JSON and NDJSON drops.

Belongs here: parsing that keeps what was written (numbers, equal keys) and sets broken lines aside; large documents
are streamed. Does not belong here: flattening (``flatten``), columns (``gather``).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from aiqleads_pipeline.stages.reading.drop import DropRefused
from aiqleads_pipeline.stages.reading.flatten import Row, flatten, rows_of
from aiqleads_pipeline.stages.reading.json_text import DECODER, as_written, parse
from aiqleads_pipeline.stages.reading.proportion import OutOfProportion
from aiqleads_pipeline.stages.reading.tolerant import LongLine, bounded_lines

IN_MEMORY_BYTES = 16 << 20
_LOOKED_AT = 20  # lines that tell NDJSON from a document
_BLOCK_CHARS = 1 << 20


@dataclass
class Found:
    """A row of a document, or why it can't be read and its text."""

    line_number: int | None
    row: Row = field(default_factory=dict)
    code: str | None = None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of NDJSON: its object, or why it has none."""

    number: int
    item: dict[str, Any] | None
    fault: Found | None


def find_rows(path: Path) -> tuple[str, Iterator[Found]]:
    """The format (``json`` or ``ndjson``) and the rows of a file.

    Raises:
        DropRefused: it is no JSON, or is cut short; for a large document only while iterating.
    """
    is_small = path.stat().st_size <= IN_MEMORY_BYTES
    if is_small:
        try:
            envelope, items = rows_of(parse(path.read_text(encoding="utf-8-sig")))
            return "json", (as_row(None, item, envelope) for item in items)
        except OutOfProportion:
            raise DropRefused("too_many_columns", "The names of its members are out of proportion.") from None
        except (ValueError, RecursionError):
            pass  # several lines of JSON, or none
    if _is_ndjson(path):
        return "ndjson", _rows_of_lines(path)
    if is_small:
        raise DropRefused("corrupt_file", "It begins like JSON but is not valid to its end.")
    return "json", _rows_of_stream(path)


def as_row(line_number: int | None, item: Any, envelope: Row) -> Found:
    """An item of a document as a row; what stands around it fills in."""
    if not isinstance(item, dict):
        return Found(line_number, code="invalid_json", raw=as_written(item))
    try:
        row = flatten(item)
    except OutOfProportion:
        return Found(line_number, code="too_many_members", raw=as_written(item))
    except RecursionError:
        return Found(line_number, code="invalid_json", raw=as_written(item))
    return Found(line_number, row | {header: text for header, text in envelope.items() if header not in row})


def lines_of(path: Path) -> Iterator[Line]:
    """The lines of an NDJSON file that are not empty."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        for number, line in enumerate(bounded_lines(file), start=1):
            text = line.strip()
            if not text:
                continue
            code, item = None, None
            if isinstance(line, LongLine):
                code = "cell_too_large"
            elif not _is_text(text):
                code = "undecodable_text"
            else:
                item = _parse_object(text)
                code = None if item is not None else "invalid_json"
            yield Line(number, item, None if code is None else Found(number, code=code, raw=_visible(text)))


def _rows_of_lines(path: Path) -> Iterator[Found]:
    return (line.fault or as_row(line.number, line.item, {}) for line in lines_of(path))


def _parse_object(text: str) -> dict[str, Any] | None:
    try:
        item = parse(text)
    except (ValueError, RecursionError):
        return None
    return item if isinstance(item, dict) else None


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _visible(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _is_ndjson(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = itertools.islice(bounded_lines(file), _LOOKED_AT)
        return any(_parse_object(line.strip()) is not None for line in lines)


def _rows_of_stream(path: Path) -> Iterator[Found]:
    """The rows of a document too large for memory: a list, or the first list of objects that a root object holds.

    What stands before the list belongs to every row.
    """
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        cursor = _Cursor(file)
        if cursor.peek() == "[":
            for item in cursor.items():
                yield as_row(None, item, {})
        else:
            envelope: dict[str, Any] = {}
            has_rows = False
            for name in cursor.members():
                if has_rows or cursor.peek() != "[":
                    envelope[name] = cursor.value()
                    continue
                has_rows, around = True, _around(envelope)
                for item in cursor.items():
                    yield as_row(None, item, around)
        if cursor.peek():
            raise DropRefused("corrupt_file", "Something stands behind the end of the JSON document.")


def _around(envelope: dict[str, Any]) -> Row:
    try:
        return flatten(envelope)
    except (OutOfProportion, RecursionError) as error:
        raise DropRefused("too_many_columns", "What stands around its rows is out of proportion.") from error


class _Cursor:
    """Reads JSON values one after the other from a file, holding one value at a time."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._text = ""
        self._at = 0

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            while self._at < len(self._text):
                if not self._text[self._at].isspace():
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def value(self) -> Any:
        """The next value."""
        self.peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if len(self._text) - self._at > IN_MEMORY_BYTES or not self._more():
                    raise DropRefused("corrupt_file", "The JSON document is damaged or cut short.") from error
                continue
            if end < len(self._text) or not self._more():
                self._at = end
                return value

    def items(self) -> Iterator[Any]:
        """The items of the list that begins here."""
        self._take("[")
        if self.peek() == "]":
            self._take("]")
            return
        while True:
            yield self.value()
            if self._take(",]") == "]":
                return

    def members(self) -> Iterator[str]:
        """The names of the object that begins here; the caller takes each value."""
        self._take("{")
        if self.peek() == "}":
            self._take("}")
            return
        while True:
            name = str(self.value())
            self._take(":")
            yield name
            if self._take(",}") == "}":
                return

    def _take(self, allowed: str) -> str:
        char = self.peek()
        if not char or char not in allowed:
            raise DropRefused("corrupt_file", "The JSON document is damaged or cut short.")
        self._at += 1
        return char

    def _more(self) -> bool:
        pending = self._text[self._at :]
        block = self._file.read(max(_BLOCK_CHARS, len(pending)))
        self._text, self._at = pending + block, 0
        return bool(block)
