"""When open leads got new scores, which leads something was heard of since, and what persons say of leads.

Belongs here: the store's side. Does not belong here: scoring (``aiqleads_pipeline.rescoring``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from resources.store.database import statement
from resources.store.fetch import fetch_table

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection

    from resources.store.database import Store

Kind = Literal["all", "signalled"]


@dataclass(frozen=True)
class Rescoring:
    """One time that open leads got new scores; signals up to ``until`` were known to it."""

    batch_id: str
    kind: Kind
    until: datetime
    leads_count: int
    seconds: float


@dataclass(frozen=True)
class Override:
    """What a person says of a lead until it expires."""

    lead_id: UUID
    priority: str
    reason: str
    set_by: str
    set_at: datetime
    expires_at: datetime


def last_rescoring(store: Store, kind: Kind | None = None) -> Rescoring | None:
    """The last one (of a kind); None while there was none."""
    with store.read() as con:
        row = con.execute(statement("rescoring/last"), {"kind": kind}).first()
    return None if row is None else Rescoring(row.batch_id, row.kind, row.until, row.leads_count, row.seconds)


def noted_batches(store: Store) -> set[str]:
    """The batches of open scores that were noted."""
    with store.read() as con:
        return set(con.execute(statement("rescoring/batches")).scalars())


def note_rescoring(
    store: Store,
    rescoring: Rescoring,
    facts: Mapping[str, Any],
    together_with: Callable[[Connection], None] = lambda con: None,
) -> None:
    """Note that open leads got new scores, in one transaction with what follows from it; the same batch may be noted
    again."""
    with store.transaction("store:note_rescoring") as con:
        values = {**rescoring.__dict__, "facts": json.dumps(dict(facts), allow_nan=False)}
        con.execute(statement("rescoring/insert"), values)
        together_with(con)


def signalled_leads(store: Store, since: datetime, until: datetime) -> pa.Table:
    """``lead_id`` (Arrow's UUID) of the leads that something was heard of between two times (UTC)."""
    import pyarrow as pa

    with store.read() as con:
        return fetch_table(con, "rescoring/signalled", {"since": since, "until": until}, {"lead_id": pa.uuid()})


def set_override(store: Store, override: Override) -> None:
    """Let a person's priority count for a lead, instead of what was said before."""
    with store.transaction("store:set_override") as con:
        con.execute(statement("overrides/set"), override.__dict__)


def end_override(store: Store, lead_id: UUID, now: datetime) -> bool:
    """Let the rules count again; False if nothing was said, or it has expired."""
    with store.transaction("store:end_override") as con:
        return con.execute(statement("overrides/end"), {"lead_id": lead_id, "now": now}).rowcount > 0


def overrides_in_force(store: Store, now: datetime, lead_ids: Sequence[UUID] | None = None) -> list[Override]:
    """What persons say of leads (all by default), the oldest first."""
    asked = None if lead_ids is None else list(lead_ids)
    with store.read() as con:
        rows = con.execute(statement("overrides/in_force"), {"now": now, "lead_ids": asked})
        return [Override(**row) for row in rows.mappings()]


def overrides_table(store: Store, now: datetime) -> pa.Table:
    """The same as Arrow: ``lead_id, priority, reason, set_by, set_at, expires_at``."""
    import pyarrow as pa

    types = {
        "lead_id": pa.uuid(),
        **dict.fromkeys(("priority", "reason", "set_by"), pa.string()),
        **dict.fromkeys(("set_at", "expires_at"), pa.timestamp("us", "UTC")),
    }
    with store.read() as con:
        return fetch_table(con, "overrides/in_force", {"now": now, "lead_ids": None}, types)
