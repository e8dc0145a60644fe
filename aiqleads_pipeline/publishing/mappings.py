"""What other rules of the sources would have made of past files: columns, rows read, rows rejected.

Belongs here: reading archived drops again under both rules. Nothing is stored of what they hold.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.sources import SourceRules, Sources
from aiqleads_pipeline.stages import validate
from aiqleads_pipeline.stages.engine import forget_temporary_tables
from aiqleads_pipeline.stages.reading import DropFile, DropRefused, read_drops
from resources.store import drops
from resources.store.batches import Batch

LAST_BATCHES = 3
LARGEST_BYTES = 20 << 20  # of the files that are read again
_READ_AGAIN = ("upload", "webhook")


def compare_mappings(
    con: DuckDBPyConnection, outside: Outside, before: Sources, after: Sources, folder: Path
) -> list[dict[str, Any]]:
    """For each source whose rules differ, its last files under both: ``source, batch_id, before, after``."""
    found = []
    for name in sorted(set(_known_sources(outside)) | set(before.listed) | set(after.listed)):
        old, new = before.for_name(name), after.for_name(name)
        if old == new:
            continue
        for batch in drops.source_history(outside.store, name, limit=LAST_BATCHES):
            if batch.channel in _READ_AGAIN and batch.size_bytes <= LARGEST_BYTES:
                first = _read(con, outside, batch, old, folder)
                second = _read(con, outside, batch, new, folder)
                found.append({"source": name, "batch_id": batch.batch_id, "before": first, "after": second})
    return found


def _known_sources(outside: Outside) -> list[str]:
    return [source for source, _, _ in drops.source_totals(outside.store)]


def _read(con: DuckDBPyConnection, outside: Outside, batch: Batch, source: SourceRules, folder: Path) -> dict[str, Any]:
    workdir = folder / "again"
    workdir.mkdir(exist_ok=True)
    bucket = outside.bucket
    files = [
        DropFile(bucket.local_path(drop.archive_uri, workdir), drop.content_sha256, drop.name)
        for drop in drops.drops_of(outside.store, batch.batch_id)
    ]
    try:
        result = read_drops(
            con, files, source, batch_id=batch.batch_id, channel=batch.channel, received_at=batch.received_at,
            settings=outside.settings, workdir=workdir,
        )  # fmt: skip
    except DropRefused as refused:
        return {"refused": refused.code}
    path = str(workdir / "raw.parquet")
    result.relation.write_parquet(path, compression="snappy")
    checked = validate.check_leads(
        con, con.read_parquet(path), default_country=source.default_country, currency=source.currency,
        policy=source.policy, date_order=source.date_order, timezone=source.timezone, as_of=batch.received_at,
    )  # fmt: skip
    rows, rejected = checked.aggregate("count(*), count(*) FILTER (len(violations) > 0)").fetchall()[0]
    forget_temporary_tables(con)
    columns = {use["header"]: use["column"] or "extra" for fact in result.facts for use in fact["mapping"]}
    return {"rows": rows, "rejected": rejected, "columns": columns}
