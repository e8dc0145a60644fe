"""Which owners take a batch's leads: turns for every team and room for every owner, from counts alone.

Belongs here: what is decided per team and owner in Python, before SQL gives each lead its turn. Does not belong here:
the order of turns (``stages.rota``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from aiqleads_pipeline.rules.teams import REVIEW, TeamRules
from aiqleads_pipeline.stages.rota import Ledger, Stretch, give_turns, taken_by_owner


@dataclass(frozen=True)
class Lanes:
    """The teams as they stand at a moment, with each owner's open leads when the batch began."""

    teams: TeamRules
    at: datetime
    open_count: Mapping[str, int]

    def available(self, team: str) -> list[str]:
        """The members that take turns now, whether they have room or not; none for ``review``."""
        return [] if team == REVIEW else self._available[team]

    @cached_property
    def passed_over(self) -> dict[str, dict[str, str]]:
        """By team the members who take no turns now, and why."""
        return {
            team.id: {m: why for m in team.members if (why := self.teams.why_passed(team.id, m, self.at))}
            for team in self.teams.teams
        }

    @cached_property
    def _available(self) -> dict[str, list[str]]:
        return {team: self.teams.available(team, self.at) for team in self.teams.team_by_id}

    @cached_property
    def owner_numbers(self) -> dict[str, int]:
        """All owners, numbered from 0; SQL knows them by number."""
        return {owner: number for number, owner in enumerate(sorted(self.teams.owner_by_id))}

    @cached_property
    def team_numbers(self) -> dict[str, int]:
        """All teams, numbered from 0."""
        return {team: number for number, team in enumerate(self.teams.team_by_id)}

    def state(self, owner: str) -> str:
        """``available``, ``away`` for days, or ``gone`` for good. Accounts wait for their owner's hours."""
        known = self.teams.owner_by_id[owner]
        if not known.active or owner not in self.teams.members:
            return "gone"
        return "available" if self.teams.why_away(owner, self.at) is None else "away"

    def room(self, owner: str) -> int | None:
        """How many leads the owner can take in this batch; null without a limit."""
        limit = self.teams.owner_by_id[owner].max_open_leads
        return None if limit is None else max(limit - self.open_count.get(owner, 0), 0)

    def owner_rows(self) -> list[dict[str, Any]]:
        """The rows of ``owners.sql``."""
        return [
            {
                "owner_number": number,
                "owner": owner,
                "state": self.state(owner),
                "account_room_count": self.room(owner),
            }
            for owner, number in self.owner_numbers.items()
        ]


@dataclass(frozen=True)
class Plan:
    """Stretches of turns for each team, and the room that is left for leads that follow their company.

    The stretches lie one behind the other in the numbering of slots. A stretch has a slot for each turn of its pool's
    period, or for each lead if there are fewer.
    """

    lanes: Lanes
    stretches: tuple[Stretch, ...]
    rooms: Mapping[str, int]

    def stretch_rows(self) -> list[dict[str, Any]]:
        """The rows of ``stretches.sql``."""
        rows, first_slot = [], 0
        for s in self.stretches:
            rows.append(
                {
                    "team_number": self.lanes.team_numbers[s.pool.team],
                    "first_place": s.first_lead,
                    "last_place": s.first_lead + s.leads_count - 1,
                    "first_slot": first_slot,
                    "slots_count": _slots_count(s),
                    "is_over": s.is_over,
                }
            )
            first_slot += _slots_count(s)
        return rows

    @cached_property
    def slots(self) -> list[tuple[Stretch, int]]:
        """The stretch of each slot, and the turn of its pool that the slot is."""
        return [(s, s.first_turn + i) for s in self.stretches for i in range(_slots_count(s))]

    def slot_owners(self) -> list[int]:
        """Whose turn each slot is, by number."""
        return [self.lanes.owner_numbers[stretch.pool.owner_at(turn)] for stretch, turn in self.slots]

    def room_rows(self) -> list[dict[str, int]]:
        """The rows of ``rooms.sql``."""
        return [{"owner_number": self.lanes.owner_numbers[o], "room_count": room} for o, room in self.rooms.items()]

    def turns_passed(self) -> dict[str, int]:
        """Turns that passed in this batch, by pool id."""
        passed: dict[str, int] = {}
        for stretch in self.stretches:
            if not stretch.is_over:
                passed[stretch.pool.id] = passed.get(stretch.pool.id, 0) + stretch.leads_count
        return passed

    def given(self) -> dict[tuple[str, str], int]:
        """Leads given in turns, by owner and pool id."""
        given: dict[tuple[str, str], int] = {}
        for stretch in self.stretches:
            for owner, count in {} if stretch.is_over else taken_by_owner(stretch).items():
                if count:
                    given[owner, stretch.pool.id] = given.get((owner, stretch.pool.id), 0) + count
        return given


def plan_turns(lanes: Lanes, turns: Mapping[str, int], counts: Mapping[tuple[str, int | None], int]) -> Plan:
    """Share out the batch: accounts first, then each team's leads in the order of ``teams.yaml``.

    Args:
        turns: turns that passed so far, by pool id.
        counts: leads by lane: ``("account", owner number)`` and ``("rota", team number)``.
    """
    room = {owner: limit for owner in lanes.owner_numbers if (limit := lanes.room(owner)) is not None}
    ledger = Ledger(dict(turns), room)
    for owner, number in lanes.owner_numbers.items():
        ledger.take(owner, counts.get(("account", number), 0))
    stretches: list[Stretch] = []
    for team, number in lanes.team_numbers.items():
        weights = {owner: lanes.teams.owner_by_id[owner].weight for owner in lanes.available(team)}
        stretches += give_turns(team, weights, counts.get(("rota", number), 0), ledger)
    return Plan(lanes, tuple(stretches), ledger.room)


def _slots_count(stretch: Stretch) -> int:
    return min(stretch.leads_count, len(stretch.pool.sequence))
