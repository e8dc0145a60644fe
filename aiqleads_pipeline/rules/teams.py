"""Owners and teams: ``teams.yaml``.

Belongs here: who there is, how much they take, when they work, how they want to be told, who sits in which team. Does
not belong here: which leads go to a team (``rules.routing``) and whose turn it is (``stages.rota``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from aiqleads_pipeline.rules.calendars import ALWAYS, Absence, Calendar, ClockTime, Span, WorkClock, read_span
from aiqleads_pipeline.rules.loading import RuleFile, RuleModel, RulesError, load_rules

REVIEW = "review"  # where a rule sends a lead that a person must look at: no team may have this name

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


class Notify(RuleModel):
    """How an owner wants to be told. ``urgent`` priorities are sent at once whatever the mode and the hour."""

    mode: Literal["instant", "digest", "off"] = "instant"
    digest_at: Annotated[tuple[ClockTime, ...], Field(min_length=1, max_length=24)] = (8 * 60,)
    quiet: Annotated[Span, BeforeValidator(read_span)] | None = None
    only_open: bool = False  # outside of working hours nothing is sent
    urgent: tuple[Literal["P1", "P2", "P3", "P4"], ...] = ("P1",)


class Owner(RuleModel):
    """A person who works leads. ``weight`` is the share in every team's rota; without ``max_open_leads``, no limit."""

    id: Id
    name: Annotated[str, Field(min_length=1, max_length=200)]
    email: Email
    active: bool = True
    weight: Annotated[int, Field(ge=1, le=100)] = 1
    max_open_leads: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    absent: tuple[Absence, ...] = ()
    calendar: Id | None = None
    notify: Notify = Notify()


class Team(RuleModel):
    """People who share leads. ``lead`` is told when promises are broken. ``when_closed`` says what becomes of a lead
    while members are outside of their working hours: given to who is open, or held for whose turn it is."""

    id: Id
    name: Annotated[str, Field(min_length=1, max_length=200)]
    members: Annotated[list[Id], Field(min_length=1, max_length=500)]
    lead: Id | None = None
    when_closed: Literal["next_in_line", "hold"] = "next_in_line"


class TeamsFile(RuleModel):
    """``teams.yaml``."""

    calendars: Annotated[tuple[Calendar, ...], Field(max_length=500)] = ()
    owners: Annotated[list[Owner], Field(min_length=1)]
    teams: Annotated[list[Team], Field(min_length=1)]


@dataclass(frozen=True)
class TeamRules:
    """The owners and teams, checked, with the hash that tells one version of the file from another."""

    owners: tuple[Owner, ...]
    teams: tuple[Team, ...]
    sha256: str
    calendars: tuple[Calendar, ...] = ()

    @cached_property
    def owner_by_id(self) -> dict[str, Owner]:
        """The owners by their id."""
        return {owner.id: owner for owner in self.owners}

    @cached_property
    def team_by_id(self) -> dict[str, Team]:
        """The teams by their id, in the order of the file."""
        return {team.id: team for team in self.teams}

    @cached_property
    def members(self) -> frozenset[str]:
        """Every owner that sits in a team."""
        return frozenset(owner for team in self.teams for owner in team.members)

    @cached_property
    def clocks(self) -> dict[str, WorkClock]:
        """When each owner works."""
        calendars = {calendar.id: calendar for calendar in self.calendars}
        return {
            owner.id: WorkClock(calendars[owner.calendar] if owner.calendar else ALWAYS, owner.absent)
            for owner in self.owners
        }

    def why_away(self, owner: str, at: datetime) -> str | None:
        """Why the owner takes no lead that day, in words; null where only the hour may stand against it."""
        if not self.owner_by_id[owner].active:
            return "inactive"
        until = self.clocks[owner].away_until(at)
        return f"absent until {until}" if until else None

    def why_passed(self, team: str, owner: str, at: datetime) -> str | None:
        """Why the team's turns pass the owner over at a moment; null where they don't."""
        return self.why_away(owner, at) or (
            None if owner in self.available(team, at) else self.clocks[owner].why_closed(at)
        )

    def available(self, team: str, at: datetime) -> list[str]:
        """The members who take turns at a moment: active and not absent; where the team says so, and anybody is, those
        within their working hours."""
        there = [owner for owner in self.team_by_id[team].members if self.why_away(owner, at) is None]
        if self.team_by_id[team].when_closed == "hold":
            return there
        return [owner for owner in there if self.clocks[owner].is_open(at)] or there


def load_teams(rules_dir: Path) -> TeamRules:
    """Read ``teams.yaml``.

    Raises:
        RulesError: every fault, one ``file:line: what`` per line.
    """
    content, file = load_rules(rules_dir / "teams.yaml", TeamsFile)
    faults = _owner_faults(content, file) + _team_faults(content, file)
    if faults:
        raise RulesError("\n".join(faults))
    return TeamRules(tuple(content.owners), tuple(content.teams), file.sha256, content.calendars)


def _owner_faults(content: TeamsFile, file: RuleFile) -> list[str]:
    faults = []
    ids: dict[str, int] = {}
    emails: dict[str, str] = {}
    calendars = [calendar.id for calendar in content.calendars]
    for i, name in enumerate(calendars):
        if name in calendars[:i]:
            faults.append(file.fault(f"calendar {name!r} is there already", "calendars", i))
    for i, owner in enumerate(content.owners):
        if owner.calendar is not None and owner.calendar not in calendars:
            what = f"owner {owner.id!r}: there is no calendar {owner.calendar!r}"
            faults.append(file.fault(what, "owners", i, "calendar"))
        if owner.id in ids:
            first = file.line("owners", ids[owner.id])
            faults.append(file.fault(f"owner {owner.id!r} is there already, in line {first}", "owners", i))
        email = owner.email.lower()
        if email in emails:
            what = f"owner {owner.id!r} has the e-mail of {emails[email]!r}"
            faults.append(file.fault(what, "owners", i, "email"))
        ids.setdefault(owner.id, i)
        emails.setdefault(email, owner.id)
    return faults


def _team_faults(content: TeamsFile, file: RuleFile) -> list[str]:
    faults = []
    owners = {owner.id for owner in content.owners}
    ids: dict[str, int] = {}
    for i, team in enumerate(content.teams):
        if team.id == REVIEW:
            faults.append(file.fault(f"no team may be called {REVIEW!r}: rules send leads to people by it", "teams", i))
        if team.id in ids:
            first = file.line("teams", ids[team.id])
            faults.append(file.fault(f"team {team.id!r} is there already, in line {first}", "teams", i))
        ids.setdefault(team.id, i)
        if team.lead is not None and team.lead not in owners:
            faults.append(file.fault(f"team {team.id!r}: there is no owner {team.lead!r}", "teams", i, "lead"))
        for j, member in enumerate(team.members):
            where = ("teams", i, "members", j)
            if member not in owners:
                faults.append(file.fault(f"team {team.id!r}: there is no owner {member!r}", *where))
            if member in team.members[:j]:
                faults.append(file.fault(f"team {team.id!r} lists {member!r} twice", *where))
    return faults
