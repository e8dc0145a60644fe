"""Reads ``destinations.yaml`` and tells its faults with their lines."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field

from aiqleads_pipeline.rules.destinations.base import Destination, FileDestination, SentDestination
from aiqleads_pipeline.rules.destinations.crm import HubSpotDestination, SalesforceDestination
from aiqleads_pipeline.rules.destinations.messages import EmailDestination, PagerDutyDestination, SlackDestination
from aiqleads_pipeline.rules.destinations.schedules import SCHEDULES, Schedule, duration_seconds
from aiqleads_pipeline.rules.destinations.web import CallbackDestination, WebhookDestination
from aiqleads_pipeline.rules.loading import RuleFile, RuleModel, RulesError, load_rules

AnyDestination = Annotated[
    FileDestination
    | WebhookDestination
    | CallbackDestination
    | SalesforceDestination
    | HubSpotDestination
    | EmailDestination
    | SlackDestination
    | PagerDutyDestination,
    Field(discriminator="kind"),
]


class DestinationsFile(RuleModel):
    """``destinations.yaml``."""

    schedules: Annotated[dict[str, Schedule], Field(max_length=50)] = Field(default_factory=dict)
    destinations: Annotated[tuple[AnyDestination, ...], Field(max_length=100)] = ()


@dataclass(frozen=True)
class DestinationRules:
    """All destinations, checked by themselves; ``file`` tells the lines for checks against other files."""

    destinations: tuple[Destination, ...]
    file: RuleFile
    sha256: str
    schedules: dict[str, tuple[str, ...]]

    @property
    def enabled(self) -> tuple[Destination, ...]:
        """Those that get leads."""
        return tuple(each for each in self.destinations if each.enabled and each.takes_leads)

    @cached_property
    def sent(self) -> dict[str, SentDestination]:
        """Those that the worker sends to, by name."""
        return {each.name: each for each in self.destinations if each.enabled and isinstance(each, SentDestination)}

    def waits(self, destination: SentDestination) -> tuple[float, ...]:
        """The seconds that a delivery waits before its second, third, ... round of calls."""
        return tuple(duration_seconds(each) for each in self.schedules[destination.retries])


def load_destinations(rules_dir: Path) -> DestinationRules:
    """Read ``destinations.yaml``; names of teams are checked by ``team_faults``.

    Raises:
        RulesError: every fault, one ``file:line: what`` per line.
    """
    content, file = load_rules(rules_dir / "destinations.yaml", DestinationsFile)
    schedules = SCHEDULES | content.schedules
    if faults := [*_name_faults(content, file), *_schedule_faults(content, schedules, file)]:
        raise RulesError("\n".join(faults))
    return DestinationRules(content.destinations, file, file.sha256, schedules)


def team_faults(rules: DestinationRules, teams: Collection[str]) -> list[str]:
    """Teams that ``destinations.yaml`` names and ``teams.yaml`` doesn't know."""
    return [
        rules.file.fault(f"destination {each.name!r}: there is no team {team!r}", "destinations", i, "teams", j)
        for i, each in enumerate(rules.destinations)
        for j, team in enumerate(each.teams or ())
        if team not in teams
    ]


def _name_faults(content: DestinationsFile, file: RuleFile) -> list[str]:
    faults = []
    first: dict[str, int] = {}
    for i, each in enumerate(content.destinations):
        # The part of a delivery's id that stands for the destination (sql/macros/delivery_id.sql).
        mark = hashlib.md5(each.name.encode(), usedforsecurity=False).hexdigest()[:6]
        if mark in first:
            other = content.destinations[first[mark]].name
            where = f"in line {file.line('destinations', first[mark])}"
            what = (
                f"is there already, {where}"
                if other == each.name
                else f"can't be told from {other!r} {where}: rename it"
            )
            faults.append(file.fault(f"destination {each.name!r} {what}", "destinations", i))
        first.setdefault(mark, i)
    return faults


def _schedule_faults(content: DestinationsFile, schedules: Collection[str], file: RuleFile) -> list[str]:
    known = ", ".join(sorted(schedules))
    return [
        file.fault(f"there is no schedule {each.retries!r}; there are: {known}", "destinations", i, "retries")
        for i, each in enumerate(content.destinations)
        if isinstance(each, SentDestination) and each.retries not in schedules
    ]
