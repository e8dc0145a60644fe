"""Reading: a dropped file, whatever its format, becomes rows of ``raw_leads``.

Belongs here: recognising, unpacking, parsing, matching headers, and saying why something can't be read. Does not belong
here: whether a value is right (``stages.validate``), which drop is read when (``automation``).

Names are loaded when first used: the child process that parses workbooks needs none of the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiqleads_pipeline.stages.reading.drop import DropFile, DropRefused, ReadResult, Table, lead_id_prefix
    from aiqleads_pipeline.stages.reading.reading import read_drops, read_table

__all__ = ["DropFile", "DropRefused", "ReadResult", "Table", "lead_id_prefix", "read_drops", "read_table"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from aiqleads_pipeline.stages.reading import drop, reading

    return getattr(reading if name.startswith("read_") else drop, name)
