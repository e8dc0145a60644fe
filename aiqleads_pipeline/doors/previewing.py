"""How a file would be read: what its columns mean and its first rows, before anything is sent for good.

Belongs here: reading the head of a file as the pipeline would. Does not belong here: any judgement of values.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES, LEAD_COLUMNS
from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.doors.readers import Readers
from aiqleads_pipeline.rules.headers import IGNORE
from aiqleads_pipeline.rules.sources import SourceRules
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.stages.reading import DropFile, DropRefused, Table, read_table
from aiqleads_pipeline.stages.reading.kinds import kind_of
from aiqleads_pipeline.stages.reading.mapping import Mapped, is_reachable, map_headers
from aiqleads_pipeline.stages.reading.projection import project_raw

FIRST_ROWS = 10
MAX_SHOWN_CHARS = 200
MAX_UNPACKED_MB = 256
_LOOKS_LIKE = {"is_address": "email", "is_phone": "phone"}
_NOBODY = "0" * 64
FIELDS = [
    *({"name": column.name, "description": column.description} for column in LEAD_COLUMNS),
    {"name": IGNORE, "description": "Leave this column out"},
]


def preview_file(
    readers: Readers, path: Path, name: str, source: SourceRules, mapping: dict[str, str], is_head: bool
) -> dict[str, Any]:
    """What the pipeline would make of a file, or of the head of a text. In a thread.

    Raises:
        Problem: 400, it can't be read, with the reason.
    """
    settings = readers.settings.model_copy(update={"MAX_DROP_MB": MAX_UNPACKED_MB})
    if is_head:
        _end_with_a_line(path)
    with readers.workplace() as workdir, open_engine(settings, workdir / "spill") as con:
        try:
            drop = DropFile(path, _NOBODY, name)
            table = read_table(con, drop, settings, workdir, encoding=source.encoding, delimiter=source.delimiter)
        except DropRefused as refused:
            raise Problem(400, refused.code, detail=refused.detail or None) from None
        mapped = map_headers(table.headers, source.columns | mapping)
        return {
            "source": source.name,
            **{fact: table.facts.get(fact) for fact in ("format", "encoding", "delimiter")},
            "has_header": bool(table.facts.get("has_header", True)),
            "is_correction": bool(table.facts.get("is_correction")),
            "rows_count": table.rows,
            "unreadable_rows_count": table.unreadable_rows,
            "is_reachable": is_reachable(mapped),
            "columns": [
                {**item.fact(), "looks_like": _looks_like(table, index, item)} for index, item in enumerate(mapped)
            ],
            "rows": _first_rows(table, mapped, source),
            "fields": FIELDS,
        }


def _first_rows(table: Table, mapped: list[Mapped], source: SourceRules) -> list[Any]:
    """The first rows: their cells as they are in the file, and the lead's columns as the pipeline takes them."""
    head = table.relation.order("drop_row").limit(FIRST_ROWS)
    origin: dict[str, str | datetime] = {
        "batch_id": "", "source": source.name, "source_channel": "upload", "received_at": datetime.now(UTC),
    }  # fmt: skip
    first = Table(table.headers, head, table.facts, table.rows, table.unreadable_rows)
    leads = project_raw(first, mapped, 0, 0, origin, source.defaults).order("row_number").to_arrow_table().to_pylist()
    rows = []
    for row, lead in zip(head.to_arrow_table().to_pylist(), leads, strict=True):
        cells = [_shown(row[f"c{index}"]) for index in range(len(table.headers))]
        rows.append(
            {
                "line_number": row["line_number"],
                "code": lead["read_error_code"],
                "cells": cells,
                "lead": {each: _shown(lead[each]) for each in LEAD_COLUMN_NAMES if lead[each] is not None},
            }
        )
    return rows


def _looks_like(table: Table, index: int, item: Mapped) -> str | None:
    if item.column:
        return None
    values = [row[index].strip() for row in table.samples if len(row) > index and row[index].strip()]
    return _LOOKS_LIKE.get(kind_of(values) or "")


def _shown(value: str | None) -> str | None:
    return value if value is None or len(value) <= MAX_SHOWN_CHARS else value[:MAX_SHOWN_CHARS] + "…"


def _end_with_a_line(path: Path) -> None:
    """Cut a head behind its last whole line: where it was cut, it may lack the half of a cell or of a character."""
    content = path.read_bytes()
    end = content.rfind(b"\n") + 1
    if content.startswith(b"\xff\xfe"):  # UTF-16: the line's end has two bytes
        end += end % 2
    if 0 < end <= len(content):
        with path.open("r+b") as file:
            file.truncate(end)
