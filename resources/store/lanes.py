"""Lanes: how each destination stands for all processes together, and claiming within its budgets.

Belongs here: switched on or off, breaker, pauses, rate, concurrency; the one transaction that decides who sends what.
Does not belong here: sending, and what an attempt means for its delivery (``deliveries``, the worker).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from resources.store.database import statement
from resources.store.deliveries import Delivery
from resources.store.leases import holder_is_dead

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from resources.store.database import Store

BREAKER_THRESHOLD = 5  # calls that failed in a row
OPEN_SECONDS, MOST_OPEN_SECONDS = 30.0, 600.0
ALL_PRIORITIES = (1, 2, 3, 4)
_AGED_SHARE = 10  # every tenth delivery goes by age
_WORKER_SECONDS = 30.0  # that a silent process keeps its slots
_BURST_SECONDS = 1.0


@dataclass(frozen=True)
class Budget:
    """What a destination's rules allow, all processes together; a call carries up to ``chunk_size`` deliveries."""

    destination: str
    chunk_size: int
    concurrency: int
    calls_per_second: float | None


@dataclass(frozen=True)
class Lane:
    """A destination as the store has it."""

    state: str
    failures_count: int
    opened_count: int
    open_until: datetime | None
    paused_until: datetime | None
    tokens: float
    tokens_at: datetime | None
    claimed_count: int
    failing_since: datetime | None
    warnings_count: int
    delivered_at: datetime | None
    off_reason: str | None
    off_at: datetime | None
    destination: str

    @property
    def is_open(self) -> bool:
        """Whether the breaker is open, or half open."""
        return self.failures_count >= BREAKER_THRESHOLD


@dataclass(frozen=True)
class Grant:
    """What a process may send now. ``wait_seconds``: before that there will be nothing; None: nothing holds it up."""

    deliveries: list[Delivery] = field(default_factory=list)
    slots_count: int = 0
    is_probe: bool = False
    wait_seconds: float | None = None


def claim(
    store: Store,
    budget: Budget,
    worker: str,
    running_count: int,
    limit: int,
    now: datetime,
    hold_seconds: float,
    priorities: Sequence[int] = ALL_PRIORITIES,
) -> Grant:
    """Take due deliveries of a destination within its budgets; nobody else gets them for ``hold_seconds``.

    Args:
        worker: this process (``leases.holder_name``); its slots are counted against the destination's concurrency.
        running_count: calls that this process makes just now.
        limit: deliveries at most.
        now: UTC.
    """
    with store.transaction("store:claim_deliveries") as con:
        lane = _lock(con, budget.destination)
        if (wait := _closed_seconds(lane, now)) is not None:
            return Grant(wait_seconds=wait)
        slots = _take_slots(con, budget, worker, running_count, now)
        tokens = _tokens(lane, budget, now)
        calls = math.ceil(limit / budget.chunk_size) if tokens is None else math.floor(tokens)
        if lane.is_open:
            calls = min(calls, 1)
        most = min(limit, calls * budget.chunk_size)
        if slots == 0 or most == 0:
            rate = budget.calls_per_second or 1.0
            return Grant(slots_count=slots, wait_seconds=1.0 if slots == 0 else (1.0 - (tokens or 0.0)) / rate)
        found = _claim(con, lane, most, now, hold_seconds, priorities)
        if found:
            _spend(con, lane, budget, tokens, len(found), now)
    found.sort(key=lambda each: (each.priority, each.created_at, each.delivery_id))
    return Grant(found, slots, is_probe=lane.is_open)


def due_destinations(store: Store, destinations: Sequence[str], now: datetime) -> dict[str, int]:
    """Those of the destinations that have something due, with the priority of the most urgent."""
    with store.read() as con:
        rows = con.execute(statement("deliveries/due_destinations"), {"destinations": list(destinations), "now": now})
        return {row.destination: row.priority for row in rows}


def neglected(store: Store, destinations: Sequence[str], since: datetime, now: datetime) -> list[str]:
    """Those of the destinations that could take what is due since a time, and that no process sends to."""
    asked = {"destinations": list(destinations), "since": since, "now": now}
    with store.read() as con:
        return list(con.execute(statement("lanes/neglected"), asked).scalars())


def note_success(con: Connection, destination: str, now: datetime) -> tuple[bool, bool]:
    """The destination answered; whether its breaker was open until now, and whether people had been warned."""
    noted = {"destination": destination, "now": now, "threshold": BREAKER_THRESHOLD}
    before = con.execute(statement("lanes/note_success"), noted).first()
    return (False, False) if before is None else (before.was_open, before.warnings_count > 0)


def note_failure(con: Connection, destination: str, now: datetime, calls_count: int, was_probe: bool) -> Lane:
    """Calls failed, with no success among them; how it stands now."""
    noted = {
        "destination": destination,
        "now": now,
        "calls_count": calls_count,
        "threshold": BREAKER_THRESHOLD,
        "open_seconds": OPEN_SECONDS,
        "most_open_seconds": MOST_OPEN_SECONDS,
        "was_probe": was_probe,
    }
    _lock(con, destination)
    return Lane(*con.execute(statement("lanes/note_failure"), noted).one())


def pause(con: Connection, destination: str, until: datetime) -> None:
    """The destination wants no calls until then."""
    con.execute(statement("lanes/pause"), {"destination": destination, "paused_until": until})


def warn(store: Store, lane: Lane) -> bool:
    """Note that a person is warned; False if somebody else did it."""
    told = {"destination": lane.destination, "warnings_count": lane.warnings_count}
    with store.transaction("store:warn_of_destination") as con:
        return con.execute(statement("lanes/warn"), told).first() is not None


def switch(store: Store, destination: str, state: str, reason: str | None, now: datetime) -> bool:
    """Switch a destination ``on`` (its breaker closes, its pause ends) or ``off``; False if it was off already."""
    told = {"destination": destination, "state": state, "reason": reason, "now": now}
    with store.transaction("store:switch_destination") as con:
        _lock(con, destination)
        return con.execute(statement("lanes/switch"), told).first() is not None


def list_lanes(store: Store) -> list[dict[str, Any]]:
    """How all destinations stand, with counts of their deliveries."""
    with store.read() as con:
        return [dict(row) for row in con.execute(statement("lanes/list")).mappings()]


def keep_slots(store: Store, destination: str, worker: str, slots_count: int, now: datetime) -> None:
    """Go on holding slots while long calls run."""
    kept = {"destination": destination, "worker": worker, "slots_count": slots_count}
    with store.transaction("store:keep_slots") as con:
        con.execute(statement("lanes/keep_worker"), kept | {"expires_at": now + timedelta(seconds=_WORKER_SECONDS)})


def leave(store: Store, worker: str, now: datetime) -> None:
    """This process sends no more: its slots are free."""
    with store.transaction("store:leave_lanes") as con:
        con.execute(statement("lanes/drop_workers"), {"worker": worker, "now": now})


def _lock(con: Connection, destination: str) -> Lane:
    wanted = {"destination": destination}
    found = con.execute(statement("lanes/lock"), wanted).first()
    if found is None:
        con.execute(statement("lanes/insert"), wanted)
        found = con.execute(statement("lanes/lock"), wanted).one()
    return Lane(*found)


def _closed_seconds(lane: Lane, now: datetime) -> float | None:
    """How long nothing may be sent; None if something may."""
    if lane.state == "off":
        return 60.0
    waits = [until for until in (lane.open_until, lane.paused_until) if until is not None and until > now]
    return (max(waits) - now).total_seconds() if waits else None


def _take_slots(con: Connection, budget: Budget, worker: str, running_count: int, now: datetime) -> int:
    """A fair share of the destination's concurrency: what others hold stays theirs until they give it back."""
    me = {"destination": budget.destination, "worker": worker, "now": now}
    rows = con.execute(statement("lanes/list_workers"), me)
    others = [row.slots_count for row in rows if not holder_is_dead(row.worker)]
    fair = math.ceil(budget.concurrency / (len(others) + 1))
    slots: int = max(running_count, min(fair, budget.concurrency - sum(others)), 0)
    kept = me | {"slots_count": slots, "expires_at": now + timedelta(seconds=_WORKER_SECONDS)}
    con.execute(statement("lanes/keep_worker"), kept)
    return slots


def _tokens(lane: Lane, budget: Budget, now: datetime) -> float | None:
    """Calls that the rate allows now; None: any number."""
    if budget.calls_per_second is None:
        return None
    most = max(1.0, budget.calls_per_second * _BURST_SECONDS)
    if lane.tokens_at is None:
        return most
    passed = max(0.0, (now - lane.tokens_at).total_seconds())
    return min(most, lane.tokens + passed * budget.calls_per_second)


def _claim(
    con: Connection, lane: Lane, most: int, now: datetime, hold_seconds: float, priorities: Sequence[int]
) -> list[Delivery]:
    aged = (lane.claimed_count + most) // _AGED_SHARE - lane.claimed_count // _AGED_SHARE
    wanted = {
        "destination": lane.destination,
        "now": now,
        "hold_until": now + timedelta(seconds=hold_seconds),
        "row_limit": most,
        "aged_limit": aged,
        "priorities": list(priorities),
    }
    return [Delivery(*row) for row in con.execute(statement("deliveries/claim_within"), wanted)]


def _spend(con: Connection, lane: Lane, budget: Budget, tokens: float | None, count: int, now: datetime) -> None:
    open_seconds = min(OPEN_SECONDS * 2.0 ** min(lane.opened_count, 20), MOST_OPEN_SECONDS)
    spent = {
        "destination": lane.destination,
        "tokens": 0.0 if tokens is None else tokens - math.ceil(count / budget.chunk_size),
        "now": now,
        "claimed_count": count,
        "open_until": now + timedelta(seconds=open_seconds) if lane.is_open else None,
    }
    con.execute(statement("lanes/spend"), spent)
