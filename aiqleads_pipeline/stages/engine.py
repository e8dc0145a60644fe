"""Opens a bounded DuckDB connection and runs the SQL files of the stages on it.

Belongs here: limits, macros, parameters. Does not belong here: any statement (``sql/``) and any file's place
(``resources.lake``).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.settings import PROJECT_DIR, Settings

SQL_DIR = PROJECT_DIR / "sql"
REFERENCE_DIR = PROJECT_DIR / "data" / "reference"


def open_engine(settings: Settings, temp_dir: Path | None = None) -> DuckDBPyConnection:
    """A DuckDB connection in memory, with limits on memory, threads and spilled bytes, and all macros defined."""
    con = duckdb.connect(
        config={
            "memory_limit": f"{settings.ENGINE_MEMORY_MB}MB",
            "threads": settings.ENGINE_THREADS,
            "temp_directory": str(temp_dir or settings.home / "spill"),
            "max_temp_directory_size": f"{settings.ENGINE_DISK_MB}MB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": True,
        }
    )
    _prepare(con)
    return con


@contextmanager
def open_beside(con: DuckDBPyConnection) -> Iterator[DuckDBPyConnection]:
    """Another connection to the same engine, for a thread of its own: it shares the limits, and sees no temp table.

    Views belong to the engine, not to a connection: in one schema the inputs that two threads name alike would be one.
    """
    schema = f"beside_{uuid.uuid4().hex}"
    with con.cursor() as other:
        other.execute(f'CREATE SCHEMA "{schema}"')
        other.execute(f"SET schema = '{schema}'")
        _prepare(other)
        try:
            yield other
        finally:
            other.execute(f'DROP SCHEMA "{schema}" CASCADE')


def _prepare(con: DuckDBPyConnection) -> None:
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET enable_progress_bar = false")
    for file in sorted((SQL_DIR / "macros").glob("*.sql")):
        con.execute(file.read_text(encoding="utf-8"))


def set_variables(con: DuckDBPyConnection, **values: Any) -> None:
    """Hand scalars to SQL files, which read them by ``getvariable('name')``.

    Prepared parameters would make DuckDB materialise a relation when it is defined; variables are folded in as
    constants and leave it lazy until it is written.
    """
    for name, value in values.items():
        con.execute(f'SET VARIABLE "{name}" = $value', {"value": value})


def run_sql(con: DuckDBPyConnection, name: str, **inputs: DuckDBPyRelation) -> DuckDBPyRelation:
    """The relation that ``sql/<name>.sql`` selects, with each input visible under its keyword as a view.

    The file holds one SELECT. Its views stay defined, so that a lazy relation can still be run later.
    """
    for view, relation in inputs.items():
        relation.create_view(view, replace=True)
    return con.sql((SQL_DIR / f"{name}.sql").read_text(encoding="utf-8"))


def define_table(con: DuckDBPyConnection, name: str, macro: str) -> None:
    """Make the rows that ``sql/<name>.sql`` selects readable as ``FROM <macro>()``.

    Unlike a view it is not bound until it is used: for a long chain of long statements that is most of the fixed cost.
    """
    text = (SQL_DIR / f"{name}.sql").read_text(encoding="utf-8")
    con.execute(f'CREATE OR REPLACE TEMP MACRO "{macro}"() AS TABLE {text}')


def forget_temporary_tables(con: DuckDBPyConnection) -> None:
    """Drop what a stage kept on the connection, so that the next one has all of the memory; references stay."""
    names = con.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    for (name,) in names:
        if not name.startswith("ref_"):
            con.execute(f'DROP TABLE "{name}"')


def load_reference(con: DuckDBPyConnection, *names: str) -> None:
    """Make ``data/reference/<name>.parquet`` or ``.csv`` visible as the table ``ref_<name>``, once per connection.

    CSV files are read as text with commas and double quotes, header first; an empty cell is null and ``NA`` is Namibia.
    """
    known = {row[0] for row in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    for name in names:
        if f"ref_{name}" in known:
            continue
        parquet, csv = REFERENCE_DIR / f"{name}.parquet", REFERENCE_DIR / f"{name}.csv"
        # Without the sniffer: it costs more than all the rest, and might choose another delimiter.
        reader = (
            "read_parquet($file)"
            if parquet.exists()
            else "read_csv($file, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')"
        )
        con.execute(
            f'CREATE TEMP TABLE "ref_{name}" AS FROM {reader}', {"file": str(parquet if parquet.exists() else csv)}
        )
