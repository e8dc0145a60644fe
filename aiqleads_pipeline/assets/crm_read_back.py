"""`crm_read_back`: what the CRMs hold of what was sent to them, what is mended, and how leads ended there.

Belongs here: comparing, repairing and handing outcomes over, by day. Does not belong here: how a CRM is read
(``resources.crm``), what becomes of an outcome (the asset `outcomes`, which reads the drop that this one makes).
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import dagster as dg
import pyarrow as pa
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.assets.batch_run import BatchRuns, redact
from aiqleads_pipeline.assets.facts import markdown_table
from aiqleads_pipeline.assets.outcomes import OUTCOMES_SOURCE
from aiqleads_pipeline.assets.specs import OWNERS
from aiqleads_pipeline.delivering.crm import ReadDestination, open_readers
from aiqleads_pipeline.delivering.kinds import NotBuilt
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.stages.engine import open_engine, run_sql
from resources.crm.mapping import differing
from resources.crm.reading import Held
from resources.crm.verdicts import CallFailed
from resources.store import alerts, deliveries
from resources.store import crm as ledger

TABLE = "crm_read_back"
SETTLE_MINUTES = 5  # what was sent so lately may still be under way in the CRM
CALL_SECONDS = 60.0
_COLUMNS = pa.schema(
    [
        ("destination", pa.string()),
        ("lead_id", pa.string()),
        ("delivery_id", pa.string()),
        ("external_id", pa.string()),
        ("sent_at", pa.timestamp("us", "UTC")),
        ("state", pa.string()),  # same, differs, missing
        ("differing_fields", pa.list_(pa.string())),
        ("repairs_count", pa.int64()),
        ("owner_before", pa.string()),
        ("owner_now", pa.string()),
        ("result", pa.string()),
        ("closed_at", pa.timestamp("us", "UTC")),
        ("revenue_usd", pa.float64()),
        ("is_new_ending", pa.bool_()),
        ("ending", pa.string()),
        ("is_repaired", pa.bool_()),
    ]
)


class ReadBackConfig(dg.Config):
    """``repair``: deliver again what differs. ``max_seconds``: for all CRMs together."""

    repair: bool = True
    max_seconds: int = 1800


@dataclass
class _Reading:
    """One CRM as far as it was read."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


@dg.asset(
    group_name="delivery",
    kinds={"http", "parquet"},
    owners=OWNERS,
    deps=["deliveries"],
    description="What the CRMs hold of the leads sent to them: same, different or missing; what was sent again; and "
    "how leads ended there, which goes to `outcomes`. One row per record read, one batch per day.",
)
def crm_read_back(
    context: dg.AssetExecutionContext, config: ReadBackConfig, runs: dg.ResourceParam[BatchRuns]
) -> dg.MaterializeResult:
    """Read every CRM back; repair what differs, within bounds; drop the new outcomes where files of outcomes arrive."""
    outside, began_at = runs.outside, runs.outside.settings.now()
    deadline = time.monotonic() + config.max_seconds
    readings: dict[str, _Reading] = {}
    bounds = []
    try:
        for target in open_readers(outside):
            bounds.append((target.name, target.bounds.max_repairs, target.bounds.max_repairs_per_record))
            readings[target.name] = _read(outside, target, began_at, deadline)
            _tell(outside, target.name, readings[target.name].facts, context.run.run_id)
    except NotBuilt as error:
        raise dg.Failure(str(error)) from None
    except Exception as error:
        raise dg.Failure(redact(error)) from None
    rows = [row for reading in readings.values() for row in reading.rows]
    with open_engine(outside.settings) as con:
        outside.lake.attach(con)
        _repair(con, outside, rows, bounds if config.repair else [], began_at)
        read_back = con.from_arrow(pa.Table.from_pylist(rows, _COLUMNS))
        uri = _drop_outcomes(con, outside, read_back, began_at)
        _note_endings(outside, rows)
        outside.lake.write(read_back, TABLE, f"{began_at:%Y%m%d}")
        counts = run_sql(con, "marts/crm_read_back_counts", read_back=read_back)
        return dg.MaterializeResult(metadata=_metadata(counts, readings, rows, uri))


def _read(outside: Outside, target: ReadDestination, began_at: datetime, deadline: float) -> _Reading:
    """Read one CRM, page after page, until all is read, its bound or the time."""
    reading = _Reading()
    facts, reader = reading.facts, target.reader
    try:
        facts["sent_count"] = ledger.count_records(outside.store, target.name)
        facts["held_count"] = reader.count(_until(deadline))
        used = reader.usage(_until(deadline))
        if used is not None:
            ledger.save_usage(outside.store, target.name, *used, outside.settings.now())
        facts["daily_calls"] = _forecast(outside, target.name)
        for page in _pages(outside, target, began_at, deadline):
            held = reader.read(page, _until(deadline))
            found = [_compared(target, sent, each) for sent, each in zip(page, held, strict=True)]
            reading.rows += found
            noted = [ledger.ReadRecord(each.lead_id, each.owner, is_gone=not each.is_there) for each in held]
            ledger.note_read(outside.store, target.name, noted, outside.settings.now())
        facts["is_complete"] = time.monotonic() < deadline and len(reading.rows) < target.bounds.max_records
    except CallFailed as failed:
        facts |= {"is_complete": False, "error_code": failed.verdict.code, "error": failed.verdict.detail}
    return reading


def _pages(
    outside: Outside, target: ReadDestination, began_at: datetime, deadline: float
) -> Iterator[list[ledger.SentRecord]]:
    since, before = began_at - timedelta(days=target.bounds.days), began_at - timedelta(minutes=SETTLE_MINUTES)
    left = target.bounds.max_records
    while left > 0 and time.monotonic() < deadline:
        size = min(target.reader.page_size, left)
        page = ledger.list_records(outside.store, target.name, since, before, began_at, size)
        if not page:
            return
        left -= len(page)
        yield page


def _compared(target: ReadDestination, sent: ledger.SentRecord, held: Held) -> dict[str, Any]:
    differs = differing(sent.marks, held.values, target.compared, sent.signatures) if held.is_there else []
    ending = held.ending
    return {
        "destination": target.name,
        "lead_id": str(sent.lead_id),
        "delivery_id": str(sent.delivery_id),
        "external_id": sent.external_id,
        "sent_at": sent.sent_at,
        "state": "missing" if not held.is_there else "differs" if differs else "same",
        "differing_fields": differs,
        "repairs_count": sent.repairs_count,
        "owner_before": target.owner_of(sent.owner_at_crm),
        "owner_now": target.owner_of(held.owner),
        "result": ending and ending.result,
        "closed_at": ending and ending.closed_at,
        "revenue_usd": ending and ending.revenue_usd,
        "is_new_ending": ending is not None and ending.mark != sent.result,
        "ending": ending and ending.mark,
        "is_repaired": False,
    }


def _repair(
    con: DuckDBPyConnection,
    outside: Outside,
    rows: list[dict[str, Any]],
    bounds: Sequence[tuple[str, int, int]],
    now: datetime,
) -> None:
    """Let deliveries be made again, and mark their rows. A lead that ended there is left as it is."""
    open_rows = [row for row in rows if row["result"] is None]
    if not open_rows or not bounds:
        return
    names = ("destination", "max_repairs", "max_repairs_per_record")
    limits = con.from_arrow(pa.table(dict(zip(names, map(list, zip(*bounds, strict=True)), strict=True))))
    read_back = con.from_arrow(pa.Table.from_pylist(open_rows, _COLUMNS))
    chosen = run_sql(con, "marts/crm_repairs", read_back=read_back, bounds=limits).fetchall()
    by_delivery = {row["delivery_id"]: row for row in open_rows}
    for destination in sorted({name for name, *_ in chosen}):
        mine = [by_delivery[str(delivery_id)] for name, _, delivery_id in chosen if name == destination]
        ids = [UUID(row["delivery_id"]) for row in mine]
        deliveries.deliver_again(outside.store, now, delivery_ids=ids, states=("delivered", "dead"))
        noted = [ledger.ReadRecord(UUID(row["lead_id"]), is_repaired=True) for row in mine]
        ledger.note_read(outside.store, destination, noted, now)
        for row in mine:
            row["is_repaired"] = True


def _drop_outcomes(con: DuckDBPyConnection, outside: Outside, read_back: DuckDBPyRelation, now: datetime) -> str | None:
    """New endings as a drop of outcomes: the sensors take it from there, as a file that a person drops."""
    found = run_sql(con, "marts/crm_outcomes", read_back=read_back)
    if not found.aggregate("count(*)").fetchall()[0][0]:
        return None
    file = outside.workdir("crm_read_back") / f"crm-{now:%Y%m%dT%H%M%SZ}.csv"
    try:
        found.write_csv(str(file))
        return outside.bucket.put(file, "upload", OUTCOMES_SOURCE).uri
    finally:
        file.unlink(missing_ok=True)


def _note_endings(outside: Outside, rows: Sequence[dict[str, Any]]) -> None:
    """Only now that their drop is in the bucket: a reading that is killed before finds them again."""
    for name in sorted({row["destination"] for row in rows}):
        ended = [row for row in rows if row["is_new_ending"] and row["destination"] == name]
        noted = [ledger.ReadRecord(UUID(row["lead_id"]), result=row["ending"]) for row in ended]
        ledger.note_read(outside.store, name, noted, outside.settings.now())


def _forecast(outside: Outside, destination: str) -> dict[str, Any] | None:
    usage = ledger.read_usage(outside.store, destination, outside.settings.now())
    if usage is None:
        return None
    used_up_at = None if usage.used_up_at is None else f"{usage.used_up_at:%Y-%m-%dT%H:%M:%SZ}"
    return {
        "used_count": usage.used_count,
        "limit_count": usage.limit_count,
        "share": round(usage.share, 4),
        "used_up_at": used_up_at,
    }


def _tell(outside: Outside, destination: str, facts: dict[str, Any], run_id: str) -> None:
    """An alert while a CRM can't be read back; closed when it can again."""
    now = outside.settings.now()
    if "error_code" not in facts:
        alerts.close_alert(outside.store, "crm_read_back_failed", destination, now)
        return
    alerts.raise_alert(
        outside.store,
        code="crm_read_back_failed",
        subject=destination,
        severity="warning",
        detail=f"{destination} can't be read back: {facts['error_code']} ({facts['error']})",
        run_id=run_id,
        now=now,
    )


def _metadata(
    counts: DuckDBPyRelation, readings: dict[str, _Reading], rows: Sequence[dict[str, Any]], uri: str | None
) -> dict[str, Any]:
    names = counts.columns
    by_destination = {row[0]: dict(zip(names[1:], row[1:], strict=True)) for row in counts.fetchall()}
    told = {name: {**reading.facts, **by_destination.get(name, {})} for name, reading in readings.items()}
    fields = Counter(name for row in rows for name in row["differing_fields"])
    return {
        "dagster/row_count": len(rows),
        "by_destination": dg.MetadataValue.json(told),
        "differing_fields": dg.MetadataValue.md(markdown_table(("field", "records"), fields.most_common(20))),
        "outcomes_drop": uri or "none",
        **{
            name: sum(int(each.get(name, 0)) for each in by_destination.values())
            for name in ("same_count", "differs_count", "missing_count", "repaired_count", "left_count")
        },
    }


def _until(deadline: float) -> float:
    return min(deadline, time.monotonic() + CALL_SECONDS)
