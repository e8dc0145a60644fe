"""`aiqleads table`: a table of the lake or the store as Parquet, CSV or JSON."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.contract import STORE_TABLES, TABLES
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.stages.engine import open_engine
from resources.lake import TableMissing
from resources.store.bulk import fetch_arrow

FORMATS = {
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "csv": "FORMAT csv, HEADER true",
    "json": "FORMAT json",
}


class UnknownTable(Exception):
    """No such table; the message lists those there are."""


def table_relation(con: DuckDBPyConnection, outside: Outside, name: str, batch_id: str | None) -> DuckDBPyRelation:
    """One table, of one batch or of all, as a lazy relation.

    Raises:
        UnknownTable: the contract has no such table. TableMissing: it has no rows yet.
    """
    if name not in TABLES:
        raise UnknownTable(f"there is no table {name!r}; there are: {', '.join(TABLES)}")
    if name in STORE_TABLES:
        columns = TABLES[name].column_names
        return con.from_arrow(fetch_arrow(outside.store, name, columns, batch_id))
    outside.lake.attach(con)
    if batch_id is not None:
        return outside.lake.read(con, name, batch_id)
    try:
        columns_sql = ", ".join(f'"{column}"' for column in TABLES[name].column_names)
        return con.read_parquet(outside.lake.glob(name), hive_partitioning=False).project(columns_sql)
    except duckdb.IOException as error:
        raise TableMissing(f"{name} holds no batch yet: drop a file, or run `aiqleads demo`") from error


def write_table(outside: Outside, name: str, batch_id: str | None, kind: str, out: Path | None) -> None:
    """Write a table to a file or to standard output; CSV text cells can't start a formula."""
    con = open_engine(outside.settings)
    relation = table_relation(con, outside, name, batch_id)
    if kind == "csv":
        relation = relation.project(", ".join(_formula_safe(c.name, c.type) for c in TABLES[name].columns))
    with tempfile.TemporaryDirectory() as folder:
        target = out or Path(folder, "table")
        path = str(target).replace("'", "''")
        relation.query("_", f"COPY (FROM _) TO '{path}' ({FORMATS[kind]})")
        if out is None:
            with target.open("rb") as file:
                while chunk := file.read(1 << 20):
                    sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()


def _formula_safe(column: str, kind: str) -> str:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front; plain numbers are no formulas."""
    if kind != "VARCHAR":
        return f'"{column}"'
    return (
        f"CASE WHEN regexp_matches(\"{column}\", '^[=+\\-@\\t\\r]') AND NOT regexp_matches(\"{column}\", '^[+-]?[0-9.]+$') "
        f"THEN '''' || \"{column}\" ELSE \"{column}\" END AS \"{column}\""
    )
