"""The child process that parses a workbook: ``python -m ...excel_child FILE PLAIN_CSV LIMITS_JSON``.

Belongs here: everything that happens under its memory limit. It writes the rows of one sheet as plain CSV and prints
one JSON object: what it found, or the code of a refusal. A small workbook can take gigabytes; here only the child dies.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiqleads_pipeline.stages.reading.dialect import distinct_headers, find_header, numbered_headers
from aiqleads_pipeline.stages.reading.mapping import meaning_of
from aiqleads_pipeline.stages.reading.plain import Record, write_plain

_LOOKED_AT = 60  # rows among which the header is looked for
_SAMPLES = 200
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def main(arguments: Sequence[str]) -> int:
    """Parse the workbook; the exit status is 0 for a stated outcome, refusals included."""
    path, target, limits = Path(arguments[0]), Path(arguments[1]), json.loads(arguments[2])
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (limits["seconds"],) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        outcome = _read(path, target, limits)
    except MemoryError:
        outcome = {"refused": "reader_out_of_memory"}
    sys.stdout.write(json.dumps(outcome))
    return 0


def _read(path: Path, target: Path, limits: dict[str, int]) -> dict[str, Any]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        workbook = CalamineWorkbook.from_path(path)
    except PasswordError:
        return {"refused": "unsupported_format", "detail": "The workbook is protected by a password."}
    except CalamineError:
        return {"refused": "corrupt_file", "detail": "The workbook can't be opened."}
    names = [sheet.name for sheet in workbook.sheets_metadata if str(sheet.typ).endswith("WorkSheet")]
    names = names or workbook.sheet_names
    known = {name: _known_headers(workbook, name) if len(names) > 1 else 0 for name in names}
    filled = [name for name in names if known[name] >= 0]
    if not filled:
        return {"refused": "empty_file"}
    best = max(filled, key=lambda name: known[name])
    others = [name for name in filled if name != best]
    return {"sheet": best, "sheets_not_read": others, **_write(workbook.get_sheet_by_name(best), target, limits)}


def _known_headers(workbook: Any, name: str) -> int:
    """How many headers of a sheet are known; -1 for an empty sheet."""
    head = [_texts(row) for row in itertools.islice(workbook.get_sheet_by_name(name).iter_rows(), _LOOKED_AT)]
    filled = [row for row in head if any(row)]
    return find_header(filled, meaning_of).known if filled else -1


def _write(sheet: Any, target: Path, limits: dict[str, int]) -> dict[str, Any]:
    head = [(number, _texts(row)) for number, row in enumerate(itertools.islice(sheet.iter_rows(), _LOOKED_AT), 1)]
    filled = [(number, row) for number, row in head if any(row)]
    found = find_header([row for _, row in filled], meaning_of)
    header_line, header = filled[found.index] if found.index is not None else (0, [])
    used = max(
        (
            index + 1
            for number, row in enumerate(sheet.iter_rows(), 1)
            if number >= header_line
            for index in [_last_filled(row)]
        ),
        default=0,
    )
    if used > limits["columns"]:
        return {"refused": "too_many_columns", "detail": f"It has {used}, the limit is {limits['columns']}."}
    headers = distinct_headers([*header, *[""] * used][:used]) if header else numbered_headers(used)
    samples: list[list[str]] = []
    rows, unreadable = write_plain(_records(sheet, header_line, used, limits["cell_chars"], samples), target, used)
    return {
        "headers": headers,
        "has_header": bool(header),
        "header_row": header_line or None,
        "rows": rows,
        "unreadable": unreadable,
        "samples": samples,
    }


def _records(sheet: Any, header_line: int, width: int, max_cell: int, samples: list[list[str]]) -> Iterator[Record]:
    for number, row in enumerate(sheet.iter_rows(), 1):
        if number <= header_line:
            continue
        cells = _texts(row[:width])
        if not any(cells):
            continue
        cells += [""] * (width - len(cells))
        if max(map(len, cells)) > max_cell:
            yield Record(number, [], "cell_too_large", "\t".join(cells)[:max_cell])
            continue
        if len(samples) < _SAMPLES:
            samples.append(cells)
        yield Record(number, cells)


def _last_filled(row: Sequence[Any]) -> int:
    return next((index for index in range(len(row) - 1, -1, -1) if row[index] not in ("", None)), -1)


def _texts(row: Sequence[Any]) -> list[str]:
    return [_text(value) for value in row]


def _text(value: Any) -> str:
    """The text of a cell as a person would type it: no 12.0, no 1.2E+15, dates in ISO 8601."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value.is_integer():
            return str(int(value))
        # Workbooks keep 15 significant digits; more are noise of binary fractions.
        return format(Decimal(format(value, ".15g")), "f")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return "" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
