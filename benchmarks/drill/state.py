"""What a home holds after its runs, in a form that two homes can be compared by: every row of every table.

Belongs here: reading, and naming what may differ between two honest runs (run ids, attempts, file times). Batch ids
stay in: the drills stop the clock (``AIQLEADS_FIXED_NOW``), so they are the same. Nothing else is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import RowMapping, select, text

from aiqleads_pipeline.contract import STORE_TABLES, TABLES
from resources.store import tables
from resources.store.database import Store

State = dict[str, list[str]]

# Columns that tell how often and when somebody tried, not what came of it.
VOLATILE: dict[str, frozenset[str]] = {
    "batches": frozenset({"requested_by", "requested_at", "finished_at", "attempts_count", "run_id"}),
    "drops": frozenset({"drop_id", "version", "uri", "name"}),  # a file put again gets a name of its own
    "pins": frozenset({"pinned_at"}),
    "accounts": frozenset({"seq"}),
    "alerts": frozenset({"alert_id", "run_id", "times_count", "opened_at", "last_seen_at", "closed_at", "detail"}),
    "deliveries": frozenset({"created_at", "delivered_at", "first_lead_id", "last_lead_id"}),
    "batch_files": frozenset({"delivered_at"}),
}
VOLATILE_COUNTS = frozenset({"seconds", "step_seconds"})
# PostgreSQL's and Dagster's own files; what a run works in (a killed one leaves it to whoever tidies up); the bucket's
# uploads, where the same file put twice lies twice.
OTHER_FILES = re.compile(r"^(pg|pg_run|dagster|work|lake/\.staging|bucket/\.drops/\.staging|bucket/uploads)(/|$)")
# A lease says who works now; a reaped run's alert and a repeated drop say that somebody tried twice, which is true.
# Intents stand in two ways, before and after their batch was run again: the view `deliveries` counts.
LEFT_OUT_TABLES = frozenset({"leases", "outbox", "batch_deliveries", "file_deliveries"})
LEFT_OUT_ROWS = {"alerts": ("code", "run_reaped"), "drops": ("is_repeat", True)}


def read_state(home: Path, store: Store) -> State:
    """All rows of the lake, the store and the files delivered, by table, sorted, each as one line of JSON.

    The names of all files are among them, so that a killed writer's leavings are seen.
    """
    state = {f"lake {table}": rows for table, rows in _lake_rows(home / "lake")}
    state |= {f"store {table}": rows for table, rows in _store_rows(store)}
    state["files delivered"] = list(_delivered_rows(home))
    state["files"] = list(_file_names(home))
    return {table: sorted(row.replace(str(home), "<home>") for row in rows) for table, rows in state.items()}


def differences(expected: State, found: State, limit: int = 3) -> list[str]:
    """What differs, in lines a person can read; empty if nothing does."""
    lines = []
    for table in sorted(expected.keys() | found.keys()):
        want, have = expected.get(table, []), found.get(table, [])
        if want == have:
            continue
        missing, surplus = _subtract(want, have), _subtract(have, want)
        lines.append(f"{table}: {len(missing)} rows missing, {len(surplus)} rows too many")
        lines += [f"  - {row[:300]}" for row in missing[:limit]] + [f"  + {row[:300]}" for row in surplus[:limit]]
    return lines


def unaccounted_leads(home: Path, store: Store) -> list[str]:
    """Leads that break the law of conservation: in none, or in more than one, of the places a lead may end."""
    ends: list[str] = []
    lake = home / "lake"
    with duckdb.connect() as con, store.read() as pg:
        received = _lead_ids(con, lake, "raw_leads")
        for table in ("rejected_leads", "duplicate_leads", "routed_leads"):
            ends += _lead_ids(con, lake, table)
        ends += [str(lead) for lead in pg.execute(select(tables.review_queue.c.lead_id)).scalars()]
    return sorted(set(_subtract(sorted(received), sorted(ends))) | set(_subtract(sorted(ends), sorted(received))))


def _lead_ids(con: duckdb.DuckDBPyConnection, lake: Path, table: str) -> list[str]:
    files = sorted(map(str, (lake / table).glob("**/*.parquet")))
    return [
        str(row[0]) for row in con.sql("SELECT DISTINCT lead_id FROM read_parquet($f)", params={"f": files}).fetchall()
    ]


def _lake_rows(lake: Path) -> Iterator[tuple[str, list[str]]]:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        for table in (name for name in TABLES if name not in STORE_TABLES):
            files = sorted(map(str, (lake / table).glob("**/*.parquet")))
            if files:
                relation = con.sql(
                    "SELECT * FROM read_parquet($files, hive_partitioning = false)", params={"files": files}
                )
                yield table, [_line(dict(zip(relation.columns, row, strict=True))) for row in relation.fetchall()]


def _store_rows(store: Store) -> Iterator[tuple[str, list[str]]]:
    with store.read() as con:
        con.execute(text("SET LOCAL TimeZone = 'UTC'"))
        stored = [table.name for table in tables.metadata.sorted_tables]
        for name in (*stored, *tables.VIEWS):
            if name not in LEFT_OUT_TABLES:
                rows = con.execute(select(text("*")).select_from(text(f"{tables.SCHEMA}.{name}"))).mappings()
                yield name, [_line(_lasting(name, row)) for row in rows if not _is_left_out(name, row)]


def _is_left_out(table: str, row: RowMapping) -> bool:
    column, value = LEFT_OUT_ROWS.get(table, ("", None))
    return bool(column) and row[column] == value


def _lasting(table: str, row: RowMapping) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in VOLATILE.get(table, frozenset())}
    if table == "batches":
        kept["counts"] = {name: n for name, n in kept["counts"].items() if name not in VOLATILE_COUNTS}
    return kept


def _delivered_rows(home: Path) -> Iterator[str]:
    for file in sorted((home / "deliveries").glob("**/*.ndjson")):
        yield from (f"{file.relative_to(home)}: {line}" for line in file.read_text(encoding="utf-8").splitlines())


def _file_names(home: Path) -> Iterator[str]:
    for folder in home.iterdir():
        if not OTHER_FILES.match(folder.name):
            names = [str(path.relative_to(home)) for path in (folder, *folder.rglob("*")) if path.is_file()]
            yield from (re.sub(r"[0-9a-f]{32}", "<id>", name) for name in names if not OTHER_FILES.match(name))


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, default=str, ensure_ascii=False, sort_keys=True)


def _subtract(rows: list[str], others: list[str]) -> list[str]:
    """The rows that are not among the others, counted."""
    counts: dict[str, int] = {}
    for row in others:
        counts[row] = counts.get(row, 0) + 1
    left = []
    for row in rows:
        if counts.get(row, 0):
            counts[row] -= 1
        else:
            left.append(row)
    return left
