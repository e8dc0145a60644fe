"""Tells webhooks that ask for it what happens in leads' lives: CloudEvents 1.0, through the outbox, each once.

Belongs here: which happenings, what an event says, who is told. Does not belong here: changed priorities, which
``priority_events`` finds as scores are written, and sending (``delivering``). Events hold no personal data: who wants
to know more asks ``GET /v1/leads/{lead_id}``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.destinations.web import LEFT_OUT, WebhookDestination
from aiqleads_pipeline.stages.engine import open_engine, run_sql, set_variables
from aiqleads_pipeline.tables import all_batches
from resources.store import lead_events
from resources.store.notices import Notice, post_many

if TYPE_CHECKING:
    from sqlalchemy import Connection

SOURCE = "/aiqleads"
BATCH_DONE = "batch.done"
# New rules may move every lead at once, a file may bring a million. Of more than these of a type the most urgent are
# told, and an event says how many were left out.
MOST_EVENTS = 2_000
# What is told was committed before that; what commits later than it happened is still found, and told once by its key.
SLACK = timedelta(seconds=120)
_LEAST_URGENT = "P4"


@dataclass(frozen=True)
class Happening:
    """One event to tell. ``key`` tells it from others of its type and subject; priorities and team say whose it is."""

    type: str
    subject: str
    key: str
    at: datetime
    data: Mapping[str, Any]
    team: str | None = None
    priorities: frozenset[str] = frozenset()
    source: str = SOURCE

    @property
    def event_id(self) -> str:
        """The same whenever the same happening is told."""
        return f"{self.type}:{self.key}:{self.subject}"


@dataclass(frozen=True)
class Told:
    """What was told: new events by type, and how many were left out by type."""

    told: dict[str, int]
    left_out: dict[str, int]


def asking(outside: Outside) -> list[WebhookDestination]:
    """The destinations that ask for events of any type."""
    sent = outside.rules().destinations.sent.values()
    return [each for each in sent if isinstance(each, WebhookDestination) and each.events]


def tell_lead_events(outside: Outside) -> Told:
    """Tell what happened since the last time; nothing of before anybody asked. May be killed and done again."""
    now = outside.settings.now()
    since = lead_events.told_until(outside.store)
    askers = asking(outside)
    if not askers:
        if since is not None and now - since > SLACK:
            lead_events.tell_on(outside.store, now, lambda con: None)
        return Told({}, {})
    if since is None:
        lead_events.tell_on(outside.store, now, lambda con: None)
        return Told({}, {})
    happenings, left_out = happenings_between(outside, {type_ for each in askers for type_ in each.events}, since, now)
    told: Counter[str] = Counter()
    lead_events.tell_on(
        outside.store, now, lambda con: told.update(post_happenings(con, askers, happenings, left_out, now))
    )
    return Told(dict(told), left_out)


def happenings_between(
    outside: Outside, types: set[str], since: datetime, until: datetime
) -> tuple[list[Happening], dict[str, int]]:
    """What happened of the types between two times (a little earlier, too), and how many of each type were too many."""
    batches = lead_events.batches_done(outside.store, since - SLACK, until)
    singles = lead_events.happened(outside.store, since - SLACK, until, types)
    done = [
        Happening(
            BATCH_DONE,
            each.batch_id,
            "",
            each.finished_at,
            {"batch_id": each.batch_id, "source": each.source, "channel": each.channel, "counts": each.counts},
        )
        for each in batches
        if BATCH_DONE in types
    ]
    if not singles.num_rows and not batches:
        return done, {}
    with open_engine(outside.settings) as con:
        outside.lake.attach(con)
        con.from_arrow(singles).query("_", "CREATE OR REPLACE TEMP TABLE happened_now AS FROM _")
        set_variables(
            con,
            events_most=MOST_EVENTS,
            events_types=sorted(types),
            events_done=[{"batch_id": "", "finished_at": until}]  # gives the list its types where no batch was done
            + [{"batch_id": each.batch_id, "finished_at": each.finished_at} for each in batches],
        )
        found = run_sql(
            con,
            "marts/happenings",
            happened=con.table("happened_now"),
            routed_leads=all_batches(con, outside, "routed_leads"),
        ).fetchall()
    counts = {row[0]: row[-1] for row in found}
    left_out = {type_: count - MOST_EVENTS for type_, count in counts.items() if count > MOST_EVENTS}
    return [*done, *(_happening(*row[:-1]) for row in found)], left_out


def post_happenings(
    con: Connection,
    askers: Sequence[WebhookDestination],
    happenings: Sequence[Happening],
    left_out: Mapping[str, int],
    now: datetime,
) -> Counter[str]:
    """One event per happening for the destinations it concerns, within the caller's transaction; then one per type of
    which some were left out, if any of it was new. Returns how many are new, by type."""
    wanted = [
        Notice(each.type, cloud_event(each), names, _urgency(each), each.event_id)
        for each in happenings
        if (names := [asker.name for asker in askers if _concerns(asker, each)])
    ]
    new = post_many(con, wanted, now)
    told = Counter(each.topic for each in wanted if each.dedup_key in new)
    for type_, count in left_out.items():
        names = [asker.name for asker in askers if type_ in asker.events]
        if names and told[type_]:
            data = {"type": type_, "told_count": MOST_EVENTS, "left_out_count": count}
            overflow = Happening(LEFT_OUT, type_, f"{now:%Y%m%dT%H%M%S%f}", now, data)
            post_many(con, [Notice(LEFT_OUT, cloud_event(overflow), names, 1, overflow.event_id)], now)
    return told


def cloud_event(happening: Happening) -> dict[str, Any]:
    """The event in CloudEvents' JSON format."""
    return {
        "specversion": "1.0",
        "id": happening.event_id,
        "source": happening.source,
        "type": happening.type,
        "subject": happening.subject,
        "time": happening.at.isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json",
        "data": dict(happening.data),
    }


def _happening(
    type_: str, lead_id: UUID, key: str, at: datetime, data: str, team: str | None, priority: str | None
) -> Happening:
    body = {"lead_id": str(lead_id), **json.loads(data)}
    return Happening(type_, str(lead_id), key, at, body, team, frozenset([priority] if priority else []))


def _urgency(happening: Happening) -> int:
    return int(min(happening.priorities, default=_LEAST_URGENT)[1])


def _concerns(asker: WebhookDestination, happening: Happening) -> bool:
    """Batches concern all who ask for them; of leads those of the destination's teams and priorities."""
    if happening.type not in asker.events:
        return False
    if happening.type == BATCH_DONE:
        return True
    if asker.teams is not None and happening.team not in asker.teams:
        return False
    return asker.priorities is None or bool(happening.priorities & set(asker.priorities))
