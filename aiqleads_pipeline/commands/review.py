"""`aiqleads review assign`: a person gives a waiting lead to an owner."""

from __future__ import annotations

from aiqleads_pipeline.alerting.slas import promises_to
from aiqleads_pipeline.automation.delivering import deliver_assigned
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.slas import load_slas
from resources.store import reviews


class UnknownOwner(Exception):
    """No such owner in teams.yaml, or the lead does not wait."""


def assign(outside: Outside, lead_id: str, owner: str, by: str) -> str:
    """Resolve a waiting lead; returns the line to print. A fault in slas.yaml costs the lead its clock, no more.

    Raises:
        UnknownOwner: the owner is not in teams.yaml, or the lead does not wait for anybody.
    """
    rules = outside.rules()
    teams = [team for team in rules.teams.teams if owner in team.members]
    if not teams:
        known = ", ".join(sorted(each.id for each in rules.teams.owners))
        raise UnknownOwner(f"{owner!r} is in no team of teams.yaml; there are: {known}")
    now, faulty = outside.settings.now(), ""
    promise_of: reviews.Promising = lambda suggestion: None  # noqa: E731
    try:
        promise_of = promises_to(owner, load_slas(outside.settings.rules_dir), rules.teams, rules.routing, now)
    except RulesError as error:
        faulty = f"; nobody watches its first touch: {error}"
    done = reviews.assign(
        outside.store,
        lead_id,
        owner=owner,
        team=teams[0].id,
        by=by,
        destinations=[each.name for each in rules.destinations.enabled],
        now=now,
        promise_of=promise_of,
    )
    if not done:
        raise UnknownOwner(f"lead {lead_id} does not wait: `aiqleads review list` shows who does")
    deliver_assigned(outside)
    return f"{lead_id} → {owner} ({teams[0].id}){faulty}"
