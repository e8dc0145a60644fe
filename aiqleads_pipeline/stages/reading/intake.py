"""Reads a drop that the doors wrote themselves: leads that were told "accepted", with the ids they were told.

Belongs here: the format of such a drop, both ways. It is no format of other people: only batches of the channel that no
folder of the bucket has are read so, thus nobody can choose a lead's id by dropping a file.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from duckdb import CoalesceOperator as Coalesce
from duckdb import ColumnExpression as Column
from duckdb import ConstantExpression as Constant
from duckdb import DuckDBPyConnection, Expression

from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES, RAW_LEADS
from aiqleads_pipeline.stages.reading.drop import DropFile, DropRefused, ReadResult

INTAKE_CHANNEL = "api"  # of batches that are read so; the door that each of their leads came through is on its line
MOST_LINE_BYTES = 4 << 20  # the engine's buffers are as large; the doors take no body near it
_GIVEN = {"lead_id": "UUID", "row_number": "BIGINT", "received_at": "TIMESTAMPTZ"}
# What a door found wrong with a lead that it must not refuse: such a lead is kept and rejected in its batch.
_FAULTS = ("read_error_code", "raw_line")
_TEXTS = (*LEAD_COLUMN_NAMES, *_FAULTS)


def intake_line(lead_id: UUID, row_number: int, received_at: datetime, source_channel: str, content: str) -> str:
    """One line of such a drop; ``content`` is a JSON object, not empty, of the lead's columns as text, ``extra``, and
    ``read_error_code`` with ``raw_line`` where the lead was kept only to be rejected."""
    return (
        f'{{"lead_id":"{lead_id}","row_number":{row_number},"received_at":"{received_at.isoformat()}",'
        f'"source_channel":"{source_channel}",{content[1:]}\n'
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
        columns={**_GIVEN, **dict.fromkeys(("source_channel", *_TEXTS), "VARCHAR"), "extra": "JSON"},
        maximum_object_size=MOST_LINE_BYTES,
    )
    values: dict[str, Expression] = {name: Column(name) for name in (*_GIVEN, *_TEXTS, "extra")}
    values |= {"batch_id": Constant(batch_id), "source": Constant(source)}
    values["source_channel"] = Coalesce(Column("source_channel"), Constant(channel))
    relation = lines.project(
        *(values.get(c.name, Constant(None)).cast(c.type).alias(c.name) for c in RAW_LEADS.columns)
    ).order("row_number")
    fact: dict[str, Any] = {"name": drop.name, "format": "intake", "unpacked_from": [], "unreadable_rows": 0}
    return ReadResult(relation, [fact | {"mapping": []}], lambda: None)
