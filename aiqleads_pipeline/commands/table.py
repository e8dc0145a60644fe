"""`aiqleads table`: a table of the lake or the store as Parquet, CSV or JSON."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from aiqleads_pipeline.contract import TABLES, TEXT
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.tables import table_relation

FORMATS = {
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "csv": "FORMAT csv, HEADER true",
    "json": "FORMAT json",
}


def write_table(outside: Outside, name: str, batch_id: str | None, kind: str, out: Path | None) -> None:
    """Write a table to a file or to standard output; CSV text cells can't start a formula."""
    con = open_engine(outside.settings)
    relation = table_relation(con, outside, name, batch_id)
    if kind == "csv":
        relation = relation.project(", ".join(_csv_cell(c.name, c.type) for c in TABLES[name].columns))
    with tempfile.TemporaryDirectory() as folder:
        target = out or Path(folder, "table")
        path = str(target).replace("'", "''")
        relation.query("_", f"COPY (FROM _) TO '{path}' ({FORMATS[kind]})")
        if out is None:
            with target.open("rb") as file:
                while chunk := file.read(1 << 20):
                    sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()


def _csv_cell(column: str, kind: str) -> str:
    return f'formula_safe("{column}") AS "{column}"' if kind == TEXT else f'"{column}"'
