"""What became of calls: marks of a group of them, with their log, in one transaction; and the log itself.

Belongs here: telling the store how attempts went, reading and forgetting the log. Does not belong here: what a failure
means for the next attempt (the worker decides it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from resources.store import lanes
from resources.store.database import statement
from resources.store.deliveries import Delivery, Failure

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from resources.store.database import Store


@dataclass(frozen=True)
class Attempt:
    """How an attempt went, for the log. Nothing of a lead."""

    delivery: Delivery
    outcome: str
    started_at: datetime
    seconds: float
    error_code: str | None = None
    status_code: int | None = None
    detail: str | None = None
    answer: str | None = None
    sent_bytes_count: int | None = None
    answer_bytes_count: int | None = None


@dataclass
class Marks:
    """What a group of calls of one destination came to."""

    destination: str
    delivered: list[tuple[UUID, str | None]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    released: list[Failure] = field(default_factory=list)  # not tried: due at their time, no attempt used up
    attempts: list[Attempt] = field(default_factory=list)
    failed_calls_count: int = 0
    has_success: bool = False  # of a call: the destination answered as it should
    was_probe: bool = False
    paused_until: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.delivered or self.failures or self.released or self.attempts or self.failed_calls_count)


@dataclass(frozen=True)
class Marked:
    """How the lane stands after marks. ``lane`` where calls failed; ``has_recovered``: people had been warned."""

    lane: lanes.Lane | None = None
    has_recovered: bool = False


def write_marks(store: Store, marks: Marks, now: datetime, codes_of_outages: Sequence[str]) -> Marked:
    """Mark all deliveries of a group of calls, log the attempts, tell the lane; all or nothing. May be done again.

    Args:
        codes_of_outages: when the destination is back, what waits for one of these is due at once.
    """
    with store.transaction("store:mark_deliveries") as con:
        if marks.delivered:
            ids, external_ids = zip(*sorted(marks.delivered, key=lambda each: each[0]), strict=True)
            arrived = {"delivery_ids": list(ids), "external_ids": list(external_ids), "now": now}
            con.execute(statement("deliveries/mark_delivered"), arrived)
        if marks.failures:
            con.execute(statement("deliveries/mark_failed"), _columns_of(marks.failures))
        if marks.released:
            con.execute(statement("deliveries/release"), _columns_of(marks.released))
        if marks.attempts:
            con.execute(statement("deliveries/log_attempts"), _columns_of_attempts(marks.attempts))
        return _tell_lane(con, marks, now, codes_of_outages)


def list_attempts(store: Store, delivery_id: UUID, limit: int = 1000) -> list[dict[str, Any]]:
    """The attempts of a delivery that the log still holds, in order."""
    wanted = {"delivery_id": delivery_id, "row_limit": limit}
    with store.read() as con:
        return [dict(row) for row in con.execute(statement("deliveries/list_attempts"), wanted).mappings()]


def forget_attempts(store: Store, before: datetime, limit: int = 5000) -> int:
    """Remove some of the attempts before a time from the log; how many."""
    with store.transaction("store:forget_attempts") as con:
        return len(con.execute(statement("deliveries/forget_attempts"), {"before": before, "row_limit": limit}).all())


def _tell_lane(con: Connection, marks: Marks, now: datetime, codes_of_outages: Sequence[str]) -> Marked:
    has_recovered, lane = False, None
    if marks.has_success:
        was_open, has_recovered = lanes.note_success(con, marks.destination, now)
        if was_open:
            back = {"destination": marks.destination, "now": now, "error_codes": list(codes_of_outages)}
            con.execute(statement("deliveries/pull_forward"), back)
    elif marks.failed_calls_count:
        lane = lanes.note_failure(con, marks.destination, now, marks.failed_calls_count, marks.was_probe)
    if marks.paused_until is not None:
        lanes.pause(con, marks.destination, marks.paused_until)
    return Marked(lane, has_recovered)


def _columns_of(unordered: Sequence[Failure]) -> dict[str, list[Any]]:
    # By id, as all writers of several rows do, so that no two wait for each other.
    failures = sorted(unordered, key=lambda each: each.delivery.delivery_id)
    return {
        "delivery_ids": [each.delivery.delivery_id for each in failures],
        "attempts": [each.delivery.attempts for each in failures],
        "error_codes": [each.error_code for each in failures],
        "next_attempts_at": [each.next_attempt_at for each in failures],
    }


def _columns_of_attempts(attempts: Sequence[Attempt]) -> dict[str, list[Any]]:
    return {
        "delivery_ids": [each.delivery.delivery_id for each in attempts],
        "destinations": [each.delivery.destination for each in attempts],
        "attempts": [each.delivery.attempts for each in attempts],
        "outcomes": [each.outcome for each in attempts],
        "error_codes": [each.error_code for each in attempts],
        "status_codes": [each.status_code for each in attempts],
        "details": [each.detail for each in attempts],
        "answers": [each.answer for each in attempts],
        "sent_bytes_counts": [each.sent_bytes_count for each in attempts],
        "answer_bytes_counts": [each.answer_bytes_count for each in attempts],
        "seconds": [each.seconds for each in attempts],
        "started_ats": [each.started_at for each in attempts],
    }
