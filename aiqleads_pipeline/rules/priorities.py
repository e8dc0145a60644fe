"""The decision table of priorities and the size segments: ``priorities.yaml``.

Belongs here: its shape, and refusing rows that can never decide. Does not belong here: applying it
(``stages.classify``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from aiqleads_pipeline.contract import EMAIL_KINDS, JOB_FUNCTIONS, NAICS_SECTORS, SENIORITIES, UNKNOWN_INDUSTRY
from aiqleads_pipeline.rules.countries import COUNTRY_CODES
from aiqleads_pipeline.rules.loading import RuleFile, RuleModel, RulesError, load_rules

Text = Annotated[str, Field(min_length=1, max_length=200)]
RowId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
NotNegative = Annotated[float, Field(ge=0)]


class Range(RuleModel):
    """From ``at_least`` on and ``below``; either may be open."""

    at_least: float | None = None
    below: float | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """Lower bound (included) and upper bound (excluded)."""
        return (
            -math.inf if self.at_least is None else self.at_least,
            math.inf if self.below is None else self.below,
        )


class Conditions(RuleModel):
    """What a row asks for; None asks for nothing."""

    lead_score: Range | None = None
    quality_score: Range | None = None
    segment_fit_score: Range | None = None
    budget_fit_score: Range | None = None
    intent_score: Range | None = None
    engagement_score: Range | None = None
    freshness_score: Range | None = None
    conversion_prob: Range | None = None
    budget_usd: Range | None = None
    employee_count: Range | None = None
    size_segment: list[Literal["micro", "small", "mid_market", "enterprise", "unknown"]] | None = None
    industry_code: list[Text] | None = None
    job_seniority: list[Text] | None = None
    job_function: list[Text] | None = None
    email_kind: list[Text] | None = None
    country: list[Text] | None = None
    source: list[Text] | None = None
    source_channel: list[Literal["upload", "webhook", "api", "scrape"]] | None = None

    @property
    def given(self) -> dict[str, Range | list[str]]:
        """The conditions that ask for something."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}


class Row(RuleModel):
    """One row of the decision table."""

    id: RowId
    when: Conditions = Conditions()
    priority: Literal["P1", "P2", "P3", "P4"]


class Minimum(RuleModel):
    """What a company must reach to be in a segment."""

    employees: NotNegative
    revenue_usd: NotNegative


class SizeSegments(RuleModel):
    """Minimum of each segment, smallest first."""

    micro: Minimum
    small: Minimum
    mid_market: Minimum
    enterprise: Minimum


class _File(RuleModel):
    size_segments: SizeSegments
    rows: list[Row] = Field(min_length=1, max_length=500)


@dataclass(frozen=True)
class PriorityRules:
    """The decision table, checked; the last row holds for every lead."""

    size_segments: SizeSegments
    rows: tuple[Row, ...]
    sha256: str


_LEGAL: dict[str, tuple[str, ...] | frozenset[str]] = {
    "industry_code": (*NAICS_SECTORS, UNKNOWN_INDUSTRY),
    "job_seniority": SENIORITIES,
    "job_function": JOB_FUNCTIONS,
    "email_kind": EMAIL_KINDS,
    "country": COUNTRY_CODES,
}


def load_priorities(rules_dir: Path) -> PriorityRules:
    """Read ``priorities.yaml``.

    Raises:
        RulesError: every fault, one ``file:line: what`` per line: illegal values, rows that can never decide, a last
            row that does not hold for every lead.
    """
    rules, file = load_rules(rules_dir / "priorities.yaml", _File)
    faults = _segment_faults(rules.size_segments, file)
    ids: dict[str, int] = {}
    for i, row in enumerate(rules.rows):
        if row.id in ids:
            faults.append(file.fault(f"row {row.id!r} is given twice", "rows", i))
        ids.setdefault(row.id, i)
        faults += _condition_faults(row, i, file)
        covering = next((early for early in rules.rows[:i] if _covers(early.when, row.when)), None)
        if covering is not None:
            what = f"row {row.id!r} is unreachable: row {covering.id!r} above already decides all its leads"
            faults.append(file.fault(what, "rows", i))
    if rules.rows[-1].when.given:
        what = f"the last row {rules.rows[-1].id!r} must hold for every lead: leave its `when` out"
        faults.append(file.fault(what, "rows", len(rules.rows) - 1))
    if faults:
        raise RulesError("\n".join(faults))
    return PriorityRules(rules.size_segments, tuple(rules.rows), file.sha256)


def _segment_faults(segments: SizeSegments, file: RuleFile) -> list[str]:
    faults = []
    listed = list(segments)
    for (small, lower), (large, upper) in pairwise(listed):
        for measure in ("employees", "revenue_usd"):
            if getattr(upper, measure) <= getattr(lower, measure):
                what = f"size_segments: {large} must ask for more {measure} than {small}"
                faults.append(file.fault(what, "size_segments", large, measure))
    for measure in ("employees", "revenue_usd"):
        if getattr(segments.micro, measure) != 0:
            faults.append(file.fault(f"size_segments: micro begins at 0 {measure}", "size_segments", "micro", measure))
    return faults


def _condition_faults(row: Row, i: int, file: RuleFile) -> list[str]:
    faults = []
    for name, asked in row.when.given.items():
        where = ("rows", i, "when", name)
        if isinstance(asked, Range):
            low, high = asked.bounds
            if asked.at_least is None and asked.below is None:
                faults.append(file.fault(f"{name}: give at_least or below", *where))
            elif low >= high:
                faults.append(file.fault(f"{name}: no value is at least {low:g} and below {high:g}", *where))
            continue
        if not asked:
            faults.append(file.fault(f"{name}: an empty list holds for no lead", *where))
        legal = _LEGAL.get(name)
        for value in asked if legal else []:
            if value not in (legal or ()):
                hint = "ISO 3166-1 alpha-2" if name == "country" else ", ".join(sorted(legal or ()))
                faults.append(file.fault(f"{name}: {value!r} is unknown; legal is {hint}", *where))
    return faults


def _covers(early: Conditions, late: Conditions) -> bool:
    """Whether every lead that fulfils ``late`` fulfils ``early``."""
    asked_late = late.given
    for name, asked in early.given.items():
        also = asked_late.get(name)
        if isinstance(asked, Range) and isinstance(also, Range):
            if also.bounds[0] < asked.bounds[0] or also.bounds[1] > asked.bounds[1]:
                return False
        elif isinstance(asked, list) and isinstance(also, list):
            if not set(also) <= set(asked):
                return False
        else:
            return False
    return True
