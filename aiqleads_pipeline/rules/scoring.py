"""Scoring rules and the ideal customer profile: ``scoring.yaml`` and ``icp.yaml``.

Belongs here: their shape and what makes them unsound. Does not belong here: how a score is computed
(``stages.score``, ``sql/stages/score``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator

from aiqleads_pipeline.contract import EMPLOYEE_BANDS, JOB_FUNCTIONS, NAICS_SECTORS, SENIORITIES
from aiqleads_pipeline.rules.countries import COUNTRY_CODES
from aiqleads_pipeline.rules.loading import RuleFile, RuleModel, RulesError, load_rules
from aiqleads_pipeline.rules.score_weights import MOST_SEGMENTS, Segment, Weights, segment_faults, weight_faults

Score = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class PartScores(RuleModel):
    """One score per part but conversion, which is neutral at 50 by construction."""

    completeness: Score
    freshness: Score
    source_reliability: Score
    engagement: Score
    segment_fit: Score
    budget_fit: Score
    intent: Score
    historical: Score


class Coefficients(RuleModel):
    """Log odds per 50 points of each part; none is negative, so that a better part never lowers the probability."""

    completeness: NotNegative
    freshness: NotNegative
    source_reliability: NotNegative
    engagement: NotNegative
    segment_fit: NotNegative
    budget_fit: NotNegative
    intent: NotNegative
    historical: NotNegative


class FieldWeights(RuleModel):
    """Relative importance of the facts that completeness counts."""

    email: NotNegative
    phone: NotNegative
    person_name: NotNegative
    job_title: NotNegative
    company_name: NotNegative
    website: NotNegative
    industry: NotNegative
    company_size: NotNegative
    country: NotNegative
    city_or_postal_code: NotNegative
    message: NotNegative
    budget: NotNegative
    linkedin_url: NotNegative
    consent: NotNegative


class EmailKindShares(RuleModel):
    """Share of the e-mail's weight that each kind of mailbox earns."""

    business: Share
    role: Share
    free: Share
    disposable: Share


class Completeness(RuleModel):
    """How completeness is counted."""

    fields: FieldWeights
    email_kinds: EmailKindShares


class Fading(RuleModel):
    """A date that loses half of its value every half-life."""

    half_life_days: Positive
    weight: NotNegative


class Freshness(RuleModel):
    """Half-lives per kind of date."""

    last_activity: Fading
    created: Fading
    consent: Fading
    received_half_life_days: Positive


class Capped(RuleModel):
    """An activity that earns ``points`` in full from ``cap`` on."""

    cap: Count
    points: Score


class Engagement(RuleModel):
    """Points of each activity and how they fade."""

    page_views: Capped
    email_opens: Capped
    form_submissions: Capped
    recent_activity_points: Score
    half_life_days: Positive
    undated_age_days: NotNegative


class Keywords(RuleModel):
    """Words that change the intent when the message holds one."""

    points: Annotated[float, Field(ge=-100, le=100)]
    words: list[Annotated[str, Field(min_length=2, max_length=60)]]


class KeywordGroups(RuleModel):
    """The three groups of keywords."""

    buying: Keywords
    interest: Keywords
    against: Keywords


class Intent(RuleModel):
    """Points of each signal to buy."""

    message: Score
    product_interest: Score
    budget: Score
    per_form_submission: Score
    form_submissions_cap: Count
    per_touch: Score
    touches_cap: Count
    keywords: KeywordGroups


class Shrinkage(RuleModel):
    """How many leads the mean counts like."""

    source_leads: Positive
    segment_leads: Positive
    acceptance_rows: Positive


class Conversion(RuleModel):
    """The logistic of the parts that stands in for a model."""

    base_prob: Annotated[float, Field(ge=0.0001, le=0.9999)]
    coefficients: Coefficients


class Scoring(RuleModel):
    """``scoring.yaml``."""

    weights: Weights
    segments: list[Segment] = Field(default_factory=list, max_length=MOST_SEGMENTS)
    neutral: PartScores
    completeness: Completeness
    freshness: Freshness
    engagement: Engagement
    intent: Intent
    returned_value: Annotated[float, Field(ge=-10, le=0)]
    shrinkage: Shrinkage
    acceptance_weight: Share
    conversion: Conversion


class IcpWeights(RuleModel):
    """How much each fact matters for the fit."""

    industry: NotNegative
    size: NotNegative
    country: NotNegative
    seniority: NotNegative
    function: NotNegative


class Budget(RuleModel):
    """The range of budgets that fits."""

    ideal_from_usd: Positive
    ideal_to_usd: Positive
    above_fit: Score


class Icp(RuleModel):
    """``icp.yaml``: fit (0-100) by fact."""

    weights: IcpWeights
    unlisted: Score
    industries: dict[str, Score] = Field(min_length=1)
    sizes: dict[str, Score] = Field(min_length=1)
    countries: dict[str, Score] = Field(min_length=1)
    seniorities: dict[str, Score] = Field(min_length=1)
    functions: dict[str, Score] = Field(min_length=1)
    budget: Budget

    @field_validator("industries", "sizes", "countries", "seniorities", "functions", mode="before")
    @classmethod
    def _codes_are_text(cls, value: Any) -> Any:
        """An unquoted 51 is still the sector "51"."""
        return {str(k): v for k, v in value.items()} if isinstance(value, dict) else value


@dataclass(frozen=True)
class ScoringRules:
    """Both files, checked, with the hash that tells one version of the rules from another."""

    scoring: Scoring
    icp: Icp
    sha256: str


def load_scoring(rules_dir: Path) -> ScoringRules:
    """Read ``scoring.yaml`` and ``icp.yaml``.

    Raises:
        RulesError: every fault of both files, one ``file:line: what`` per line.
    """
    faults: list[str] = []
    scoring = icp = None
    sha256 = ""
    try:
        scoring, file = load_rules(rules_dir / "scoring.yaml", Scoring)
        faults += _scoring_faults(scoring, file)
        sha256 += file.sha256
    except RulesError as error:
        faults.append(str(error))
    try:
        icp, file = load_rules(rules_dir / "icp.yaml", Icp)
        faults += _icp_faults(icp, file)
        sha256 += file.sha256
    except RulesError as error:
        faults.append(str(error))
    if faults or scoring is None or icp is None:
        raise RulesError("\n".join(faults))
    return ScoringRules(scoring, icp, sha256)


def _scoring_faults(scoring: Scoring, file: RuleFile) -> list[str]:
    faults: list[str] = []
    faults += weight_faults(scoring.weights, file, "weights")
    faults += segment_faults(scoring.segments, file)
    if not any(scoring.completeness.fields.model_dump().values()):
        faults.append(file.fault("completeness.fields: no field counts", "completeness", "fields"))
    fading = scoring.freshness
    if not fading.last_activity.weight + fading.created.weight + fading.consent.weight:
        faults.append(file.fault("freshness: no date counts", "freshness"))
    active = scoring.engagement
    total = active.page_views.points + active.email_opens.points + active.form_submissions.points
    if abs(total + active.recent_activity_points - 100) > 1e-9:
        found = total + active.recent_activity_points
        faults.append(file.fault(f"engagement: the points sum to {found:g}, not to 100", "engagement"))
    for group, sign in (("buying", 1), ("interest", 1), ("against", -1)):
        if sign * getattr(scoring.intent.keywords, group).points < 0:
            side = "less" if sign > 0 else "more"
            where = ("intent", "keywords", group, "points")
            faults.append(file.fault(f"intent.keywords.{group}.points: can't be {side} than 0", *where))
    return faults


def _icp_faults(icp: Icp, file: RuleFile) -> list[str]:
    known: dict[str, tuple[str, ...] | frozenset[str]] = {
        "industries": tuple(NAICS_SECTORS),
        "sizes": EMPLOYEE_BANDS,
        "countries": COUNTRY_CODES,
        "seniorities": SENIORITIES,
        "functions": JOB_FUNCTIONS,
    }
    faults = []
    for key, legal in known.items():
        for code in getattr(icp, key):
            if code not in legal:
                hint = "an ISO 3166-1 alpha-2 code" if key == "countries" else ", ".join(legal)
                faults.append(file.fault(f"{key}: {code!r} is unknown; legal is {hint}", key, code))
    if not any(icp.weights.model_dump().values()):
        faults.append(file.fault("weights: no fact counts", "weights"))
    if icp.budget.ideal_to_usd < icp.budget.ideal_from_usd:
        faults.append(file.fault("budget: ideal_to_usd is below ideal_from_usd", "budget"))
    return faults
