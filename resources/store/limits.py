"""How many leads each client may send within a sliding window: one count for all processes and hosts, in the store.

Belongs here: taking and telling. How exact it is: time is cut into ``SLOTS_COUNT`` slots a window, and a lead
counts from its arrival until its slot's end is one window old. So no window of any position ever holds more than the
limit, over any number of processes and restarts; and a place comes free at most one slot (0.36 s of an hour) later than
it could. Time is the database's. All is part of the caller's transaction: what is rolled back was never taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from resources.store.database import Store, statement

SLOTS_COUNT = 10_000
IDLE_SECONDS = 5.0  # a transaction that took places and does nothing for so long is ended by the server


@dataclass(frozen=True)
class Limit:
    """``max_count`` leads in any ``window_seconds``; a client's own limit in the store goes before it."""

    max_count: int
    window_seconds: int

    @property
    def slot_ms(self) -> int:
        """The length of a slot."""
        return max(1, self.window_seconds * 1000 // SLOTS_COUNT)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What came of asking. ``retry_after_seconds`` only where it was refused: after that many whole seconds the same
    request finds room if nobody else takes it; None if it asks for more than the limit itself and never can."""

    is_granted: bool
    limit_count: int
    remaining_count: int
    window_seconds: int
    reset_seconds: int  # until the whole limit is there again if nothing more is sent
    retry_after_seconds: int | None = None


def take(store: Store, client: str, leads_count: int, limit: Limit, now: datetime | None = None) -> Allowance:
    """Take places for leads in a transaction of its own; see ``take_many``."""
    with store.transaction("store:take_places") as con:
        return take_many(con, [(client, leads_count)], limit, now)[0]


def take_many(
    con: Connection, asks: Sequence[tuple[str, int]], limit: Limit, now: datetime | None = None
) -> list[Allowance]:
    """Take places for many requests of many clients within the caller's transaction (READ COMMITTED).

    Each ask ``(client, leads_count)`` is granted whole or not at all, in their order, and answered in it.
    Clients stay locked until the transaction ends: call it first, so that it is over soon and nothing else is held
    while waiting. ``now`` is for tests; by default the database's clock counts.
    """
    clients = sorted({client for client, _ in asks})
    if not clients:
        return []
    counts = _lock(con, clients, limit, now)
    answers: list[Allowance | None] = []
    for client, leads_count in asks:
        count = counts.of[client]
        if leads_count <= count.max_count - count.used_count:
            count.used_count += leads_count
            count.taken_count += leads_count
            count.reset_ms = max(count.reset_ms, counts.slot_end_ms - counts.now_ms + counts.window_ms)
            answers.append(_allowance(count, limit, is_granted=True))
        else:
            answers.append(_refusal(con, client, leads_count, counts, limit))
    _save(con, counts)
    return [answer for answer in answers if answer is not None]


def peek(store: Store, client: str, limit: Limit, now: datetime | None = None) -> Allowance:
    """Where a client stands, without taking anything."""
    asked = {"client": client, "window_ms": limit.window_seconds * 1000, "now_ms": _milliseconds(now)}
    with store.connect() as con:
        row = con.execute(statement("limits/peek"), asked).one()
    count = _Count(row.used_count, limit.max_count if row.max_count is None else row.max_count)
    count.reset_ms = max(0, int(row.reset_ms or 0))
    return _allowance(count, limit, is_granted=True)


def set_max(store: Store, client: str, max_count: int | None) -> None:
    """Give a client a limit of its own; None takes it back."""
    with store.transaction("store:set_client_limit") as con:
        con.execute(statement("limits/set_max"), {"client": client, "max_count": max_count})


@dataclass(slots=True)
class _Count:
    used_count: int
    max_count: int
    taken_count: int = 0
    reset_ms: int = 0


@dataclass(slots=True)
class _Counts:
    of: dict[str, _Count]
    now_ms: int
    window_ms: int
    slot_end_ms: int
    changed: set[str] = field(default_factory=set)  # clients of which slots left the window


def _lock(con: Connection, clients: list[str], limit: Limit, now: datetime | None) -> _Counts:
    locked = {"clients": clients, "idle_ms": str(int(IDLE_SECONDS * 1000))}
    rows = con.execute(statement("limits/lock"), locked).all()
    if len(rows) < len(clients):
        con.execute(statement("limits/insert"), {"clients": clients})
        rows = con.execute(statement("limits/lock"), locked).all()
    of = {
        row.client: _Count(row.used_count, limit.max_count if row.max_count is None else row.max_count) for row in rows
    }
    window_ms = limit.window_seconds * 1000
    asked = {"clients": clients, "window_ms": window_ms, "now_ms": _milliseconds(now)}
    now_ms, changed = 0, set()
    for client, at_ms, gone_count in con.execute(statement("limits/clear_slots"), asked):
        now_ms = at_ms
        if client is not None:
            of[client].used_count -= gone_count
            changed.add(client)
    slot_end_ms = (now_ms // limit.slot_ms + 1) * limit.slot_ms
    return _Counts(of, now_ms, window_ms, slot_end_ms, changed)


def _refusal(con: Connection, client: str, leads_count: int, counts: _Counts, limit: Limit) -> Allowance:
    count = counts.of[client]
    needed_count = leads_count - (count.max_count - count.used_count)
    room = con.execute(statement("limits/find_room"), {"client": client, "needed_count": needed_count}).one()
    newest_ms = counts.slot_end_ms if count.taken_count else (room.newest_ms or counts.now_ms - counts.window_ms)
    count.reset_ms = newest_ms + counts.window_ms - counts.now_ms
    if leads_count > count.max_count:
        return _allowance(count, limit, is_granted=False)
    # What is not in the slots yet was taken in this very transaction: it leaves last.
    room_ms = counts.slot_end_ms if room.room_ms is None else room.room_ms
    wait_ms = room_ms + counts.window_ms - counts.now_ms
    return _allowance(count, limit, is_granted=False, retry_after_seconds=max(1, -(-wait_ms // 1000)))


def _save(con: Connection, counts: _Counts) -> None:
    found = {name: count for name, count in counts.of.items() if count.taken_count or name in counts.changed}
    if found:
        columns = {
            "clients": list(found),
            "used_counts": [count.used_count for count in found.values()],
            "taken_counts": [count.taken_count for count in found.values()],
        }
        con.execute(statement("limits/save"), {**columns, "ends_at_ms": counts.slot_end_ms})


def _allowance(count: _Count, limit: Limit, *, is_granted: bool, retry_after_seconds: int | None = None) -> Allowance:
    return Allowance(
        is_granted,
        count.max_count,
        max(0, count.max_count - count.used_count),
        limit.window_seconds,
        -(-count.reset_ms // 1000),
        retry_after_seconds,
    )


def _milliseconds(now: datetime | None) -> int | None:
    return None if now is None else int(now.timestamp() * 1000)
