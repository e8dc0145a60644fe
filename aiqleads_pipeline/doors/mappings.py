"""What senders say about the columns of their file: header to contract column, as JSON.

Belongs here: reading and checking it. What headers mean otherwise is in ``stages.reading.mapping``.
"""

from __future__ import annotations

from typing import Any

from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES
from aiqleads_pipeline.doors.lead_json import parse_body
from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.reasons import describe
from aiqleads_pipeline.rules.headers import IGNORE, header_key

MAX_HEADER_CHARS = 1000


def read_mapping(text: str | None, max_columns: int) -> dict[str, str] | None:
    """The mapping of a request; None if it says nothing.

    Raises:
        Problem: 400, with every fault.
    """
    if text is None or not text.strip():
        return None
    given = parse_body(text.encode())
    if not isinstance(given, dict) or len(given) > max_columns:
        detail = f"`mapping` is a JSON object of at most {max_columns} headers and the columns they mean."
        raise Problem(400, "invalid_request", detail=detail)
    faults = [fault for number, pair in enumerate(given.items()) for fault in _faults(number, *pair)]
    by_key: dict[str, str] = {}
    for number, (header, column) in enumerate(given.items()):
        if by_key.setdefault(header_key(header), column) != column:
            faults.append(_fault(number, "invalid_value", "The same header as another one, with another column."))
    if faults:
        raise Problem(400, "invalid_request", errors=faults)
    return given


def _faults(number: int, header: str, column: Any) -> list[dict[str, Any]]:
    if not header_key(header) or len(header) > MAX_HEADER_CHARS or "\0" in header:
        return [_fault(number, "invalid_value", "No header.")]
    if not isinstance(column, str) or (column not in LEAD_COLUMN_NAMES and column != IGNORE):
        return [_fault(number, "unknown_column", describe("unknown_column"))]
    return []


def _fault(number: int, code: str, message: str) -> dict[str, Any]:
    """``number`` is the place of the header in the object, from 0: headers are not repeated."""
    return {"pointer": f"/mapping/{number}", "code": code, "message": message}
