"""What CRMs were given and how their accounts stand: marks of records, bulk jobs, daily limits, the pace of calls.

Belongs here: remembering, for all processes. Does not belong here: calling a CRM (``resources.crm``) and whether a
delivery is due (``deliveries``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from resources.store.database import Store, statement

JOB_DAYS = 7  # Salesforce keeps a job's results so long
_USAGE_DAYS = 8
_SLOPE_HOURS = 3
_SAVE_SECONDS = 15.0  # a process tells of usage at most so often
_DAY = timedelta(days=1)
_ROOM = 1.02


@dataclass(frozen=True)
class SentRecord:
    """A record as it was sent. ``marks``: four bytes for each of ``signatures`` (fields and how they are compared)."""

    lead_id: UUID
    delivery_id: UUID
    external_id: str | None
    signatures: tuple[str, ...]
    marks: bytes
    owner_at_crm: str | None
    sent_at: datetime
    repairs_count: int
    result: str | None


@dataclass(frozen=True)
class NewRecord:
    """A record that has just been sent."""

    lead_id: UUID
    delivery_id: UUID
    external_id: str | None
    marks: bytes
    owner: str | None


@dataclass(frozen=True)
class KnownRecord:
    """A lead that was sent before. ``owner_sent``: the owner that we last gave it, if any."""

    owner_sent: str | None
    external_id: str | None


@dataclass(frozen=True)
class ReadRecord:
    """What reading back found of a record. ``is_gone``: it is sent as a new one next time."""

    lead_id: UUID
    owner: str | None = None
    result: str | None = None
    is_repaired: bool = False
    is_gone: bool = False


@dataclass(frozen=True)
class Job:
    """A bulk job with deliveries whose results were not read."""

    job_id: str
    delivery_ids: frozenset[UUID]
    created_at: datetime


@dataclass(frozen=True)
class Usage:
    """An account's day: calls used of those allowed, and when it is used up at the pace of the last hours (None: it
    isn't, within a day, or too little is known)."""

    used_count: int
    limit_count: int
    observed_at: datetime
    used_up_at: datetime | None = None

    @property
    def share(self) -> float:
        """How much of the limit is used, 0 to 1 and above."""
        return self.used_count / self.limit_count if self.limit_count > 0 else 1.0


def take_turn(store: Store, name: str, requests: int, seconds: float, most_wait_seconds: float) -> float:
    """Take the next turn of a pace that all processes share; returns the seconds to wait for it. More than
    ``most_wait_seconds`` means that none was taken.

    No ``seconds`` ever hold more than ``requests`` turns: a twentieth of them may come at once, the rest evenly, with
    a little room for calls that arrive closer together than they left.
    """
    burst = requests // 20
    gap = _ROOM * seconds / max(1, requests - burst - 1)
    turn = {"name": name, "gap_s": gap, "burst_s": gap * burst, "most_wait_s": most_wait_seconds}
    with store.connect() as con, con.begin():
        con.execute(statement("crm/no_wait_for_disk"))
        wait = con.execute(statement("crm/take_turn"), turn).scalar()
    return most_wait_seconds + gap if wait is None else float(wait)


class UsageCounter:
    """An account's daily usage as this process sees it; tells the store now and then. Threads may share it."""

    def __init__(self, store: Store, destination: str) -> None:
        self._store, self._destination = store, destination
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._seen_at = self._saved_at = float("-inf")

    def observe(self, used_count: int, limit_count: int) -> None:
        """What an answer said of the day."""
        now = time.monotonic()
        with self._lock:
            self._seen, self._seen_at = (used_count, limit_count), now
            if now - self._saved_at < _SAVE_SECONDS:
                return
            self._saved_at = now
        save_usage(self._store, self._destination, used_count, limit_count, datetime.now(UTC))

    def share(self) -> float | None:
        """How much of the day's limit is used; None where nothing is known of today."""
        with self._lock:
            if self._seen is not None and time.monotonic() - self._seen_at < 3600:
                return self._seen[0] / self._seen[1] if self._seen[1] > 0 else 1.0
        usage = read_usage(self._store, self._destination, datetime.now(UTC), within=timedelta(hours=1))
        return None if usage is None else usage.share


def save_usage(store: Store, destination: str, used_count: int, limit_count: int, now: datetime) -> None:
    """Note what an account's day came to."""
    row = {"destination": destination, "now": now, "used_count": used_count, "limit_count": limit_count}
    with store.transaction("store:save_crm_usage") as con:
        con.execute(statement("crm/save_usage"), row)
        forgotten = {"destination": destination, "before": now - timedelta(days=_USAGE_DAYS)}
        con.execute(statement("crm/forget_usage"), forgotten)


def read_usage(store: Store, destination: str, now: datetime, within: timedelta = _DAY) -> Usage | None:
    """The account's day as it was last seen by anybody, with its forecast; None if that is longer ago than
    ``within``."""
    asked = {"destination": destination, "since": now - within, "slope_since": now - timedelta(hours=_SLOPE_HOURS)}
    with store.read() as con:
        row = con.execute(statement("crm/read_usage"), asked).first()
    if row is None:
        return None
    used_up_at = None
    if row.used_per_s is not None and row.used_per_s > 0:
        seconds = max(0.0, (row.limit_count - row.used_count) / row.used_per_s)
        used_up_at = row.observed_at + timedelta(seconds=seconds) if seconds < _DAY.total_seconds() else None
    return Usage(row.used_count, row.limit_count, row.observed_at, used_up_at)


def save_records(
    store: Store,
    destination: str,
    mapping_id: str,
    signatures: Sequence[str],
    records: Sequence[NewRecord],
    now: datetime,
) -> None:
    """Note records that were sent; of several of one lead the last counts."""
    last = list({each.lead_id: each for each in records}.values())
    if not last:
        return
    rows = {
        "destination": destination,
        "mapping_id": mapping_id,
        "now": now,
        "lead_ids": [each.lead_id for each in last],
        "delivery_ids": [each.delivery_id for each in last],
        "external_ids": [each.external_id for each in last],
        "marks": [each.marks for each in last],
        "owners": [each.owner for each in last],
    }
    with store.transaction("store:save_crm_records") as con:
        con.execute(statement("crm/save_mapping"), {"mapping_id": mapping_id, "signatures": list(signatures)})
        con.execute(statement("crm/save_records"), rows)


def known_records(store: Store, destination: str, lead_ids: Sequence[UUID]) -> dict[UUID, KnownRecord]:
    """Those of the leads that were sent before."""
    with store.read() as con:
        asked = {"destination": destination, "lead_ids": list(lead_ids)}
        rows = con.execute(statement("crm/known_records"), asked).all()
    return {row.lead_id: KnownRecord(row.owner_sent, row.external_id) for row in rows}


def list_records(
    store: Store, destination: str, sent_since: datetime, sent_before: datetime, began_at: datetime, limit: int = 1000
) -> list[SentRecord]:
    """Records sent in that time that were not read back since ``began_at``, the longest unread first."""
    asked = {
        "destination": destination,
        "sent_since": sent_since,
        "sent_before": sent_before,
        "began_at": began_at,
        "row_limit": limit,
    }
    with store.read() as con:
        rows = con.execute(statement("crm/list_records"), asked).all()
    return [
        SentRecord(
            row.lead_id,
            row.delivery_id,
            row.external_id,
            tuple(row.signatures),
            bytes(row.marks),
            row.owner_at_crm,
            row.sent_at,
            row.repairs_count,
            row.result,
        )
        for row in rows
    ]


def count_records(store: Store, destination: str) -> int:
    """How many records were sent to a destination."""
    with store.read() as con:
        return int(con.execute(statement("crm/count_records"), {"destination": destination}).scalar_one())


def note_read(store: Store, destination: str, found: Sequence[ReadRecord], now: datetime) -> None:
    """Note what reading back found."""
    if found:
        rows = {
            "destination": destination,
            "now": now,
            "lead_ids": [each.lead_id for each in found],
            "owners": [each.owner for each in found],
            "results": [each.result for each in found],
            "repairs": [int(each.is_repaired) for each in found],
            "are_gone": [each.is_gone for each in found],
        }
        with store.transaction("store:note_crm_read") as con:
            con.execute(statement("crm/note_read"), rows)


def save_job(store: Store, destination: str, job_id: str, delivery_ids: Sequence[UUID], now: datetime) -> None:
    """Note a job before anything is put into it: whoever comes after a crash finds it."""
    row = {"destination": destination, "job_id": job_id, "delivery_ids": list(delivery_ids), "now": now}
    with store.transaction("store:save_crm_job") as con:
        con.execute(statement("crm/save_job"), row)
        con.execute(
            statement("crm/forget_jobs"), {"destination": destination, "before": now - timedelta(days=JOB_DAYS)}
        )


def open_jobs(store: Store, destination: str, delivery_ids: Sequence[UUID]) -> list[Job]:
    """Jobs that hold any of these deliveries, the oldest first."""
    with store.read() as con:
        asked = {"destination": destination, "delivery_ids": list(delivery_ids)}
        rows = con.execute(statement("crm/open_jobs"), asked).all()
    return [Job(row.job_id, frozenset(row.delivery_ids), row.created_at) for row in rows]


def settle_job(store: Store, destination: str, job_id: str, delivery_ids: Sequence[UUID], now: datetime) -> None:
    """The results of these deliveries were read (or there will be none): the job holds them no longer."""
    row = {"destination": destination, "job_id": job_id, "delivery_ids": list(delivery_ids)}
    with store.transaction("store:settle_crm_job") as con:
        con.execute(statement("crm/settle_job"), row)
        con.execute(
            statement("crm/forget_jobs"), {"destination": destination, "before": now - timedelta(days=JOB_DAYS)}
        )
