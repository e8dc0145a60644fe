"""Reads a drop that the doors wrote themselves: leads that were told "accepted", with the ids they were told.

Belongs here: the format of such a drop, both ways. It is no format of other people: only batches of the channel that no
folder of the bucket has are read so, thus nobody can choose a lead's id by dropping a file.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from duckdb import ColumnExpression as Column
from duckdb import ConstantExpression as Constant
from duckdb import DuckDBPyConnection

from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES, RAW_LEADS
from aiqleads_pipeline.stages.reading.drop import DropFile, DropRefused, ReadResult

INTAKE_CHANNEL = "api"
MOST_LINE_BYTES = 4 << 20  # the engine's buffers are as large; the doors take no body near it
_GIVEN = {"lead_id": "UUID", "row_number": "BIGINT", "received_at": "TIMESTAMPTZ"}
_TEXTS = (*LEAD_COLUMN_NAMES, "extra")


def intake_line(lead_id: UUID, row_number: int, received_at: datetime, content: str) -> str:
    """One line of such a drop; ``content`` is a JSON object of the lead's columns as text and ``extra``, not empty."""
    return (
        f'{{"lead_id":"{lead_id}","row_number":{row_number},"received_at":"{received_at.isoformat()}",{content[1:]}\n'
    )


def read_intake(con: DuckDBPyConnection, drop: DropFile, *, batch_id: str, source: str, channel: str) -> ReadResult:
    """The rows of the drop as ``raw_leads``, lazy; each keeps its id, its number and when it was received.

    Raises:
        DropRefused: the file is gone.
    """
    if not drop.path.is_file():
        raise DropRefused("drop_changed")
    lines = con.read_json(
        str(drop.path),
        format="newline_delimited",
        columns={**_GIVEN, **dict.fromkeys(LEAD_COLUMN_NAMES, "VARCHAR"), "extra": "JSON"},
        maximum_object_size=MOST_LINE_BYTES,
    )
    origin = {"batch_id": batch_id, "source": source, "source_channel": channel}
    values = {name: Column(name) for name in (*_GIVEN, *_TEXTS)}
    values |= {name: Constant(value) for name, value in origin.items()}
    relation = lines.project(
        *(values.get(c.name, Constant(None)).cast(c.type).alias(c.name) for c in RAW_LEADS.columns)
    ).order("row_number")
    fact: dict[str, Any] = {"name": drop.name, "format": "intake", "unpacked_from": [], "unreadable_rows": 0}
    return ReadResult(relation, [fact | {"mapping": []}], lambda: None)
