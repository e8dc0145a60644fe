"""Reads a Parquet drop as text.

Belongs here: the text of typed values, as a person would have written them into a CSV.
"""

from __future__ import annotations

import glob
from pathlib import Path

import duckdb
from duckdb import ColumnExpression as Column
from duckdb import ConstantExpression as Constant
from duckdb import DuckDBPyConnection, Expression
from duckdb import FunctionExpression as Function

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.engine import run_sql, set_variables
from aiqleads_pipeline.stages.reading.dialect import distinct_headers
from aiqleads_pipeline.stages.reading.drop import DropRefused, Table

_SAMPLES = 200


def read_parquet_drop(con: DuckDBPyConnection, path: Path, settings: Settings) -> Table:
    """The rows of a Parquet file.

    Raises:
        DropRefused: it is damaged, or would expand beyond the limit.
    """
    pattern = glob.escape(str(path))
    try:
        relation = con.read_parquet(pattern, file_row_number=True)
        set_variables(con, reading_file=pattern)
        [(rows, expanded)] = run_sql(con, "stages/reading/parquet_size").fetchall()
    except duckdb.Error as error:
        raise DropRefused("corrupt_file", "It is no readable Parquet.") from error
    names = [name for name in relation.columns if name != "file_row_number"]
    types = dict(zip(relation.columns, map(str, relation.types), strict=True))
    # One value may stand for a billion rows; as text each row has at least its line end.
    if max(expanded, rows * max(1, len(names))) > settings.MAX_DROP_MB << 20:
        raise DropRefused("expands_too_much", f"Unpacked it exceeds {settings.MAX_DROP_MB} MB.")
    nothing = Constant(None).cast("VARCHAR")
    text = relation.project(
        (Column("file_row_number") + Constant(1)).alias("drop_row"),
        Constant(None).cast("BIGINT").alias("line_number"),
        nothing.alias("read_error_code"),
        nothing.alias("raw_line"),
        *(_text(name, types[name]).alias(f"c{index}") for index, name in enumerate(names)),
    )
    headers = distinct_headers(names)
    try:
        samples = [["" if cell is None else cell for cell in row[4:]] for row in text.limit(_SAMPLES).fetchall()]
    except duckdb.Error as error:
        raise DropRefused("corrupt_file", "It is no readable Parquet.") from error
    return Table(headers, text, {"header": headers, "has_header": True}, rows, 0, samples)


def _text(name: str, kind: str) -> Expression:
    column = Column(name)
    if kind in ("DOUBLE", "FLOAT"):
        text = Function("plain_number", column)
    elif kind == "TIMESTAMP WITH TIME ZONE":
        text = Function("iso_utc", column)
    elif kind.startswith("TIMESTAMP"):
        text = Function("iso_local", column.cast("TIMESTAMP"))
    elif kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        text = Function("to_json", column).cast("VARCHAR")
    else:
        text = column.cast("VARCHAR")
    return Function("nullif", text, Constant(""))
