"""Owners and teams: ``teams.yaml``.

Belongs here: who there is, how much they take, when they are away, who sits in which team. Does not belong here:
which leads go to a team (``rules.routing``) and whose turn it is (``stages.rota``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from aiqleads_pipeline.rules.loading import RuleFile, RuleModel, RulesError, load_rules

REVIEW = "review"  # where a rule sends a lead that a person must look at: no team may have this name

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


class Absence(RuleModel):
    """Days (UTC) on which an owner is away, both ends included."""

    first: Annotated[date, Field(alias="from")]
    last: Annotated[date, Field(alias="until")]

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Absence:
        if self.last < self.first:
            raise ValueError(f"ends on {self.last}, before it begins on {self.first}")
        return self


class Owner(RuleModel):
    """A person who works leads. ``weight`` is the share in every team's rota; without ``max_open_leads``, no limit."""

    id: Id
    name: Annotated[str, Field(min_length=1, max_length=200)]
    email: Email
    active: bool = True
    weight: Annotated[int, Field(ge=1, le=100)] = 1
    max_open_leads: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    absent: tuple[Absence, ...] = ()

    def away_until(self, day: date) -> date | None:
        """The last day of the absence that ``day`` falls in; null where the owner is there."""
        return max((a.last for a in self.absent if a.first <= day <= a.last), default=None)

    def why_unavailable(self, day: date) -> str | None:
        """Why the owner takes no lead on that day, in words; null where nothing stands against it."""
        if not self.active:
            return "inactive"
        until = self.away_until(day)
        return f"absent until {until}" if until else None


class Team(RuleModel):
    """People who share leads."""

    id: Id
    name: Annotated[str, Field(min_length=1, max_length=200)]
    members: Annotated[list[Id], Field(min_length=1, max_length=500)]


class TeamsFile(RuleModel):
    """``teams.yaml``."""

    owners: Annotated[list[Owner], Field(min_length=1)]
    teams: Annotated[list[Team], Field(min_length=1)]


@dataclass(frozen=True)
class TeamRules:
    """The owners and teams, checked, with the hash that tells one version of the file from another."""

    owners: tuple[Owner, ...]
    teams: tuple[Team, ...]
    sha256: str

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

    def available(self, owners: Iterable[str], day: date) -> list[str]:
        """Those of the owners that are active and not absent on that day."""
        return [owner for owner in owners if self.owner_by_id[owner].why_unavailable(day) is None]


def load_teams(rules_dir: Path) -> TeamRules:
    """Read ``teams.yaml``.

    Raises:
        RulesError: every fault, one ``file:line: what`` per line.
    """
    content, file = load_rules(rules_dir / "teams.yaml", TeamsFile)
    faults = _owner_faults(content, file) + _team_faults(content, file)
    if faults:
        raise RulesError("\n".join(faults))
    return TeamRules(tuple(content.owners), tuple(content.teams), file.sha256)


def _owner_faults(content: TeamsFile, file: RuleFile) -> list[str]:
    faults = []
    ids: dict[str, int] = {}
    emails: dict[str, str] = {}
    for i, owner in enumerate(content.owners):
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
        for j, member in enumerate(team.members):
            where = ("teams", i, "members", j)
            if member not in owners:
                faults.append(file.fault(f"team {team.id!r}: there is no owner {member!r}", *where))
            if member in team.members[:j]:
                faults.append(file.fault(f"team {team.id!r} lists {member!r} twice", *where))
    return faults
