"""Tells open alerts by ``alerts.yaml``: one incident per group and destination, from its beginning to its end.

Belongs here: what is told now. A notice and the note that it was told are one transaction, so that any number of
processes that tell at once, killed anywhere, tell once. Sending is the outbox's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aiqleads_pipeline.alerting.words import body_of_incident, healed_body
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.alerts import AlertRules, Route
from resources.store import alert_groups, alerts, notices
from resources.store.alert_groups import Group

MOST_ALERTS = 5000  # that are looked at; more than that are a flood that the first ones tell of
_PRIORITIES = {"error": 1, "warning": 2}
Alert = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """What was told in one go: how many incidents by what became of them."""

    opened: int = 0
    grown: int = 0
    repeated: int = 0
    healed: int = 0


def tell_alerts(outside: Outside, rules: AlertRules, now: datetime) -> Told:
    """Tell what is new, grows, goes on or healed."""
    found = alerts.open_alerts(outside.store, MOST_ALERTS)
    wanted = _grouped(rules, found)
    counts = dict.fromkeys(("opened", "grown", "repeated", "healed"), 0)
    with outside.store.transaction("store:tell_alerts") as con:
        if not alert_groups.lock_groups(con):
            return Told()
        known = alert_groups.list_groups(con)
        steps = [_next(known.get(key), key, route, members, now) for key, (route, members) in wanted.items()]
        healed = [_healed(g, now) for key, g in known.items() if g.state == "open" and key not in wanted]
        for step in [*steps, *healed]:
            if step is None:
                continue
            what, group, members = step
            body = healed_body(group) if what == "healed" else body_of_incident(group, members, outside.settings)
            key = f"alert:{group.destination}:{group.incident}:{group.notices_count}"
            priority = _PRIORITIES.get(group.severity, 2)
            notices.post(con, f"alert.{what}", body, [group.destination], priority, now, dedup_key=key)
            alert_groups.save_group(con, group, now)
            counts[what] += 1
    return Told(**counts)


def _grouped(rules: AlertRules, found: Sequence[Alert]) -> dict[tuple[str, str], tuple[Route, list[Alert]]]:
    wanted: dict[tuple[str, str], tuple[Route, list[Alert]]] = {}
    for alert in found:
        for route in rules.routes_of(alert["code"], alert["severity"], alert["subject"]):
            number = rules.routes.index(route)
            key = ":".join([str(number), *(str(alert[name]) for name in route.group_by)])[:200]
            for name in route.to:
                wanted.setdefault((name, key), (route, []))[1].append(alert)
    return wanted


Step = tuple[str, Group, list[Alert]]


def _next(known: Group | None, key: tuple[str, str], route: Route, members: list[Alert], now: datetime) -> Step | None:
    """What is to be told of a group that has open alerts; None for nothing just now."""
    severity = "error" if any(each["severity"] == "error" for each in members) else "warning"
    youngest = max(each["alert_id"] for each in members)
    codes = {each["code"] for each in members}
    code = codes.pop() if len(codes) == 1 else ""
    if known is None or known.state == "healed":
        first = min(each["opened_at"] for each in members)
        if first + route.wait > now:
            return None
        number = known.incident_number + 1 if known else 1
        return "opened", Group(*key, number, "open", severity, code, youngest, 1, now, now), members
    is_worse = severity == "error" and known.severity != "error"
    is_new = youngest > known.told_alert_id
    if is_worse or (is_new and known.told_at + route.grow_every <= now):
        what = "grown"
    elif known.told_at + route.repeat_every <= now:
        what = "repeated"
    else:
        return None
    told = replace(
        known, severity=severity, code=code, told_alert_id=youngest, notices_count=known.notices_count + 1, told_at=now
    )
    return what, told, members


def _healed(known: Group, now: datetime) -> Step:
    return "healed", replace(known, state="healed", notices_count=known.notices_count + 1, told_at=now), []
