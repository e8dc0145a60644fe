"""Any table of the contract as a DuckDB relation, wherever it lies: the lake or the store.

Belongs here: finding and typing. Does not belong here: batches in the making (``assets.batch_run``).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from uuid import UUID

from duckdb import BinderException, DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.contract import STORE_TABLES, TABLES
from aiqleads_pipeline.outside import Outside
from resources.lake import TableMissing
from resources.store.export import copy_out

SCORES_TABLE = "open_lead_scores"  # the newest scores of open leads, a batch for each time that some were scored
SIGNALLED = "-signalled"  # ends the name of a batch that holds only leads that something was heard of


class UnknownTable(Exception):
    """No such table; the message lists those there are."""


def table_relation(
    con: DuckDBPyConnection, outside: Outside, name: str, batch_id: str | None = None
) -> DuckDBPyRelation:
    """One table, of one batch or of all, with the contract's columns.

    Raises:
        UnknownTable: the contract has no such table.
        TableMissing: it holds no batch yet, or not this one.
    """
    if name not in TABLES:
        raise UnknownTable(f"there is no table {name!r}; there are: {', '.join(TABLES)}")
    if name in STORE_TABLES:
        return store_relation(con, outside, name, {c.name: c.type for c in TABLES[name].columns}, batch_id=batch_id)
    outside.lake.attach(con)
    if batch_id is not None:
        return outside.lake.read(con, name, batch_id)
    if not outside.lake.batches(name):
        raise TableMissing(f"{name} holds no batch yet: drop a file, or run `aiqleads demo`")
    columns = ", ".join(f'"{column}"' for column in TABLES[name].column_names)
    try:
        return con.read_parquet(outside.lake.glob(name), hive_partitioning=False).project(columns)
    except BinderException:
        return _grown(con, outside.lake.glob(name), name)


def _grown(con: DuckDBPyConnection, files: str, name: str) -> DuckDBPyRelation:
    """Batches from before the contract had all of its columns: what they lack is null; every file is opened for it."""
    relation = con.read_parquet(files, hive_partitioning=False, union_by_name=True)
    known = set(relation.columns)
    return relation.project(
        ", ".join(f'"{c.name}"' if c.name in known else f'NULL::{c.type} AS "{c.name}"' for c in TABLES[name].columns)
    )


def all_batches(con: DuckDBPyConnection, outside: Outside, name: str) -> DuckDBPyRelation:
    """All batches of a table of the lake; no row while there is none."""
    try:
        return table_relation(con, outside, name)
    except TableMissing:
        return con.sql(f"SELECT {', '.join(f'NULL::{c.type} AS {c.name}' for c in TABLES[name].columns)} LIMIT 0")


def newest_score_batches(outside: Outside) -> list[str]:
    """The batches of open scores since all leads were scored last, oldest first: a lead's last one counts."""
    batches = outside.lake.batches(SCORES_TABLE)
    last_all = max((i for i, batch in enumerate(batches) if not batch.endswith(SIGNALLED)), default=0)
    return batches[last_all:]


def store_relation(
    con: DuckDBPyConnection,
    outside: Outside,
    table: str,
    columns: dict[str, str],
    batch_id: str | None = None,
    lead_id: UUID | None = None,
) -> DuckDBPyRelation:
    """Columns (name to DuckDB type) of a table of the store, kept as the temporary table ``store_<table>``."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rows.csv")
        copy_out(outside.store, table, list(columns), file, batch_id=batch_id, lead_id=lead_id)
        rows = con.read_csv(str(file), header=True, delimiter=",", quotechar='"', escapechar='"', dtype=columns)
        rows.query("_", f'CREATE OR REPLACE TEMP TABLE "store_{table}" AS FROM _')
    return con.table(f"store_{table}")
