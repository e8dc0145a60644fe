"""Alerts: ``alerts.yaml``.

Belongs here: which alerts are told where, what belongs together, how long things may wait, which drops are expected.
Does not belong here: raising alerts (whoever sees the fault) and sending (``destinations.yaml`` says how). A fault in
this file holds up no batch.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from aiqleads_pipeline.reasons import REASONS
from aiqleads_pipeline.rules.calendars import ClockTime, TimeZone
from aiqleads_pipeline.rules.destinations import (
    DestinationRules,
    EmailDestination,
    PagerDutyDestination,
    SlackDestination,
    load_destinations,
)
from aiqleads_pipeline.rules.loading import RuleFile, RuleModel, RulesError, load_rules
from aiqleads_pipeline.rules.secret_names import SecretName
from aiqleads_pipeline.rules.times import Length

Severity = Literal["error", "warning"]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class When(RuleModel):
    """Which alerts: each list is "any of", what is not named may be anything."""

    severity: tuple[Severity, ...] | None = None
    code: tuple[Text, ...] | None = None
    subject: tuple[Text, ...] | None = None

    def matches(self, code: str, severity: str, subject: str) -> bool:
        """Whether an alert is meant."""
        asked = ((self.severity, severity), (self.code, code), (self.subject, subject))
        return all(names is None or value in names for names, value in asked)


class Route(RuleModel):
    """Where alerts are told. Those of one group make one incident: told when it begins, grows, goes on, and heals."""

    when: When = When()
    to: Annotated[tuple[Name, ...], Field(min_length=1, max_length=20)]
    group_by: Annotated[tuple[Literal["code", "subject"], ...], Field(max_length=2)] = ("code",)
    wait: Length = timedelta(seconds=30)  # for others of the group, before the first is told
    grow_every: Length = timedelta(minutes=5)
    repeat_every: Length = timedelta(hours=4)
    then_next: bool = False  # whether later routes get the alert too


class Waits(RuleModel):
    """How long work may wait before somebody is told."""

    intake: Length = timedelta(minutes=5)
    batches: Length = timedelta(minutes=10)
    deliveries: Length = timedelta(minutes=30)


class Expected(RuleModel):
    """A source whose drop must have come by a time of each of its days."""

    source: Text
    by: ClockTime
    time_zone: TimeZone = "UTC"
    days: Annotated[tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...], Field(min_length=1)] = (
        "mon", "tue", "wed", "thu", "fri", "sat", "sun",
    )  # fmt: skip


class DeadMan(RuleModel):
    """The watch over the watchers. ``ping_url`` is called while all is well: whoever listens there tells of silence."""

    daemon_silence: Length = timedelta(minutes=2)
    database_silence: Length = timedelta(minutes=1)
    ping_url_secret: SecretName | None = None
    ping_every: Length = timedelta(minutes=1)


class AlertsFile(RuleModel):
    """``alerts.yaml``."""

    routes: Annotated[tuple[Route, ...], Field(max_length=200)] | None = None  # None: ``usual_routes``
    waits: Waits = Waits()
    expect: Annotated[tuple[Expected, ...], Field(max_length=1000)] = ()
    dead_man: DeadMan = DeadMan()


@dataclass(frozen=True)
class AlertRules:
    """The file, checked by itself."""

    content: AlertsFile
    file: RuleFile
    routes: tuple[Route, ...] = ()

    def routes_of(self, code: str, severity: str, subject: str) -> list[Route]:
        """The routes that tell an alert: the first that matches, and further ones where it says so."""
        found = []
        for route in self.routes:
            if route.when.matches(code, severity, subject):
                found.append(route)
                if not route.then_next:
                    break
        return found


def no_alert_rules() -> AlertRules:
    """What counts without the file: nothing is told, the usual waits."""
    return AlertRules(AlertsFile(), RuleFile(Path("alerts.yaml"), {}, {}, ""))


def load_alerts(rules_dir: Path, destinations: Collection[str] | None = None) -> AlertRules:
    """Read ``alerts.yaml``; without the file, or without ``routes`` in it, the usual ones count.

    Args:
        destinations: names that routes may use; None leaves them unchecked.

    Raises:
        RulesError: every fault, one ``file:line: what`` per line.
    """
    path = rules_dir / "alerts.yaml"
    content, file = load_rules(path, AlertsFile) if path.exists() else (AlertsFile(), no_alert_rules().file)
    if content.routes is None:
        return AlertRules(content, file, usual_routes(load_destinations(rules_dir)))
    if faults := _faults(content.routes, file, destinations):
        raise RulesError("\n".join(faults))
    return AlertRules(content, file, content.routes)


def usual_routes(rules: DestinationRules) -> tuple[Route, ...]:
    """What counts where nobody wrote any: errors ring at every pager, and everything is told to every Slack and every
    mailbox that does not depend on who owns a lead."""
    sent = rules.sent.values()
    pagers = tuple(each.name for each in sent if isinstance(each, PagerDutyDestination))
    people = tuple(
        n.name for n in sent if isinstance(n, SlackDestination) or (isinstance(n, EmailDestination) and n.to)
    )
    errors, at_once = When(severity=("error",)), timedelta(0)
    routes = []
    if pagers:
        routes.append(Route(when=errors, to=pagers, group_by=("code", "subject"), wait=at_once, then_next=True))
    if people:
        routes += [Route(when=errors, to=people, wait=at_once), Route(to=people)]
    return tuple(routes)


def _faults(routes: tuple[Route, ...], file: RuleFile, destinations: Collection[str] | None) -> list[str]:
    faults = []
    for i, route in enumerate(routes):
        for j, name in enumerate(route.to):
            if destinations is not None and name not in destinations:
                what = f"there is no destination {name!r} that is sent to"
                faults.append(file.fault(what, "routes", i, "to", j))
        for j, code in enumerate(route.when.code or ()):
            if code not in REASONS:
                faults.append(file.fault(f"there is no code {code!r}", "routes", i, "when", "code", j))
        above = next((k for k, other in enumerate(routes[:i]) if _takes_all_of(other, route)), None)
        if above is not None:
            line = file.line("routes", above)
            faults.append(file.fault(f"the route can't be reached: the one in line {line} takes all", "routes", i))
    return faults


def _takes_all_of(earlier: Route, route: Route) -> bool:
    if earlier.then_next:
        return False
    for mine, theirs in (
        (earlier.when.severity, route.when.severity),
        (earlier.when.code, route.when.code),
        (earlier.when.subject, route.when.subject),
    ):
        if mine is not None and (theirs is None or not set(theirs) <= set(mine)):
            return False
    return True
