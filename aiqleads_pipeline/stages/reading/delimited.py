"""Reads a delimited text into a table: by the engine's parallel reader where that is proven to be exact, else by
``tolerant``.

Belongs here: the fast read, its proof, and the plain CSV that the slow readers hand to the engine. The proof: the
engine reads strictly (any quote or count out of place is an error), no cell is larger than the limit, no row is blank,
and every line of the file is either a row or a line end inside a quoted cell that holds no record of its own.
"""

from __future__ import annotations

import glob
import itertools
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import duckdb
from duckdb import CoalesceOperator as Coalesce
from duckdb import ColumnExpression as Column
from duckdb import ConstantExpression as Constant
from duckdb import DuckDBPyConnection, DuckDBPyRelation, Expression
from duckdb import FunctionExpression as Function

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.engine import run_sql, set_variables
from aiqleads_pipeline.stages.reading.dialect import Dialect, Knows, Layout, find_layout
from aiqleads_pipeline.stages.reading.drop import LINE_COLUMNS, DropRefused, Table
from aiqleads_pipeline.stages.reading.plain import write_plain
from aiqleads_pipeline.stages.reading.text import TextFile, open_text
from aiqleads_pipeline.stages.reading.tolerant import bounded_lines, read_records, shape_of

_MAX_LINE_BYTES = 16 << 20
# A table in memory takes about 1.3 times the text; beyond this share of the limit the text is parsed twice instead.
_IN_MEMORY_SHARE = 0.4
_names = itertools.count()


class _NotProven(Exception):
    """The fast read is not proven to be exact."""


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
        return _read_fast(con, text, layout, settings)
    except (_NotProven, duckdb.InvalidInputException, duckdb.ConversionException):
        pass
    thorough = open_text(path, workdir, settings, encoding, thorough=True)
    if thorough.encoding != text.encoding:  # the engine met bytes that the first megabyte did not have
        layout = _layout_of(thorough, settings, knows, delimiter)
        try:
            return _read_fast(con, thorough, layout, settings)
        except (_NotProven, duckdb.InvalidInputException, duckdb.ConversionException):
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


def columns_of(width: int) -> list[str]:
    """The names of a table's cells."""
    return [f"c{index}" for index in range(width)]


def scan_plain(
    con: DuckDBPyConnection, path: Path, width: int, first: dict[str, str] | None = None
) -> DuckDBPyRelation:
    """The lazy relation of a plain CSV: ``LINE_COLUMNS`` (after the columns ``first``) and cells."""
    types = {**(first or {}), **dict(zip(LINE_COLUMNS, ("BIGINT", "BIGINT", "VARCHAR", "VARCHAR"), strict=True))}
    return _scan(con, path, Dialect(","), types | dict.fromkeys(columns_of(width), "VARCHAR"), 0, _MAX_LINE_BYTES, "\n")


def _scan(
    con: DuckDBPyConnection, path: Path, dialect: Dialect, types: dict[str, str], skip: int, max_line: int, end: str
) -> DuckDBPyRelation:
    # Left to itself the engine takes a line end within the first quoted cell for that of the file. CR LF must be left
    # to it: stated together with lines to skip, it yields no rows at all.
    stated: Any = {"lineterminator": duckdb.CSVLineTerminator.LINE_FEED} if end == "\n" else {}
    return con.read_csv(
        glob.escape(str(path)),
        columns=types,
        header=False,
        auto_detect=False,
        sep=dialect.delimiter,
        quotechar=dialect.quote,
        escapechar=dialect.quote,
        skiprows=skip,
        strict_mode=True,
        max_line_size=max_line,
        buffer_size=max(32 << 20, 2 * max_line),
        **stated,
    )


def _read_fast(con: DuckDBPyConnection, text: TextFile, layout: Layout, settings: Settings) -> Table:
    if text.broken or text.has_long_lines or not text.newline or layout.dialect.backslash or not layout.width:
        raise _NotProven
    cells = columns_of(layout.width)
    types = dict.fromkeys(cells, "VARCHAR")
    scan = _scan(con, text.path, layout.dialect, types, layout.lines_before_rows, 2 << 20, text.line_end)
    name = f"drop_{next(_names)}"
    try:
        if text.path.stat().st_size < settings.ENGINE_MEMORY_MB * (1 << 20) * _IN_MEMORY_SHARE:
            scan.create(f"{name}_cells")
            table = con.table(f"{name}_cells")
            numbered = table.project((Column("rowid") + Constant(1)).alias("drop_row"), *map(Column, cells))
        else:
            numbered = scan.row_number("OVER ()", ", ".join(cells)).project(
                Column("row_number() OVER ()").alias("drop_row"), *map(Column, cells)
            )
        rows, line_ends = _prove(con, name, numbered, text, layout, settings)
        if line_ends:
            set_variables(con, reading_rows=rows, reading_skipped=layout.lines_before_rows)
            run_sql(con, "stages/reading/line_numbers", reading_marks=con.table(f"{name}_marks")).create(
                f"{name}_lines"
            )
            numbered = numbered.join(con.table(f"{name}_lines"), "drop_row")
            line_number: Expression = Column("line_number")
        else:
            line_number = Column("drop_row") + Constant(layout.lines_before_rows)
    except BaseException:
        _drop_tables(con, name)
        raise
    nothing = Constant(None).cast("VARCHAR")
    relation = numbered.project(
        Column("drop_row").cast("BIGINT").alias("drop_row"),
        line_number.cast("BIGINT").alias("line_number"),
        nothing.alias("read_error_code"),
        nothing.alias("raw_line"),
        *map(Column, cells),
    )
    return Table(
        layout.headers,
        relation,
        _facts(text, layout, "engine"),
        rows,
        0,
        layout.samples,
        release=lambda: _drop_tables(con, name),
    )


def _prove(
    con: DuckDBPyConnection, name: str, numbered: DuckDBPyRelation, text: TextFile, layout: Layout, settings: Settings
) -> tuple[int, int]:
    """Rows, and line ends within cells.

    Raises:
        _NotProven: a line, a quote or a cell is not accounted for.
    """
    cells = [Column(cell) for cell in columns_of(layout.width)]
    longest = Function("greatest", *(Function("strlen", cell) for cell in cells), Constant(-1))
    end = Constant(text.newline)
    breaks = [Function("contains", cell, end) for cell in cells if text.has_quotes]
    ends = [Coalesce(Function("occurrences", cell, end), Constant(0)) for cell in cells]
    full = [_holds_record(cell, end, layout) for cell in cells]
    too_long = longest > Constant(settings.MAX_CELL_CHARS)
    numbered.filter(reduce(_either, [too_long, longest < Constant(0), *breaks])).project(
        Column("drop_row"),
        (too_long | (longest < Constant(0))).alias("is_odd"),
        reduce(lambda one, other: one + other, ends).alias("line_ends"),
        reduce(_either, full).alias("may_hold_record"),
    ).create(f"{name}_marks")
    rows = numbered.aggregate("count(*)").fetchall()[0][0]
    marks = run_sql(con, "stages/reading/proof", reading_marks=con.table(f"{name}_marks"))
    [(line_ends, is_odd, may_hold_record)] = marks.fetchall()
    accounted = layout.lines_before_rows + rows + line_ends
    if is_odd or may_hold_record or accounted != text.lines:
        raise _NotProven
    return rows, line_ends


def _holds_record(cell: Expression, end: Expression, layout: Layout) -> Expression:
    """Whether a cell of several lines has as many delimiters as a record: `tolerant` must look at it."""
    if layout.width < 2:
        return Constant(False)
    return Coalesce(
        (Function("occurrences", cell, end) > Constant(0))
        & (Function("occurrences", cell, Constant(layout.dialect.delimiter)) >= Constant(layout.width - 1)),
        Constant(False),
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


def _either(one: Expression, other: Expression) -> Expression:
    return one | other


def _drop_tables(con: DuckDBPyConnection, name: str) -> None:
    for part in ("cells", "marks", "lines"):
        con.execute(f'DROP TABLE IF EXISTS "{name}_{part}"')
