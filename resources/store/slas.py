"""The clock of promises: when leads are due to be touched, who has them, who had them, and contacts that stop it.

Belongs here: the rows, a statement for all leads at a time. Does not belong here: working hours and what follows from
silence (``aiqleads_pipeline.alerting.slas``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from resources.store.bulk import copy_rows
from resources.store.database import statement
from resources.store.routing import routing_lock

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection

    from resources.store.database import Store

_CLOCK_COLUMNS = ("lead_id", "team", "owner", "priority", "sla_minutes", "routed_at")
_LOADS = "sla"  # the batch under which moved leads are counted

Dues = Mapping[tuple[str, int], datetime]  # by owner and minutes


@dataclass(frozen=True)
class Overdue:
    """A lead whose promise was broken just now."""

    lead_id: UUID
    team: str
    owner: str
    priority: str
    due_at: datetime
    reassignments_count: int


@dataclass(frozen=True)
class Moved:
    """A lead that was given to somebody else."""

    lead_id: UUID
    batch_id: str
    team: str
    owner: str
    old_owner: str
    priority: str
    due_at: datetime


def unarmed_batches(store: Store, since: datetime) -> list[tuple[str, datetime]]:
    """Batches that ended since then and have no clocks for their leads: id, when it ended."""
    with store.read() as con:
        return [(row.batch_id, row.finished_at) for row in con.execute(statement("slas/unarmed"), {"since": since})]


def arm(store: Store, batch_id: str, finished_at: datetime, leads: pa.Table, dues: Dues) -> None:
    """Start the clocks of a batch's leads, however often it is run.

    Args:
        leads: ``lead_id, team, owner, priority, sla_minutes, routed_at``.
        dues: by owner and minutes, when so much of the owner's working time has passed; leads without one get none.
    """
    with store.transaction("store:arm_clocks") as con:
        if leads.num_rows:
            con.execute(statement("slas/stage"))
            copy_rows(con, "new_clocks", leads, _CLOCK_COLUMNS)
            con.execute(statement("slas/arm"), {"batch_id": batch_id, **_due_arrays(dues, "owners", "minutes")})
        noted = {"batch_id": batch_id, "finished_at": finished_at, "clocks_count": leads.num_rows}
        con.execute(statement("slas/note_batch"), noted)


def note_touches(store: Store, now: datetime) -> None:
    """Stop the clocks of leads that somebody touched, and note which leads arrived, where something would follow."""
    with store.transaction("store:note_touches") as con:
        con.execute(statement("slas/note_touches"), {"now": now})
        con.execute(statement("slas/note_notified"), {"now": now})


def escalate(con: Connection, now: datetime, next_steps: Mapping[str, datetime]) -> list[Overdue]:
    """Mark everything that has become overdue.

    Args:
        next_steps: by owner, when the next step follows.
    """
    row = {"now": now, "owners": list(next_steps), "next_steps": list(next_steps.values())}
    return [Overdue(*each) for each in con.execute(statement("slas/escalate"), row)]


def overdue_minutes(con: Connection, now: datetime) -> list[int]:
    """The promises that overdue leads were given, in minutes."""
    return list(con.execute(statement("slas/minutes"), {"now": now}).scalars())


def open_counts(con: Connection) -> dict[str, int]:
    """How many leads each owner was given that are not closed."""
    counts: Counter[str] = Counter()
    for row in con.execute(statement("routing/read_totals"), {"batch_id": ""}):
        if row.owner:
            counts[row.owner] += row.given_count - row.closed_count
    return dict(counts)


def reassign(
    con: Connection,
    now: datetime,
    most: int,
    turns: Mapping[str, Sequence[str]],
    dues: Dues,
    again: Mapping[str, datetime],
    members: Mapping[str, Sequence[str]],
    limit: int = 5000,
) -> list[Moved]:
    """Give overdue leads to others, and say when to look again at those that nobody took.

    Args:
        most: how often a lead may change its owner.
        turns: by team, whose turn it is among those who can take one now.
        dues: by owner and minutes, when their new promises are due.
        again: by team, when somebody opens; a missing one is not looked at again.
        members: by team, all who could ever get one.
    """
    flat = [(team, position, owner) for team, owners in turns.items() for position, owner in enumerate(owners)]
    values = {
        "now": now,
        "most": most,
        "row_limit": limit,
        "teams": [team for team, _, _ in flat],
        "positions": [position for _, position, _ in flat],
        "owners": [owner for _, _, owner in flat],
        **_due_arrays(dues, "due_owners", "due_minutes"),
    }
    routing_lock(con)  # loads are counted by routings too
    moved = [Moved(*each) for each in con.execute(statement("slas/reassign"), values)]
    _move_loads(con, moved)
    if len(moved) < limit:
        pairs = [(team, member) for team, found in members.items() for member in found]
        all_members = {"now": now, "teams": [team for team, _ in pairs], "members": [member for _, member in pairs]}
        con.execute(statement("slas/exhausted"), all_members)
        later = {"now": now, "most": most, "teams": list(again), "again_ats": list(again.values())}
        con.execute(statement("slas/postpone"), later)
    return moved


def deliver_anew(con: Connection, delivery_ids: Sequence[UUID], now: datetime) -> None:
    """Let deliveries that were made or given up be made again, under the same ids."""
    wanted = {
        "now": now,
        "delivery_ids": list(delivery_ids),
        "destination": None,
        "since": None,
        "until": None,
        "states": ["delivered", "dead"],
    }
    con.execute(statement("deliveries/deliver_again"), wanted)


def late_by_team(store: Store) -> list[dict[str, Any]]:
    """Leads that nobody touched in time: ``team, late_count, since``."""
    with store.read() as con:
        return [dict(row) for row in con.execute(statement("slas/late_by_team")).mappings()]


def list_clocks(
    store: Store, team: str | None = None, lead_id: UUID | None = None, limit: int = 100
) -> list[dict[str, Any]]:
    """Clocks that run, the latest first; of one lead, its clock whether it runs or not."""
    asked = {"team": team, "lead_id": lead_id, "row_limit": limit}
    with store.read() as con:
        return [dict(row) for row in con.execute(statement("slas/list"), asked).mappings()]


def current_promises(store: Store, lead_ids: Sequence[UUID]) -> dict[str, tuple[str, datetime]]:
    """Who has leads that the clock gave to somebody else, and when they are due now, by lead id as text."""
    with store.read() as con:
        rows = con.execute(statement("slas/current_promises"), {"lead_ids": list(lead_ids)})
        return {str(row.lead_id): (row.owner, row.due_at) for row in rows}


def record_contact(
    store: Store, contact_id: UUID, lead_id: UUID, kind: str, contacted_at: datetime, client: str, now: datetime
) -> bool:
    """Somebody spoke with a lead: its clock stops. False if this contact was told before."""
    row = {
        "contact_id": contact_id,
        "lead_id": lead_id,
        "kind": kind,
        "contacted_at": contacted_at,
        "client": client,
        "now": now,
    }
    with store.transaction("store:record_contact") as con:
        is_new = con.execute(statement("slas/insert_contact"), row).first() is not None
        con.execute(statement("slas/stop_clock"), {"lead_id": lead_id, "contacted_at": contacted_at})
        return is_new


def _move_loads(con: Connection, moved: Sequence[Moved]) -> None:
    changes = Counter(each.owner for each in moved)
    changes.subtract(each.old_owner for each in moved)
    by_owner = {owner: count for owner, count in changes.items() if count}
    if by_owner:
        row = {"load_id": _LOADS, "owners": list(by_owner), "counts": list(by_owner.values())}
        con.execute(statement("slas/move_loads"), row)
        con.execute(statement("slas/move_totals"), row)


def _due_arrays(dues: Dues, owners: str, minutes: str) -> dict[str, list[Any]]:
    return {
        owners: [owner for owner, _ in dues],
        minutes: [length for _, length in dues],
        "due_ats": list(dues.values()),
    }
