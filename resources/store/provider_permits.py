"""Whether a provider may be called now: its breaker, its rate and its money, one truth for all processes and restarts.

Belongs here: permits before a call and what came of it afterwards. A provider's row is the lock of breaker and rate;
money is reserved under one lock over all providers, so that no cap is passed by two at once. Time is the database's.
Does not belong here: calls (``aiqleads_pipeline.enriching``) and limits (the rules).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from resources.store.database import statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from resources.store.database import Store

_SPENDING_LOCK = 0x41_49_53_50  # "AISP": held while money is reserved
_LONGEST_PAUSE_SECONDS = 3600.0
_ROUNDING_USD = 1e-9


@dataclass(frozen=True)
class Caps:
    """Money in US dollars by day and month (UTC), of the provider and over all; None is no cap."""

    provider_day: float | None = None
    provider_month: float | None = None
    day: float | None = None
    month: float | None = None


@dataclass(frozen=True)
class Breaking:
    """When a breaker opens: of the last ``window_calls`` (at least ``least_calls``) ``open_share`` failed or were slow.

    It stays open for ``open_seconds``, twice as long after each probe in vain, at most ``longest_open_seconds``.
    """

    window_calls: int = 20
    least_calls: int = 5
    open_share: float = 0.5
    slow_seconds: float = 15.0
    open_seconds: float = 30.0
    longest_open_seconds: float = 900.0


@dataclass(frozen=True)
class Ask:
    """One call that is wanted. ``usd`` is the most it can cost; ``longest_wait_seconds`` how long its turn may take."""

    provider: str
    usd: float
    calls_per_second: float
    burst_calls: int
    longest_wait_seconds: float
    timeout_seconds: float
    caps: Caps
    today: date


@dataclass(frozen=True)
class Permit:
    """A call that may be made in ``wait_seconds``. ``usd`` is reserved until ``settle``."""

    provider: str
    usd: float
    wait_seconds: float
    is_probe: bool
    day: date


@dataclass(frozen=True)
class Denied:
    """A call that may not be made: the breaker is open, the money is spent, or its turn comes too late."""

    why: Literal["breaker", "budget", "rate"]
    retry_after_seconds: float | None = None


@dataclass(frozen=True)
class Call:
    """How a call went. ``failed``: the provider's fault, counts for the breaker; ``refused``: no use to ask again."""

    kind: str
    seconds: float
    outcome: Literal["answered", "failed", "refused"]
    keys_count: int
    error_code: str | None = None
    pause_seconds: float | None = None
    known_count: int = 0
    facts_count: int = 0
    refused_facts_count: int = 0
    cost_usd: float = 0.0


@dataclass
class State:
    """A provider's row."""

    provider: str
    breaker: str
    opens_count: int
    open_until: datetime | None
    probe_until: datetime | None
    window_at: datetime | None
    next_call_at: datetime | None
    wanted_count: int
    let_through_count: int
    last_error_code: str | None


def ask(store: Store, wanted: Ask) -> Permit | Denied:
    """Ask for one call: breaker, then money, then a turn within the rate. What is denied took nothing."""
    with store.transaction("store:provider_permit") as con:
        state, now = _locked(con, wanted.provider)
        is_probe = False
        if state.breaker != "closed":
            state.wanted_count += 1
            wait = _shut_for(state, now)
            if wait > 0:
                _save(con, state)
                return Denied("breaker", wait)
            is_probe = True
        if not _has_money(con, wanted):
            _save(con, state)
            return Denied("budget")
        interval = timedelta(seconds=1 / wanted.calls_per_second)
        earliest = (state.next_call_at or now) - interval * (wanted.burst_calls - 1)
        wait = max(0.0, (earliest - now).total_seconds())
        if wait > wanted.longest_wait_seconds:
            _save(con, state)
            return Denied("rate", wait)
        state.next_call_at = max(state.next_call_at or now, now) + interval
        if is_probe:
            state.breaker, state.let_through_count = "half_open", state.let_through_count + 1
            state.probe_until = now + timedelta(seconds=wait + wanted.timeout_seconds + 5)
        _save(con, state)
        if wanted.usd:
            spent = {"provider": wanted.provider, "day": wanted.today, "usd": wanted.usd}
            con.execute(statement("enrichment/spend"), spent)
        return Permit(wanted.provider, wanted.usd, wait, is_probe, wanted.today)


def settle(store: Store, permit: Permit, call: Call, breaking: Breaking) -> State:
    """Note how a permitted call went: give back what it did not cost, judge the breaker; returns how it stands now."""
    with store.transaction("store:provider_call") as con:
        state, now = _locked(con, permit.provider)
        row = asdict(call)
        pause = row.pop("pause_seconds")
        con.execute(
            statement("enrichment/insert_call"), {**row, "provider": permit.provider, "is_probe": permit.is_probe}
        )
        if call.cost_usd != permit.usd:
            back = {"provider": permit.provider, "day": permit.day, "usd": call.cost_usd - permit.usd}
            con.execute(statement("enrichment/spend"), back)
        state.last_error_code = call.error_code or state.last_error_code
        if permit.is_probe:
            is_well = call.outcome == "answered" and call.seconds < breaking.slow_seconds
            _close(state, now) if is_well else _open(state, now, breaking, pause)
        elif state.breaker == "closed" and (pause or _is_bad(con, state, breaking)):
            if pause and call.error_code == "unavailable_status" and not _is_bad(con, state, breaking):
                # It asks for a pause: all processes keep it, and nothing is held against it.
                longest = min(pause, _LONGEST_PAUSE_SECONDS)
                state.next_call_at = max(state.next_call_at or now, now + timedelta(seconds=longest))
            else:
                _open(state, now, breaking, pause)
        _save(con, state)
        return state


def count_wanted(store: Store, provider: str, calls_count: int) -> None:
    """Count further calls that were wanted while the breaker is open and that nobody asked a permit for."""
    if calls_count > 0:
        with store.transaction("store:provider_wanted") as con:
            con.execute(
                statement("enrichment/count_wanted"), {"provider": provider, "wanted_count": calls_count}
            )  # fmt: skip


def states(store: Store) -> dict[str, State]:
    """How providers stand, by name."""
    with store.read() as con:
        return {row["provider"]: State(**row) for row in con.execute(statement("enrichment/read_states")).mappings()}


def scoreboard(store: Store) -> list[dict[str, Any]]:
    """How providers do, by the calls of 30 days: the view ``provider_scoreboard``."""
    with store.read() as con:
        return [dict(row) for row in con.execute(statement("enrichment/list_scores")).mappings()]


def last_call(store: Store, provider: str) -> tuple[str, str | None] | None:
    """Outcome and error of a provider's last call."""
    with store.read() as con:
        row = con.execute(statement("enrichment/last_call"), {"provider": provider}).first()
    return None if row is None else (row.outcome, row.error_code)


def expire_calls(store: Store, started_before: datetime) -> None:
    """Remove calls that are too old for the scoreboard."""
    with store.transaction("store:expire_calls") as con:
        con.execute(statement("enrichment/expire_calls"), {"started_before": started_before})


def _locked(con: Connection, provider: str) -> tuple[State, datetime]:
    row = con.execute(statement("enrichment/lock_state"), {"provider": provider}).mappings().first()
    if row is None:
        con.execute(statement("enrichment/insert_state"), {"provider": provider})
        row = con.execute(statement("enrichment/lock_state"), {"provider": provider}).mappings().one()
    found = dict(row)
    now = found.pop("now_at")
    return State(**found), now


def _save(con: Connection, state: State) -> None:
    con.execute(statement("enrichment/save_state"), asdict(state))


def _shut_for(state: State, now: datetime) -> float:
    """How long nobody may call, in seconds: until its time is over, then while a probe is on its way."""
    until = state.open_until if state.breaker == "open" else state.probe_until
    return 0.0 if until is None else max(0.0, (until - now).total_seconds())


def _has_money(con: Connection, wanted: Ask) -> bool:
    caps = wanted.caps
    if not wanted.usd or caps == Caps():
        return True
    con.execute(statement("enrichment/lock_spending"), {"lock": _SPENDING_LOCK})
    row = con.execute(statement("enrichment/read_spent"), {"provider": wanted.provider, "day": wanted.today}).one()
    pairs = (
        (row.provider_day_usd, caps.provider_day),
        (row.provider_month_usd, caps.provider_month),
        (row.day_usd, caps.day),
        (row.month_usd, caps.month),
    )
    return all(cap is None or spent + wanted.usd <= cap + _ROUNDING_USD for spent, cap in pairs)


def _is_bad(con: Connection, state: State, breaking: Breaking) -> bool:
    row = con.execute(
        statement("enrichment/judge_calls"),
        {
            "provider": state.provider,
            "window_at": state.window_at,
            "calls_count": breaking.window_calls,
            "slow_seconds": breaking.slow_seconds,
        },
    ).one()
    enough = row.calls_count >= breaking.least_calls
    return bool(enough and row.failed_count + row.slow_count >= breaking.open_share * row.calls_count)


def _open(state: State, now: datetime, breaking: Breaking, pause_seconds: float | None) -> None:
    if state.breaker == "closed":
        state.wanted_count = state.let_through_count = 0
    state.breaker, state.opens_count = "open", state.opens_count + 1
    longer = breaking.open_seconds * 2.0 ** min(state.opens_count - 1, 16)
    seconds = max(min(longer, breaking.longest_open_seconds), min(pause_seconds or 0.0, _LONGEST_PAUSE_SECONDS))
    state.open_until, state.probe_until = now + timedelta(seconds=seconds), None


def _close(state: State, now: datetime) -> None:
    state.breaker, state.opens_count, state.open_until, state.probe_until = "closed", 0, None, None
    state.window_at = now
