"""Reads a delimited text by the engine's parallel reader, and proves that the read is exact.

Belongs here: the fast read and its proof. The engine reads strictly (any quote or count out of place is an error), no
cell is larger than the limit, no row is blank, and every line of the file is either a row or a line end inside of a
quoted cell that holds no record of its own. What is not proven is left to ``tolerant``.
"""

from __future__ import annotations

import glob
import itertools
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from duckdb import CoalesceOperator as Coalesce
from duckdb import ColumnExpression as Column
from duckdb import ConstantExpression as Constant
from duckdb import DuckDBPyConnection, DuckDBPyRelation, Expression
from duckdb import FunctionExpression as Function

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.engine import run_sql, set_variables
from aiqleads_pipeline.stages.reading.dialect import Dialect, Layout
from aiqleads_pipeline.stages.reading.text import TextFile

_MAX_LINE_BYTES = 2 << 20
# A table in memory takes about 1.3 times the text; beyond this share of the limit its rows are kept in a file.
_IN_MEMORY_SHARE = 0.4
_names = itertools.count()
GROUP_ROWS = 20_480  # of the file; more would be held for every thread that writes


class NotProvenError(Exception):
    """The fast read is not proven to be exact."""


class FastRead(NamedTuple):
    """The columns ``drop_row``, ``line_number`` and the cells; ``release`` lets go of what holds them."""

    relation: DuckDBPyRelation
    rows: int
    release: Callable[[], None]


def columns_of(width: int) -> list[str]:
    """The names of a table's cells."""
    return [f"c{index}" for index in range(width)]


def scan_text(
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


def read_fast(con: DuckDBPyConnection, text: TextFile, layout: Layout, settings: Settings, workdir: Path) -> FastRead:
    """The rows of a text, held in memory or, where they are too many, in a file in ``workdir``.

    Raises:
        NotProvenError: it has to be read line by line.
        duckdb.Error: likewise, the engine refuses it.
    """
    if text.broken or text.has_long_lines or not text.newline or layout.dialect.backslash or not layout.width:
        raise NotProvenError
    cells = columns_of(layout.width)
    types = dict.fromkeys(cells, "VARCHAR")
    scan = scan_text(con, text.path, layout.dialect, types, layout.lines_before_rows, _MAX_LINE_BYTES, text.line_end)
    name = f"drop_{next(_names)}"
    tables = (f"{name}_cells", f"{name}_marks", f"{name}_lines")
    file = workdir / f"{name}.parquet"

    def release() -> None:
        for table in tables:
            con.execute(f'DROP TABLE IF EXISTS "{table}"')
        file.unlink(missing_ok=True)

    try:
        if text.path.stat().st_size < settings.ENGINE_MEMORY_MB * (1 << 20) * _IN_MEMORY_SHARE:
            scan.create(tables[0])
            held, place = con.table(tables[0]), "rowid"
        else:
            scan.write_parquet(str(file), compression="snappy", row_group_size=GROUP_ROWS)
            held, place = con.read_parquet(str(file), file_row_number=True), "file_row_number"
        numbered = held.project((Column(place) + Constant(1)).alias("drop_row"), *map(Column, cells))
        _mark(numbered, tables[1], text, layout, settings)
        rows, line_ends = _prove(con, numbered, tables[1], text, layout)
        if not line_ends:
            line_number = (Column("drop_row") + Constant(layout.lines_before_rows)).alias("line_number")
            return FastRead(numbered.project(Column("drop_row"), line_number, *map(Column, cells)), rows, release)
        set_variables(con, reading_rows=rows, reading_skipped=layout.lines_before_rows)
        lines = run_sql(con, "stages/reading/line_numbers", reading_marks=con.table(tables[1]))
        lines.create(tables[2])
        # A left join, for an inner one may be turned round and hold the text.
        return FastRead(numbered.join(con.table(tables[2]), "drop_row", how="left"), rows, release)
    except BaseException:
        release()
        raise


def _mark(numbered: DuckDBPyRelation, table: str, text: TextFile, layout: Layout, settings: Settings) -> None:
    """Keep what the proof needs of the few rows that are not plain: the line ends in each of their cells."""
    cells = [Column(cell) for cell in columns_of(layout.width)]
    end = Constant(text.newline)
    longest = Function("greatest", *(Function("strlen", cell) for cell in cells), Constant(-1))
    is_odd = (longest > Constant(settings.MAX_CELL_CHARS)) | (longest < Constant(0))
    breaks = [Function("contains", cell, end) for cell in cells if text.has_quotes]
    numbered.filter(reduce(_either, [is_odd, *breaks])).project(
        Column("drop_row"),
        is_odd.alias("is_odd"),
        reduce(_either, [_holds_record(cell, end, layout) for cell in cells]).alias("may_hold_record"),
        reduce(_sum, [_line_ends(cell, end) for cell in cells]).alias("line_ends"),
        *(_line_ends(cell, end).alias(f"line_ends_{index}") for index, cell in enumerate(cells)),
    ).create(table)


def _prove(
    con: DuckDBPyConnection, numbered: DuckDBPyRelation, marks: str, text: TextFile, layout: Layout
) -> tuple[int, int]:
    """Rows, and line ends within cells, if every line of the text is accounted for."""
    rows = int(numbered.aggregate("count(*)").fetchall()[0][0])
    proof = run_sql(con, "stages/reading/proof", reading_marks=con.table(marks))
    [(line_ends, is_odd, may_hold_record)] = proof.fetchall()
    if is_odd or may_hold_record or layout.lines_before_rows + rows + line_ends != text.lines:
        raise NotProvenError
    return rows, line_ends


def _line_ends(cell: Expression, end: Expression) -> Expression:
    return Coalesce(Function("occurrences", cell, end), Constant(0))


def _holds_record(cell: Expression, end: Expression, layout: Layout) -> Expression:
    """Whether a cell of several lines has as many delimiters as a record: `tolerant` must look at it."""
    if layout.width < 2:
        return Constant(False)
    return Coalesce(
        (Function("occurrences", cell, end) > Constant(0))
        & (Function("occurrences", cell, Constant(layout.dialect.delimiter)) >= Constant(layout.width - 1)),
        Constant(False),
    )


def _either(one: Expression, other: Expression) -> Expression:
    return one | other


def _sum(one: Expression, other: Expression) -> Expression:
    return one + other
