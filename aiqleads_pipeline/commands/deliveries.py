"""`aiqleads deliveries`: what stands in the outbox, and what a person can do about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from aiqleads_pipeline.commands.printing import Refused
from aiqleads_pipeline.delivering.kinds import NotBuilt
from aiqleads_pipeline.delivering.trial import send_test
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.reasons import REASONS
from aiqleads_pipeline.rules.destinations import load_destinations
from resources.destinations import Receipt
from resources.store import alerts, deliveries, lanes
from resources.store.deliveries import Delivery
from resources.store.delivery_log import list_attempts

STATES = ("pending", "in_flight", "delivered", "dead", "cancelled")
_AGO = re.compile(r"(\d{1,6})(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def shown(delivery: Delivery) -> dict[str, Any]:
    """A delivery as facts."""

    def said(moment: datetime | None) -> str | None:
        return None if moment is None else moment.isoformat(timespec="seconds")

    code = delivery.last_error_code
    return {
        "delivery_id": str(delivery.delivery_id),
        "lead_id": str(delivery.lead_id),
        "batch_id": delivery.batch_id,
        "destination": delivery.destination,
        "priority": f"P{delivery.priority}",
        "state": delivery.state,
        "attempts": delivery.attempts,
        "next_attempt_at": said(delivery.next_attempt_at),
        "last_error_code": code,
        "last_error": REASONS[code].message if code in REASONS else None,
        "external_id": delivery.external_id,
        "created_at": said(delivery.created_at),
        "delivered_at": said(delivery.delivered_at),
    }


def show(outside: Outside, delivery_id: str) -> dict[str, Any]:
    """A delivery and its attempts, as far as the log goes back.

    Raises:
        Refused: there is none of that id.
    """
    found = deliveries.find_delivery(outside.store, delivery_uuid(delivery_id))
    if found is None:
        raise Refused(f"there is no delivery {delivery_id}: `aiqleads deliveries list` shows them")
    return {**shown(found), "log": list_attempts(outside.store, found.delivery_id)}


def retry(outside: Outside, delivery_ids: Sequence[str], destination: str | None) -> int:
    """Let dead deliveries (these, or all of a destination) be tried again from their first attempt, and those that wait
    at once; how many."""
    if not delivery_ids and destination is None:
        raise Refused("name deliveries, or a destination with --destination")
    if destination is not None:
        _rule(outside, destination)
    ids = [delivery_uuid(each) for each in delivery_ids] or None
    now = outside.settings.now()
    count = deliveries.deliver_again(outside.store, now, ids, destination, states=("dead", "pending"))
    if destination is not None:
        alerts.close_alert(outside.store, "deliveries_dead", destination, now)
    return count


def replay(outside: Outside, destination: str, since: str, until: str | None) -> int:
    """Deliver again all that was routed since a time, delivered or not, under the same ids; how many."""
    _rule(outside, destination)
    now = outside.settings.now()
    first, last = _moment(since, now), None if until is None else _moment(until, now)
    states = ("delivered", "dead", "pending", "cancelled")
    return deliveries.deliver_again(outside.store, now, None, destination, first, last, states)


def switch(outside: Outside, destination: str, state: str) -> bool:
    """Switch a destination on or off.

    Raises:
        Refused: no destination of the rules has that name.
    """
    _rule(outside, destination)
    now = outside.settings.now()
    reason = None if state == "on" else "switched_off"
    is_changed = lanes.switch(outside.store, destination, state, reason, now)
    if state == "on":
        for code in ("destination_off", "destination_failing"):
            alerts.close_alert(outside.store, code, destination, now)
    return is_changed


def what_waits(outside: Outside, destination: str, state: str) -> list[str]:
    """Lines on what waits for a destination and what was given up, with the command that goes on from here."""
    found = [row for row in lanes.list_lanes(outside.store) if row["destination"] == destination]
    lines = []
    for row in found:
        if row["pending_count"]:
            then = "go out now" if state == "on" else f"wait until `aiqleads deliveries on {destination}`"
            lines.append(f"{row['pending_count']:,} deliveries {then}")
        if row["dead_count"]:
            again = f"aiqleads deliveries retry --destination {destination}"
            lines.append(f"{row['dead_count']:,} were given up: `{again}` makes them again")
    return lines


def test(outside: Outside, destination: str) -> Receipt:
    """Send a made-up lead to a destination, at once and past the outbox; CRMs check their log-in instead.

    Raises:
        Refused: no destination of the rules has that name, or it can't be used.
    """
    rule = _rule(outside, destination)
    try:
        return send_test(outside, rule)
    except NotBuilt as error:
        raise Refused(str(error)) from None


def _rule(outside: Outside, name: str) -> Any:
    sent = load_destinations(outside.settings.rules_dir).sent
    if name not in sent:
        known = ", ".join(sorted(sent)) or "none"
        raise Refused(f"destinations.yaml has no enabled destination {name!r} that is sent to; there are: {known}")
    return sent[name]


def delivery_uuid(text: str) -> UUID:
    """The UUID that a person wrote.

    Raises:
        Refused: it is none.
    """
    try:
        return UUID(text)
    except ValueError:
        raise Refused(f"{text!r} is no id") from None


def _moment(text: str, now: datetime) -> datetime:
    """``2026-11-23T08:00``, ``2026-11-23``, or ``2h``: that long ago. Without a zone it is UTC."""
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is no time: write 2026-11-23T08:00 (UTC), or 90m, 36h, 2d for that long ago") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
