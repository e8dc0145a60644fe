"""The clock of first touches: armed by batch, escalated when a promise is broken, then given to somebody else.

Belongs here: working hours and turns, per owner and team, handed to statements that work on all leads at a time. Does
not belong here: how long a promise is (``routing.yaml``). What was decided and the notices of it are one transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.calendars import WorkClock
from aiqleads_pipeline.rules.destinations import load_destinations
from aiqleads_pipeline.rules.routing import RoutingRules
from aiqleads_pipeline.rules.slas import SlaRules, SlasFile
from aiqleads_pipeline.rules.teams import Team, TeamRules
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.stages.rota import make_pool
from resources.store import alerts, deliveries, notices, reviews, slas

MOST_LISTED = 20
LOOK_AGAIN = timedelta(minutes=15)  # at leads whose team is at capacity
CRM_KINDS = ("salesforce", "hubspot")
_ARMED = """
    lead_id, team, owner, priority,
    CAST(date_diff('minute', routed_at, sla_due_at) AS INTEGER) AS sla_minutes, routed_at
"""


@dataclass(frozen=True)
class Ticked:
    """What a look at the clocks came to."""

    armed: int = 0
    escalated: int = 0
    reassigned: int = 0


def tick_clocks(outside: Outside, rules: SlaRules, teams: TeamRules, now: datetime) -> Ticked:
    """Look once at all clocks."""
    if not rules.content.enabled:
        alerts.reconcile(outside.store, "sla_overdue", {}, now)
        return Ticked()
    sent = load_destinations(outside.settings.rules_dir).sent
    crms = [name for name, rule in sent.items() if rule.kind in CRM_KINDS]
    armed = arm_clocks(outside, rules.content, teams, now)
    slas.note_touches(outside.store, now)
    with outside.store.transaction("store:escalate_leads") as con:
        overdue = _escalate(con, rules, teams, now)
    with outside.store.transaction("store:reassign_leads") as con:
        moved = _reassign(con, rules, teams, now)
        _deliver_anew(con, crms, moved, now)
    late = {
        row["team"]: ("warning", f"{row['late_count']:,} leads, the first since {row['since']:%Y-%m-%d %H:%M} UTC")
        for row in slas.late_by_team(outside.store)
    }
    alerts.reconcile(outside.store, "sla_overdue", late, now)
    return Ticked(armed, len(overdue), len(moved))


def arm_clocks(outside: Outside, rules: SlasFile, teams: TeamRules, now: datetime) -> int:
    """Start the clocks of batches that ended since the last look; how many leads got one."""
    found = slas.unarmed_batches(outside.store, now - rules.max_age)
    armed = 0
    if not found:
        return 0
    with open_engine(outside.settings) as con:
        outside.lake.attach(con)
        for batch_id, finished_at in found:
            if not outside.lake.exists("routed_leads", batch_id):
                continue
            wanted = ", ".join(f"'{priority}'" for priority in rules.priorities) or "''"
            routed = outside.lake.read(con, "routed_leads", batch_id).filter(f"priority IN ({wanted})")
            leads = routed.project(_ARMED).order("lead_id").to_arrow_table()
            dues: dict[tuple[str, int], datetime] = {}
            if leads.num_rows:
                routed_at = leads["routed_at"][0].as_py()
                pairs = set(zip(leads["owner"].to_pylist(), leads["sla_minutes"].to_pylist(), strict=True))
                dues = _dues(teams, rules, pairs, routed_at)
            slas.arm(outside.store, batch_id, finished_at, leads, dues)
            armed += leads.num_rows
    return armed


def promises_to(
    owner: str, rules: SlaRules, teams: TeamRules, routing: RoutingRules, now: datetime
) -> reviews.Promising:
    """What a person who gives a waiting lead to ``owner`` promises it: as long as the rule that held the lead up says,
    from now on; nothing where such leads have no clock."""
    by_id = {rule.id: rule for rule in routing.rules}

    def promise_of(suggestion: Mapping[str, Any]) -> reviews.Promise | None:
        priority, rule = suggestion.get("priority"), by_id.get(str(suggestion.get("rule_id")))
        if not rules.content.enabled or priority not in rules.content.priorities:
            return None
        minutes = routing.sla[priority] if rule is None else routing.sla_minutes(rule, priority)
        due_at = _after(teams, rules.content, owner, now, minutes)
        return None if due_at is None else reviews.Promise(priority, minutes, due_at)

    return promise_of


def _escalate(con: Connection, rules: SlaRules, teams: TeamRules, now: datetime) -> list[slas.Overdue]:
    minutes = rules.content.reassign.after.total_seconds() / 60
    steps = {owner.id: _after(teams, rules.content, owner.id, now, minutes) for owner in teams.owners}
    overdue = slas.escalate(con, now, {owner: at for owner, at in steps.items() if at is not None})
    by_team: dict[str, list[slas.Overdue]] = defaultdict(list)
    for each in overdue:
        by_team[each.team].append(each)
    for team, late in by_team.items():
        known = teams.team_by_id.get(team)
        lead = known.lead if known else None
        count = f"{len(late)} leads" if len(late) > 1 else "1 lead"
        body = {
            "summary": f"{count} of {known.name if known else team} not touched in time",
            "owners": [lead] if lead else sorted({each.owner for each in late}),
            "team": team,
            "command": f"aiqleads slas list --team {team}",
            **_listed([each.__dict__ for each in late]),
        }
        notices.post(con, "lead.overdue", body, rules.tell, _urgency(late), now)
    return overdue


def _reassign(con: Connection, rules: SlaRules, teams: TeamRules, now: datetime) -> list[slas.Moved]:
    minutes = slas.overdue_minutes(con, now)
    if not minutes:
        return []
    loads = slas.open_counts(con)
    turns: dict[str, Sequence[str]] = {}
    again: dict[str, datetime] = {}
    for team in teams.teams:
        turns[team.id] = _turns(team, teams, loads, now)
        there = [m for m in team.members if teams.owner_by_id[m].active]
        opens = [at for m in there if (at := teams.clocks[m].opens_at(now)) is not None]
        later = [at for at in opens if at > now]
        if not _all_have_room(team, teams, loads):
            later.append(now + LOOK_AGAIN)
        if later:
            again[team.id] = min(later)
    owners = {owner for found in turns.values() for owner in found}
    dues = _dues(teams, rules.content, {(owner, length) for owner in owners for length in minutes}, now)
    members = {team.id: [m for m in team.members if teams.owner_by_id[m].active] for team in teams.teams}
    moved = slas.reassign(con, now, rules.content.reassign.most, turns, dues, again, members)
    by_owner: dict[str, list[slas.Moved]] = defaultdict(list)
    for each in moved:
        by_owner[each.owner].append(each)
    for owner, leads in by_owner.items():
        count = f"{len(leads)} leads are" if len(leads) > 1 else "1 lead is"
        lead_of = {team.lead for team in teams.teams if team.id in {each.team for each in leads}} - {None, owner}
        body = {
            "summary": f"{count} yours now: nobody touched them in time",
            "owners": [owner, *sorted(name for name in lead_of if name)],
            "command": "aiqleads slas list",
            **_listed([each.__dict__ for each in leads]),
        }
        notices.post(con, "lead.reassigned", body, rules.tell, _urgency(leads), now)
    return moved


def _deliver_anew(con: Connection, crms: Sequence[str], moved: Sequence[slas.Moved], now: datetime) -> None:
    """CRMs learn of the new owner: under the same delivery ids, so that nothing is there twice. Owners are told by
    notices; a mailbox or a plain webhook would only hear the same again."""
    ids = [deliveries.delivery_id(each.lead_id, name) for each in moved for name in crms]
    if ids:
        slas.deliver_anew(con, ids, now)


def _turns(team: Team, teams: TeamRules, loads: Mapping[str, int], now: datetime) -> Sequence[str]:
    """Whose turn it is among members at work with room, beginning with who has the least for their weight."""
    owners = {m: teams.owner_by_id[m] for m in team.members}
    free = {
        m: owner.weight
        for m, owner in owners.items()
        if owner.active and teams.clocks[m].is_open(now) and loads.get(m, 0) < (owner.max_open_leads or 1 << 62)
    }
    if not free:
        return ()
    sequence = make_pool(team.id, tuple(sorted(free.items()))).sequence
    first = min(free, key=lambda m: (loads.get(m, 0) / free[m], sequence.index(m)))
    start = sequence.index(first)
    return sequence[start:] + sequence[:start]


def _all_have_room(team: Team, teams: TeamRules, loads: Mapping[str, int]) -> bool:
    limits = {m: teams.owner_by_id[m].max_open_leads for m in team.members}
    return all(limit is None or loads.get(m, 0) < limit for m, limit in limits.items())


def _dues(
    teams: TeamRules, rules: SlasFile, pairs: Iterable[tuple[str, int]], since: datetime
) -> dict[tuple[str, int], datetime]:
    dues = {(owner, minutes): _after(teams, rules, owner, since, minutes) for owner, minutes in pairs}
    return {pair: at for pair, at in dues.items() if at is not None}


def _after(teams: TeamRules, rules: SlasFile, owner: str, since: datetime, minutes: float) -> datetime | None:
    if rules.counted_in == "always":
        return since + timedelta(minutes=minutes)
    return teams.clocks.get(owner, WorkClock()).after(since, minutes)


def _urgency(leads: Sequence[Any]) -> int:
    return min(int(each.priority[1]) for each in leads)


def _listed(leads: list[dict[str, Any]]) -> dict[str, Any]:
    shown = sorted(leads, key=lambda each: (each["priority"], each["due_at"]))[:MOST_LISTED]
    return {
        "leads": [
            {
                "lead_id": str(each["lead_id"]),
                "priority": each["priority"],
                "owner": each["owner"],
                "due_at": each["due_at"].isoformat(),
            }
            for each in shown
        ],
        "more_count": max(0, len(leads) - MOST_LISTED),
    }
