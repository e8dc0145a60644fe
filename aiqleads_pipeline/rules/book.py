"""The rule book: every rules file read, checked, and checked against each other.

Belongs here: reading all files and telling all their faults at once. Does not belong here: what a single file may say
(its own module).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from aiqleads_pipeline.rules.destinations import DestinationRules, load_destinations, team_faults
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.priorities import PriorityRules, load_priorities
from aiqleads_pipeline.rules.routing import RoutingRules, load_routing, name_faults
from aiqleads_pipeline.rules.scoring import ScoringRules, load_scoring
from aiqleads_pipeline.rules.sources import Sources, load_sources
from aiqleads_pipeline.rules.teams import TeamRules, load_teams
from aiqleads_pipeline.rules.territories import TerritoryRules, load_territories

Rules = TypeVar("Rules")


@dataclass(frozen=True)
class RuleBook:
    """All rules, one attribute per file (``scoring`` holds ``scoring.yaml`` and ``icp.yaml``)."""

    sources: Sources
    scoring: ScoringRules
    priorities: PriorityRules
    territories: TerritoryRules
    teams: TeamRules
    routing: RoutingRules
    destinations: DestinationRules

    @property
    def sha256(self) -> str:
        """Tells one version of the rules from another."""
        hashes = [
            self.sources.sha256,
            self.scoring.sha256,
            self.priorities.sha256,
            self.territories.sha256,
            self.teams.sha256,
            self.routing.sha256,
            self.destinations.sha256,
        ]
        return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def load_rule_book(rules_dir: Path) -> RuleBook:
    """Read every rules file of a folder.

    Raises:
        RulesError: every fault of every file, one ``file:line: what`` per line. Names that one file takes from another
            are checked as far as the other could be read.
    """
    faults: list[str] = []

    def read(load: Callable[[Path], Rules]) -> Rules | None:
        try:
            return load(rules_dir)
        except RulesError as error:
            faults.append(str(error))
            return None

    sources, scoring, priorities = read(load_sources), read(load_scoring), read(load_priorities)
    territories, teams = read(load_territories), read(load_teams)
    routing, destinations = read(load_routing), read(load_destinations)
    team_ids = None if teams is None else list(teams.team_by_id)
    if routing is not None:
        faults += name_faults(routing, team_ids, None if territories is None else sorted(territories.ids))
    if destinations is not None and team_ids is not None:
        faults += team_faults(destinations, team_ids)
    if faults or not (
        sources and scoring and priorities and territories and teams and routing and destinations
    ):  # the second half never decides: it tells the type checker that nothing is missing
        raise RulesError("\n".join(faults))
    return RuleBook(sources, scoring, priorities, territories, teams, routing, destinations)
