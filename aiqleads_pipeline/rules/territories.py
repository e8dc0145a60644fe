"""Sales territories: ``territories.yaml``.

Belongs here: their shape, and refusing territories that are empty or claim the same leads. Does not belong here:
finding a lead's territory (``stages.classify``, ``sql/stages/classify``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from aiqleads_pipeline.contract import NAICS_SECTORS, UNKNOWN_INDUSTRY
from aiqleads_pipeline.rules.countries import COUNTRY_CODES
from aiqleads_pipeline.rules.loading import RuleFile, RuleModel, RulesError, load_rules

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Kind = Literal["account", "postal_code", "region", "country", "worldwide"]
WORLD = "*"
_DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+[a-z0-9-]{2,}")
_POSTAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]{0,9}")
_REGION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")


class Territory(RuleModel):
    """What a territory claims, and the leads it asks for there (None: all)."""

    id: Id
    name: Name
    accounts: list[str] = Field(default_factory=list)
    postal_codes: dict[str, list[str]] = Field(default_factory=dict)
    regions: list[str] = Field(default_factory=list)
    countries: list[str] = Field(default_factory=list)
    industries: list[str] | None = None
    sizes: list[Literal["micro", "small", "mid_market", "enterprise", "unknown"]] | None = None


class Default(RuleModel):
    """Where leads go that no territory claims."""

    id: Id
    name: Name


class _File(RuleModel):
    territories: list[Territory] = Field(default_factory=list)
    default: Default


class Claim(NamedTuple):
    """One place that one territory claims; ``key`` is what a lead's own key must equal."""

    kind: Kind
    key: str
    territory: int
    where: tuple[str | int, ...]


@dataclass(frozen=True)
class TerritoryRules:
    """The territories, checked: no two of them claim the same leads on the same place."""

    territories: tuple[Territory, ...]
    default: Default
    sha256: str

    @property
    def ids(self) -> frozenset[str]:
        """Every territory that a lead may get."""
        return frozenset({territory.id for territory in self.territories} | {self.default.id})

    @property
    def claims(self) -> list[Claim]:
        """Every place that is claimed."""
        return [claim for i, territory in enumerate(self.territories) for claim in _claims(i, territory)]


def load_territories(rules_dir: Path) -> TerritoryRules:
    """Read ``territories.yaml``.

    Raises:
        RulesError: every fault, one ``file:line: what`` per line: illegal codes, empty territories, overlaps.
    """
    rules, file = load_rules(rules_dir / "territories.yaml", _File)
    faults = []
    seen = {rules.default.id: "the default"}
    for i, territory in enumerate(rules.territories):
        if territory.id in seen:
            faults.append(file.fault(f"{territory.id!r} is already {seen[territory.id]}", "territories", i, "id"))
        seen.setdefault(territory.id, "a territory above")
        faults += _code_faults(i, territory, file)
        if not any(True for _ in _claims(i, territory)):
            what = f"territory {territory.id!r} is empty: it claims no account, postal code, region or country"
            faults.append(file.fault(what, "territories", i))
    faults += _overlaps(rules.territories, file)
    if faults:
        raise RulesError("\n".join(faults))
    return TerritoryRules(tuple(rules.territories), rules.default, file.sha256)


def postal_key(country: str, code: str) -> str:
    """The key of a postal code: ``US:941``, ``GB:SW1A``; blanks and case don't matter."""
    return f"{country}:{code.replace(' ', '').replace('-', '').upper()}"


def _claims(i: int, territory: Territory) -> Iterator[Claim]:
    for n, account in enumerate(territory.accounts):
        yield Claim("account", account.lower(), i, ("territories", i, "accounts", n))
    for country, codes in territory.postal_codes.items():
        for n, code in enumerate(codes):
            where = ("territories", i, "postal_codes", country, n)
            yield Claim("postal_code", postal_key(country, code), i, where)
    for n, region in enumerate(territory.regions):
        yield Claim("region", region, i, ("territories", i, "regions", n))
    for n, country in enumerate(territory.countries):
        kind: Kind = "worldwide" if country == WORLD else "country"
        yield Claim(kind, country, i, ("territories", i, "countries", n))


def _code_faults(i: int, territory: Territory, file: RuleFile) -> list[str]:
    found: list[tuple[str, tuple[str | int, ...]]] = []
    for n, account in enumerate(territory.accounts):
        if not _DOMAIN.fullmatch(account.lower()):
            found.append((f"{account!r} is no domain like acme.com", ("accounts", n)))
    for country, codes in territory.postal_codes.items():
        if country not in COUNTRY_CODES:
            found.append((f"{country!r} is no country of ISO 3166-1 alpha-2", ("postal_codes", country)))
        wrong = [n for n, code in enumerate(codes) if not _POSTAL.fullmatch(code)]
        found += [(f"{codes[n]!r} is no beginning of a postal code", ("postal_codes", country, n)) for n in wrong]
    for n, region in enumerate(territory.regions):
        if not _REGION.fullmatch(region) or region[:2] not in COUNTRY_CODES:
            found.append((f"{region!r} is no region of ISO 3166-2 like US-CA", ("regions", n)))
    for n, country in enumerate(territory.countries):
        if country not in COUNTRY_CODES and country != WORLD:
            found.append((f"{country!r} is no country of ISO 3166-1 alpha-2", ("countries", n)))
    return [
        file.fault(f"territory {territory.id!r}: {what}", "territories", i, *where)
        for what, where in found + _filter_faults(territory)
    ]


def _filter_faults(territory: Territory) -> list[tuple[str, tuple[str | int, ...]]]:
    legal = (*NAICS_SECTORS, UNKNOWN_INDUSTRY)
    found: list[tuple[str, tuple[str | int, ...]]] = [
        (f"{industry!r} is no NAICS sector; legal is {', '.join(legal)}", ("industries", n))
        for n, industry in enumerate(territory.industries or [])
        if industry not in legal
    ]
    found += [
        (f"an empty list of {key} asks for no lead; leave it out to ask for all", (key,))
        for key in ("industries", "sizes")
        if getattr(territory, key) == []
    ]
    return found


def _overlaps(territories: list[Territory], file: RuleFile) -> list[str]:
    """Claims of the same place, asking for as many facts, that a lead could fulfil both."""
    by_place: dict[tuple[str, str, int], list[Claim]] = defaultdict(list)
    faults = []
    for i, territory in enumerate(territories):
        for claim in _claims(i, territory):
            others = by_place[claim.kind, claim.key, filters_count(territory)]
            for other in others:
                rival = territories[other.territory]
                if _share_leads(territory, rival):
                    line = file.line(*other.where)
                    whose = "itself" if other.territory == i else repr(rival.id)
                    what = f"territory {territory.id!r} claims {claim.kind} {claim.key}"
                    faults.append(file.fault(f"{what}, which {whose} claims on line {line}", *claim.where))
                    break
            others.append(claim)
    return faults


def filters_count(territory: Territory) -> int:
    """How many facts a territory asks for besides the place: more of them wins on the same place."""
    return (territory.industries is not None) + (territory.sizes is not None)


def _share_leads(one: Territory, other: Territory) -> bool:
    def meet(a: list[str] | None, b: list[str] | None) -> bool:
        return a is None or b is None or bool(set(a) & set(b))

    return meet(one.industries, other.industries) and meet(
        list(one.sizes or []) or None, list(other.sizes or []) or None
    )
