"""Takes events of webhooks in: whether one is known, its sender's limit and its leads are one transaction.

Belongs here: the order within the transaction, and its repeats. Does not belong here: HTTP (``webhooks``), what an
event holds (``stages.reading.events``) and tables (``resources.store``). Identities are claimed in the batch, as those
of a file are: a lead that repeats another one is kept and told of there, since nobody can be asked to correct an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.doors.quotas import rate_limited
from resources.store import webhook_events
from resources.store.database import Store
from resources.store.errors import StoreUnavailable
from resources.store.intake import NewLead, take_in
from resources.store.limits import Allowance, Limit, take_many
from resources.store.webhook_events import EventKey

ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Event:
    """An event that its sender proved to be its own, with its leads."""

    key: EventKey
    client: str
    leads: Sequence[NewLead]


@dataclass(frozen=True, slots=True)
class Taken:
    """What an event came to: its leads, now or when it came first; or why not now."""

    lead_ids: Sequence[UUID] = ()
    is_known: bool = False
    problem: Problem | None = None
    allowance: Allowance | None = None


def take_in_events(store: Store, limit: Limit, events: Sequence[Event]) -> list[Taken]:
    """Take in events, all in one durable write; what came of each. Of equal ones the first counts.

    Raises:
        StoreUnavailable: nothing was taken in, unless the connection broke during the commit itself.
    """
    for _ in range(ATTEMPTS):
        try:
            with store.transaction("store:take_in_events") as con:
                return _take_in(con, limit, events)
        except IntegrityError as error:
            if not isinstance(error.orig, UniqueViolation):
                raise
            # somebody was faster with one of the events: now it can be seen
    raise StoreUnavailable(f"{ATTEMPTS} attempts met others who brought the same events: try again")


def _take_in(con: Connection, limit: Limit, events: Sequence[Event]) -> list[Taken]:
    firsts = list({event.key: event for event in reversed(events)}.values())
    known = webhook_events.find_known(con, [event.key for event in firsts])
    came_to: dict[EventKey, Taken] = {}
    new = []
    for event, lead_ids in zip(firsts, known, strict=True):
        if lead_ids is None:
            new.append(event)
        else:
            came_to[event.key] = Taken(lead_ids, is_known=True)
    granted = []
    allowances = take_many(con, [(event.client, len(event.leads)) for event in new], limit)
    for event, allowance in zip(new, allowances, strict=True):
        if allowance.is_granted:
            granted.append(event)
            came_to[event.key] = Taken([lead.lead_id for lead in event.leads], allowance=allowance)
        else:
            came_to[event.key] = Taken(problem=rate_limited(allowance), allowance=allowance)
    webhook_events.remember(con, [(event.key, [lead.lead_id for lead in event.leads]) for event in granted])
    take_in(con, [lead for event in granted for lead in event.leads])
    first_of = {event.key: event for event in firsts}
    return [came_to[event.key] if event is first_of[event.key] else _known(came_to[event.key]) for event in events]


def _known(taken: Taken) -> Taken:
    """What the twin of an event in the same transaction is told."""
    return taken if taken.problem is not None else Taken(taken.lead_ids, is_known=True)
