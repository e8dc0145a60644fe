"""`errors.csv`: the rejected rows of a file in their sender's own columns, with what is wrong, ready to be corrected.

Belongs here: reading the file again and pairing its rows with their faults. The format, and how it reads when it comes
back, is in ``stages.reading.corrected``.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from duckdb import ColumnExpression as Column
from duckdb import DuckDBPyConnection

from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.doors.readers import Readers
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.reasons import REASONS
from aiqleads_pipeline.rules.sources import load_sources
from aiqleads_pipeline.stages.engine import open_engine, run_sql
from aiqleads_pipeline.stages.reading import DropFile, DropRefused, Table, read_table
from aiqleads_pipeline.stages.reading.corrected import ADDED_COLUMNS, guarded, guarded_text
from aiqleads_pipeline.stages.reading.drop import LINE_COLUMNS
from aiqleads_pipeline.stages.reading.mapping import map_headers
from resources.bucket import ArchiveMissing
from resources.store import drops, uploads
from resources.store.batches import Batch

ROWS_AT_ONCE = 500


def open_rejected_rows(outside: Outside, readers: Readers, batch: Batch) -> Iterator[bytes]:
    """The list as pieces of CSV (UTF-8, CRLF), rows in the file's order; exhaust or close it. In a thread.

    Raises:
        Problem: 409, the rows are not known, or the file is gone.
    """
    found = drops.drops_of(outside.store, batch.batch_id)
    if len(found) != 1 or not outside.lake.exists("rejected_leads", batch.batch_id):
        raise Problem(409, "no_rejected_rows_yet")
    workdir = readers.workdir()
    pieces = _pieces(outside, readers, batch, found[0], workdir)
    try:
        next(pieces)  # all that can fail has been done before the first piece
    except (DropRefused, ArchiveMissing):
        raise Problem(409, "drop_changed") from None
    return pieces


def _pieces(outside: Outside, readers: Readers, batch: Batch, drop: drops.Drop, workdir: Any) -> Iterator[bytes]:
    try:
        source = load_sources(outside.settings.rules_dir).for_name(batch.source)
        file = DropFile(outside.bucket.local_path(drop.archive_uri, workdir), drop.content_sha256, drop.name)
        with open_engine(readers.settings, workdir / "spill") as con:
            table = read_table(
                con, file, readers.settings, workdir, encoding=source.encoding, delimiter=source.delimiter
            )
            own = source.columns | uploads.mapping_of(outside.store, batch.batch_id)
            _join(con, outside, batch, table, own)
            yield b""
            yield _lines([[*map(guarded_text, table.headers), *ADDED_COLUMNS]])
            delimiter = str(table.facts.get("delimiter") or ",")
            while rows := con.fetchmany(ROWS_AT_ONCE):
                yield _lines(_line(row, len(table.headers), delimiter) for row in rows)
    finally:
        shutil.rmtree(workdir, ignore_errors=True)


def _join(con: DuckDBPyConnection, outside: Outside, batch: Batch, table: Table, own: dict[str, str]) -> None:
    """Begin the query on ``con``."""
    outside.lake.attach(con)
    cells = [guarded(Column(f"c{index}")).alias(f"c{index}") for index in range(len(table.headers))]
    mapped = sorted((item for item in map_headers(table.headers, own) if item.column), key=lambda item: item.rank)
    headers = {str(item.column): item.header for item in reversed(mapped)}
    words = {code: reason.how_to_fix for code, reason in REASONS.items()}
    relation = run_sql(
        con,
        "doors/rejected_rows",
        cells=table.relation.project(*map(Column, LINE_COLUMNS), *cells),
        rejected=outside.lake.read(con, "rejected_leads", batch.batch_id),
        words=con.from_arrow(pa.table({"code": list(words), "how_to_fix": list(words.values())})),
        headers=con.from_arrow(
            pa.table(
                {"column_name": pa.array(list(headers), pa.string()),
                 "header": pa.array(list(headers.values()), pa.string())}
            )
        ),
    )  # fmt: skip
    con.execute(relation.sql_query())


def _line(row: Sequence[Any], width: int, delimiter: str) -> list[Any]:
    line_number, columns, codes, hints, raw_line, *cells = row
    if raw_line is not None:
        cells = _cells_of(raw_line, width, delimiter)
    return [*cells, line_number, guarded_text(columns or ""), codes, hints]


def _cells_of(raw_line: str, width: int, delimiter: str) -> list[str]:
    """The cells of a row that could not be read whole, as far as they can be told apart; the rest is in the last."""
    try:
        [cells] = csv.reader([raw_line.replace("\n", " ").replace("\r", " ")], delimiter=delimiter)
    except (csv.Error, ValueError, TypeError):
        cells = [raw_line]
    if len(cells) > width:
        cells = [*cells[: width - 1], delimiter.join(cells[width - 1 :])]
    return [*map(guarded_text, cells), *[""] * (width - len(cells))]


def _lines(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "backslashreplace")
