"""`aiqleads score`: every part of a lead's score, and what a person says of a lead.

Belongs here: reading and putting together. Does not belong here: printing (``score_cli``), scoring (``rescoring``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.commands.lead import UnknownLead
from aiqleads_pipeline.commands.printing import Refused
from aiqleads_pipeline.contract import PRIORITIES, SCORE_PARTS
from aiqleads_pipeline.lead_rows import rows_of_lead
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rescoring import leads_now, score_lead
from aiqleads_pipeline.stages.engine import open_engine
from resources.store import rescorings
from resources.store.rescorings import Override

LONGEST_OVERRIDE = timedelta(days=180)


class OverrideRefused(Refused):
    """A person's judgement that can't count: no reason, no end, an unknown priority; the message says which."""


@dataclass(frozen=True)
class Explained:
    """A lead's score as of now, part by part, beside the score it came with."""

    lead_id: str
    now: dict[str, Any]
    then: dict[str, Any]
    override: dict[str, Any] | None


def explain_score(outside: Outside, lead_id: str) -> Explained:
    """Every part of a lead's score as of now: score, weight, points, effect, words; and what it was at first.

    Raises:
        UnknownLead: no batch accepted the lead.
    """
    wanted = _lead_id(lead_id)
    with open_engine(outside.settings) as con:
        outside.lake.attach(con)
        lead = leads_now(con, outside, wanted)
        if not lead.limit(1).fetchall():
            raise UnknownLead(f"no batch accepted the lead {wanted}")
        now = _parts(_row(con, score_lead(con, outside, lead)), outside)
        then = rows_of_lead(con, outside, wanted, wanted=("scored_leads",)).get("scored_leads", [{}])[0]
    said = rescorings.overrides_in_force(outside.store, outside.settings.now(), [wanted])
    override = {name: str(value) for name, value in said[0].__dict__.items()} if said else None
    kept = (
        "lead_score",
        "conversion_prob",
        "score_method",
        "score_method_reason",
        "score_rung",
        "model_version",
        "reasons",
    )
    return Explained(str(wanted), now, {name: then[name] for name in kept if name in then}, override)


def override(outside: Outside, lead_id: str, priority: str, reason: str, days: float, by: str) -> Override:
    """Let a person's priority count for an open lead until it expires; the open scores follow within minutes.

    Raises:
        UnknownLead: no batch accepted the lead.
        OverrideRefused: it can't count.
    """
    wanted = _lead_id(lead_id)
    if priority not in PRIORITIES:
        raise OverrideRefused(f"{priority!r} is no priority: use {', '.join(PRIORITIES)}")
    if not reason.strip():
        raise OverrideRefused("say why: --reason is what the next person reads")
    if not 0 < days <= LONGEST_OVERRIDE.days:
        raise OverrideRefused(f"--days is above 0 and at most {LONGEST_OVERRIDE.days}: a judgement must end")
    with open_engine(outside.settings) as con:
        outside.lake.attach(con)
        if not rows_of_lead(con, outside, wanted, wanted=("scored_leads",)):
            raise UnknownLead(f"no batch accepted the lead {wanted}")
    now = outside.settings.now()
    said = Override(wanted, priority, reason.strip(), by, now, now + timedelta(days=days))
    rescorings.set_override(outside.store, said)
    return said


def end_override(outside: Outside, lead_id: str) -> bool:
    """Let the rules count again for a lead; False if nobody said anything that still holds."""
    return rescorings.end_override(outside.store, _lead_id(lead_id), outside.settings.now())


def _lead_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise UnknownLead(f"{text!r} is no lead id: it looks like 0f8c1d2e-....-8...-....-............") from error


def _row(con: DuckDBPyConnection, relation: DuckDBPyRelation) -> dict[str, Any]:
    (row,) = relation.fetchall()
    return dict(zip(relation.columns, row, strict=True))


def _parts(row: dict[str, Any], outside: Outside) -> dict[str, Any]:
    scoring = outside.rules().scoring.scoring
    segments = {segment.id: segment.weights for segment in scoring.segments}
    weights: dict[str, float] = segments.get(row["weights_code"], scoring.weights).model_dump()
    reasons = {reason["part"]: reason for reason in json.loads(row["reasons"])}
    parts = [
        {
            "part": part,
            "score": row.get(f"{part}_score", _score_of(row[f"{part}_points"], weights[part])),
            "weight": weights[part],
            "points": row[f"{part}_points"],
            "effect": reasons[part]["effect"],
            "text": reasons[part]["text"],
        }
        for part in SCORE_PARTS
    ]
    kept = (
        "lead_score", "fit_score", "interest_score", "quality_score", "conversion_prob", "weights_code", "score_method",
        "score_method_reason", "score_rung", "model_version", "priority", "degraded",
    )  # fmt: skip
    why = row.get("conversion_reasons")
    return {
        **{name: row[name] for name in kept if name in row},
        "formula": "lead_score = sum of weight x score over the parts (data/rules/scoring.yaml)",
        "parts": parts,
        "conversion_reasons": json.loads(why) if why else [],
    }


def _score_of(points: float, weight: float) -> float | None:
    """The conversion part's score, which the table keeps as points only."""
    return round(points / weight, 1) if weight else None
