"""Destinations: ``destinations.yaml``.

Belongs here: where routed leads are delivered to, and which of them. Does not belong here: how they are sent
(``resources.files`` and the like) and what became of it (``resources.store.deliveries``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from aiqleads_pipeline.contract import PRIORITIES
from aiqleads_pipeline.rules.loading import RuleFile, RuleModel, RulesError, load_rules

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Priority = Literal["P1", "P2", "P3", "P4"]


class Destination(RuleModel):
    """One place that leads are delivered to. Without ``teams`` or ``priorities`` it gets those of all."""

    name: Name
    kind: Literal["file", "webhook", "salesforce", "hubspot", "email"]
    enabled: bool = True
    folder: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")] | None = None
    teams: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    priorities: Annotated[tuple[Priority, ...], Field(min_length=1, max_length=len(PRIORITIES))] | None = None

    @model_validator(mode="after")
    def _only_files_have_a_folder(self) -> Destination:
        if self.folder is not None and self.kind != "file":
            raise ValueError(f"a destination of kind {self.kind} has no folder")
        return self

    @property
    def goes_by_batch(self) -> bool:
        """Whether its leads go out together, as their batch's file, instead of each on its own."""
        return self.kind == "file"

    def folder_in(self, home: Path) -> Path:
        """Where the files of a ``file`` destination are written; a relative folder lies under the home."""
        return home / (self.folder or "deliveries") / self.name

    def as_row(self) -> dict[str, Any]:
        """What ``sql/stages/deliver`` needs to know of it."""
        return {
            "name": self.name,
            "goes_by_batch": self.goes_by_batch,
            "teams": self.teams,
            "priorities": self.priorities,
        }


class DestinationsFile(RuleModel):
    """``destinations.yaml``."""

    destinations: Annotated[tuple[Destination, ...], Field(max_length=100)] = ()


@dataclass(frozen=True)
class DestinationRules:
    """All destinations, checked by themselves; ``file`` tells the lines for checks against other files."""

    destinations: tuple[Destination, ...]
    file: RuleFile
    sha256: str

    @property
    def enabled(self) -> tuple[Destination, ...]:
        """Those that get leads."""
        return tuple(each for each in self.destinations if each.enabled)


def load_destinations(rules_dir: Path) -> DestinationRules:
    """Read ``destinations.yaml``; names of teams are checked by ``team_faults``.

    Raises:
        RulesError: every fault, one ``file:line: what`` per line.
    """
    content, file = load_rules(rules_dir / "destinations.yaml", DestinationsFile)
    if faults := _name_faults(content, file):
        raise RulesError("\n".join(faults))
    return DestinationRules(content.destinations, file, file.sha256)


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
