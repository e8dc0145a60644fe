"""Routing rules: ``routing.yaml``.

Belongs here: the ordered rules, their SLAs, and what makes a list of rules unsound (a rule that can't be reached, no
catch-all, names nobody knows). Does not belong here: how leads are matched (``stages.route``).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from aiqleads_pipeline.contract import EMAIL_KINDS, NAICS_SECTORS, PRIORITIES, SIZE_SEGMENTS, UNKNOWN_INDUSTRY
from aiqleads_pipeline.rules.countries import COUNTRY_CODES
from aiqleads_pipeline.rules.loading import RuleFile, RuleModel, RulesError, load_rules
from aiqleads_pipeline.rules.teams import REVIEW, Id

CHANNELS = ("upload", "webhook", "api", "scrape")
MINUTES = {"min": 1, "h": 60, "d": 24 * 60}
DEFAULT_SLA = {"P1": 5, "P2": 60, "P3": 8 * 60, "P4": 3 * 24 * 60}


def known_in(legal: Collection[str], what: str, listing: bool = True) -> Callable[[str], str]:
    """A check that a value is one of ``legal``; its message names what is meant or what there is."""

    def check(value: str) -> str:
        if value in legal:
            return value
        close = difflib.get_close_matches(value, legal, n=1, cutoff=0.6)
        there_is = f"; there is {', '.join(legal)}" if listing else ""
        raise ValueError(f"unknown {what} {value!r}" + (f"; did you mean {close[0]!r}?" if close else there_is))

    return check


def _as_list(value: Any) -> Any:
    """One value is a list of one; numbers (``industry_code: 51``) are text."""
    values = value if isinstance(value, list) else [value]
    return [str(v) if isinstance(v, int) and not isinstance(v, bool) else v for v in values]


def _as_minutes(value: Any) -> Any:
    found = re.fullmatch(r"\s*(\d{1,6})\s*(min|h|d)\s*", value) if isinstance(value, str) else None
    if not found:
        raise ValueError("expected a time such as 5 min, 8 h or 3 d")
    return int(found[1]) * MINUTES[found[2]]


def _lower(value: str) -> str:
    return " ".join(value.lower().split())


Text = Annotated[str, Field(min_length=1, max_length=200)]
Priority = Annotated[str, AfterValidator(known_in(PRIORITIES, "priority"))]
Industry = Annotated[str, AfterValidator(known_in((*NAICS_SECTORS, UNKNOWN_INDUSTRY), "industry_code"))]
Size = Annotated[str, AfterValidator(known_in(SIZE_SEGMENTS, "size_segment"))]
Country = Annotated[str, AfterValidator(known_in(COUNTRY_CODES, "country (ISO 3166-1 alpha-2)", listing=False))]
Region = Annotated[str, Field(pattern=r"^[A-Z]{2}-[A-Z0-9]{1,3}$")]
Channel = Annotated[str, AfterValidator(known_in(CHANNELS, "source_channel"))]
EmailKind = Annotated[str, AfterValidator(known_in(EMAIL_KINDS, "email_kind"))]
Product = Annotated[Text, AfterValidator(_lower)]
Score = Annotated[float, Field(ge=0, le=100)]
Minutes = Annotated[int, BeforeValidator(_as_minutes), Field(ge=1, le=366 * 24 * 60)]
Sla = Mapping[Priority, Minutes]

# What a rule may ask about by a list of values, in the order in which it is told. Each is a column of the leads.
LISTED = (
    "priority", "territory", "country", "region", "industry_code", "size_segment", "source", "source_channel",
    "product_interest", "email_kind",
)  # fmt: skip


class When(RuleModel):
    """What a lead must be like: each list is "any of", what is not named may be anything. Empty: every lead."""

    priority: Annotated[tuple[Priority, ...], BeforeValidator(_as_list), Field(min_length=1)] | None = None
    territory: Annotated[tuple[Text, ...], BeforeValidator(_as_list), Field(min_length=1)] | None = None
    country: Annotated[tuple[Country, ...], BeforeValidator(_as_list), Field(min_length=1)] | None = None
    region: Annotated[tuple[Region, ...], BeforeValidator(_as_list), Field(min_length=1)] | None = None
    industry_code: Annotated[tuple[Industry, ...], BeforeValidator(_as_list), Field(min_length=1)] | None = None
    size_segment: Annotated[tuple[Size, ...], BeforeValidator(_as_list), Field(min_length=1)] | None = None
    source: Annotated[tuple[Text, ...], BeforeValidator(_as_list), Field(min_length=1)] | None = None
    source_channel: Annotated[tuple[Channel, ...], BeforeValidator(_as_list), Field(min_length=1)] | None = None
    product_interest: Annotated[tuple[Product, ...], BeforeValidator(_as_list), Field(min_length=1)] | None = None
    email_kind: Annotated[tuple[EmailKind, ...], BeforeValidator(_as_list), Field(min_length=1)] | None = None
    min_lead_score: Score | None = None
    max_lead_score: Score | None = None

    @model_validator(mode="after")
    def _some_score_fits(self) -> When:
        if (self.min_lead_score or 0) > (100 if self.max_lead_score is None else self.max_lead_score):
            raise ValueError("no score is at least min_lead_score and at most max_lead_score")
        return self

    def listed(self, name: str) -> tuple[str, ...] | None:
        """The values that a column may have; null where it may have any."""
        values: tuple[str, ...] | None = getattr(self, name)
        return values

    @property
    def matches_everything(self) -> bool:
        """Whether no condition is set."""
        return not self.model_dump(exclude_none=True)

    @property
    def asks_score(self) -> bool:
        """Whether the score makes a difference."""
        return self.min_lead_score is not None or self.max_lead_score is not None

    def covers(self, other: When) -> bool:
        """Whether every lead that ``other`` matches is matched by this one too."""
        for name in LISTED:
            mine, theirs = self.listed(name), other.listed(name)
            if mine is not None and (theirs is None or not set(theirs) <= set(mine)):
                return False
        lowest, highest = other.min_lead_score or 0, 100 if other.max_lead_score is None else other.max_lead_score
        return (self.min_lead_score or 0) <= lowest and (self.max_lead_score is None or self.max_lead_score >= highest)

    def in_words(self) -> str:
        """The condition as a person would say it."""
        said = [f"{name} is {' or '.join(values)}" for name in LISTED if (values := self.listed(name))]
        if self.min_lead_score is not None:
            said.append(f"lead_score is at least {self.min_lead_score:g}")
        if self.max_lead_score is not None:
            said.append(f"lead_score is at most {self.max_lead_score:g}")
        return " and ".join(said) or "every lead"


class RoutingRule(RuleModel):
    """One rule: the first that matches decides. ``team`` is a team's id, or ``review``."""

    id: Id
    when: When = When()
    team: Id
    sla: Sla = Field(default_factory=dict)

    @property
    def is_review(self) -> bool:
        """Whether the rule sends leads to a person instead of a team."""
        return self.team == REVIEW

    @property
    def review_code(self) -> Literal["no_rule", "sent_to_review"]:
        """Why its leads wait: a catch-all to review means that no rule was meant for them."""
        return "no_rule" if self.when.matches_everything else "sent_to_review"


class RoutingFile(RuleModel):
    """``routing.yaml``."""

    sla: Sla = Field(default_factory=dict)
    rules: Annotated[list[RoutingRule], Field(min_length=1, max_length=500)]


@dataclass(frozen=True)
class RoutingRules:
    """The rules in their order, checked by themselves; ``file`` tells the lines for checks against other files."""

    rules: tuple[RoutingRule, ...]
    sla: Mapping[str, int]
    file: RuleFile
    sha256: str

    def sla_minutes(self, rule: RoutingRule, priority: str) -> int:
        """Minutes until somebody must have touched the lead."""
        return rule.sla.get(priority, self.sla[priority])


def load_routing(rules_dir: Path) -> RoutingRules:
    """Read ``routing.yaml``; names of teams and territories are checked by ``name_faults``.

    Raises:
        RulesError: every fault, one ``file:line: what`` per line.
    """
    content, file = load_rules(rules_dir / "routing.yaml", RoutingFile)
    if faults := _order_faults(content.rules, file):
        raise RulesError("\n".join(faults))
    return RoutingRules(tuple(content.rules), {**DEFAULT_SLA, **content.sla}, file, file.sha256)


def name_faults(
    routing: RoutingRules,
    teams: Collection[str] | None = None,
    territories: Collection[str] | None = None,
) -> list[str]:
    """Names in the rules that other files don't know; null leaves one kind unchecked (its file can't be read).

    Sources are not checked: one that ``sources.yaml`` does not list is as good as any (a new folder just works).
    """
    faults = []
    for i, rule in enumerate(routing.rules):
        asked = [
            ("team", [rule.team], None if teams is None else [*teams, REVIEW], ("rules", i, "team")),
            ("territory", rule.when.territory or (), territories, ("rules", i, "when", "territory")),
        ]
        for what, names, known, where in asked:
            for j, name in enumerate(names if known is not None else ()):
                try:
                    known_in(known or (), what)(name)
                except ValueError as error:
                    line = where if what == "team" else (*where, j)
                    faults.append(routing.file.fault(f"rule {rule.id!r}: {error}", *line))
    return faults


def _order_faults(rules: list[RoutingRule], file: RuleFile) -> list[str]:
    faults = []
    ids: dict[str, int] = {}
    for i, rule in enumerate(rules):
        if rule.id in ids:
            first = file.line("rules", ids[rule.id])
            faults.append(file.fault(f"rule {rule.id!r} is there already, in line {first}", "rules", i))
        ids.setdefault(rule.id, i)
        above = next((j for j, earlier in enumerate(rules[:i]) if earlier.when.covers(rule.when)), None)
        if above is not None:
            what = f"rule {rule.id!r} can't be reached: {rules[above].id!r} in line {file.line('rules', above)}"
            faults.append(file.fault(f"{what} takes every lead that it matches", "rules", i))
    if not rules[-1].when.matches_everything:
        what = f"the last rule, {rules[-1].id!r}, must match every lead: give it no `when` (its team may be {REVIEW!r})"
        faults.append(file.fault(what, "rules", len(rules) - 1))
    return faults
