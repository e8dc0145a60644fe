"""What a drop is, what reading it gives, and how it is refused.

Belongs here: the data that the readers and their callers share. Does not belong here: any reading.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiqleads_pipeline import reasons

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

# Columns of a table that was read, before its cells c0, c1, ...
LINE_COLUMNS = ("drop_row", "line_number", "read_error_code", "raw_line")


@dataclass(frozen=True)
class DropFile:
    """One file that arrived: where its bytes lie now, their hash (hex), and the name it was dropped under."""

    path: Path
    sha256: str
    name: str


class DropRefused(Exception):
    """A drop can't be read and must be quarantined; the message is one readable line without personal data.

    ``code`` is a reason of kind ``drop``; ``mapping`` is the column mapping that was tried, where it came so far.
    """

    def __init__(self, code: str, detail: str = "", mapping: list[dict[str, str | None]] | None = None) -> None:
        reason = reasons.REASONS[code]
        self.code = code
        self.detail = " ".join(detail.split())
        self.mapping = mapping or []
        super().__init__(" ".join(part for part in (reason.message, self.detail, reason.how_to_fix) if part))


@dataclass(frozen=True)
class Table:
    """A drop as a table of text.

    ``relation`` has the columns ``drop_row`` (from 1), ``line_number``, ``read_error_code``, ``raw_line`` and then
    ``c0`` ... one per header, all text, empty cells null. A row that can't be read has its code and raw text, and no
    cells. Where several drops were read as one table, it starts with ``drop_key``.

    It is backed by a table of the connection or by files of the working folder; ``release`` lets go of them.
    """

    headers: list[str]
    relation: DuckDBPyRelation
    facts: dict[str, Any]
    rows: int
    unreadable_rows: int
    samples: list[list[str]] = field(default_factory=list)  # the first rows, to recognise columns by their content
    has_drop_key: bool = False
    release: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class ReadResult:
    """The rows of a batch with exactly the columns of ``raw_leads`` and one dict of facts per drop.

    The relation is lazy: write it once, then call ``release`` to free what it reads from.
    """

    relation: DuckDBPyRelation
    facts: list[dict[str, Any]]
    release: Callable[[], None]


def drop_key(source: str, sha256: str) -> int:
    """The id of row 0 of a drop as a number of 128 bits (UUID version 8); add the row to get the lead's id.

    The upper 48 + 12 bits come from the source and the content, so that ids of one drop are neighbours.
    """
    digest = int.from_bytes(hashlib.sha256(f"{source}\n{sha256}".encode()).digest()[:8])
    upper, middle = digest >> 16, (digest >> 4) & 0xFFF
    return upper << 80 | 0x8 << 76 | middle << 64 | 0b10 << 62


def lead_id_prefix(source: str, sha256: str) -> str:
    """What all ids of a drop's leads begin with, ``01234567-89ab-8cde-``."""
    text = f"{drop_key(source, sha256):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-"
