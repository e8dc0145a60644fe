"""Reads a delimited text into a table: by the engine where that is proven to be exact, else line by line.

Belongs here: the choice between ``parallel`` and ``tolerant``, and the plain CSV that the slow readers hand to the
engine.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
from duckdb import ColumnExpression as Column
from duckdb import ConstantExpression as Constant
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.reading.dialect import Dialect, Knows, Layout, find_layout
from aiqleads_pipeline.stages.reading.drop import LINE_COLUMNS, DropRefused, Table
from aiqleads_pipeline.stages.reading.parallel import NotProvenError, columns_of, read_fast, scan_text
from aiqleads_pipeline.stages.reading.plain import write_plain
from aiqleads_pipeline.stages.reading.text import TextFile, open_text
from aiqleads_pipeline.stages.reading.tolerant import bounded_lines, read_records, shape_of

_MAX_LINE_BYTES = 16 << 20
_names = itertools.count()


def read_delimited(
    con: DuckDBPyConnection,
    path: Path,
    settings: Settings,
    workdir: Path,
    knows: Knows,
    encoding: str = "auto",
    delimiter: str | None = None,
) -> Table:
    """The rows of a delimited text; its header is found by the headers that ``knows`` knows.

    Raises:
        DropRefused: it is no table, has too many columns, or is not in the encoding that it declares.
    """
    text = open_text(path, workdir, settings, encoding)
    layout = _layout_of(text, settings, knows, delimiter)
    try:
        return _read_fast(con, text, layout, settings, workdir)
    except (NotProvenError, duckdb.InvalidInputException, duckdb.ConversionException):
        pass
    thorough = open_text(path, workdir, settings, encoding, thorough=True)
    if thorough.encoding != text.encoding:  # the engine met bytes that the first megabyte did not have
        layout = _layout_of(thorough, settings, knows, delimiter)
        try:
            return _read_fast(con, thorough, layout, settings, workdir)
        except (NotProvenError, duckdb.InvalidInputException, duckdb.ConversionException):
            pass
    return _read_slowly(con, thorough, layout, settings, workdir)


def _layout_of(text: TextFile, settings: Settings, knows: Knows, delimiter: str | None) -> Layout:
    if text.starts_with_long_line:
        raise DropRefused("not_a_table", "Its first line is longer than a megabyte.")
    layout = find_layout(text.head, knows, delimiter)
    check_width(layout.width, settings)
    return layout


def check_width(width: int, settings: Settings) -> None:
    """Refuse a drop with more columns than the limit."""
    if width > settings.MAX_DROP_COLUMNS:
        raise DropRefused("too_many_columns", f"It has {width}, the limit is {settings.MAX_DROP_COLUMNS}.")


def _facts(text: TextFile, layout: Layout, read_by: str) -> dict[str, Any]:
    return {
        "read_by": read_by,
        "encoding": text.encoding,
        "delimiter": layout.dialect.delimiter,
        "quote": layout.dialect.quote,
        "header": layout.headers,
        "has_header": layout.has_header,
    }


def scan_plain(
    con: DuckDBPyConnection, path: Path, width: int, first: dict[str, str] | None = None
) -> DuckDBPyRelation:
    """The lazy relation of a plain CSV: ``LINE_COLUMNS`` (after the columns ``first``) and cells."""
    types = {**(first or {}), **dict(zip(LINE_COLUMNS, ("BIGINT", "BIGINT", "VARCHAR", "VARCHAR"), strict=True))}
    return scan_text(
        con, path, Dialect(","), types | dict.fromkeys(columns_of(width), "VARCHAR"), 0, _MAX_LINE_BYTES, "\n"
    )


def _read_fast(con: DuckDBPyConnection, text: TextFile, layout: Layout, settings: Settings, workdir: Path) -> Table:
    read = read_fast(con, text, layout, settings, workdir)
    nothing = Constant(None).cast("VARCHAR")
    relation = read.relation.project(
        Column("drop_row").cast("BIGINT").alias("drop_row"),
        Column("line_number").cast("BIGINT").alias("line_number"),
        nothing.alias("read_error_code"),
        nothing.alias("raw_line"),
        *map(Column, columns_of(layout.width)),
    )
    return Table(
        layout.headers,
        relation,
        _facts(text, layout, "engine"),
        read.rows,
        0,
        layout.samples,
        release=read.release,
    )


def _read_slowly(
    con: DuckDBPyConnection,
    text: TextFile,
    layout: Layout,
    settings: Settings,
    workdir: Path,
) -> Table:
    path = workdir / f"drop-{next(_names)}.plain.csv"
    shape = shape_of(layout.width, layout.samples)
    with text.path.open(encoding="utf-8-sig", errors="surrogateescape", newline=text.newline) as file:
        lines: Iterator[str] = bounded_lines(file) if text.has_long_lines else iter(file)
        rows_only = itertools.islice(lines, layout.lines_before_rows, None)
        records = read_records(rows_only, layout.dialect, shape, layout.lines_before_rows + 1, settings.MAX_CELL_CHARS)
        rows, unreadable = write_plain(records, path, layout.width)
    return Table(
        layout.headers,
        scan_plain(con, path, layout.width),
        _facts(text, layout, "line"),
        rows,
        unreadable,
        layout.samples,
        release=lambda: path.unlink(missing_ok=True),
    )
