"""CRMs: ``crm/<destination>.yaml``, one per destination of kind ``salesforce`` or ``hubspot``.

Belongs here: which of a lead's facts fill which field of theirs, how we log in, what of theirs is an outcome. Does not
belong here: casts at work and protocols (``resources.crm``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from aiqleads_pipeline.rules.destinations import DestinationRules, HubSpotDestination, SalesforceDestination
from aiqleads_pipeline.rules.loading import RuleFile, RuleModel, RulesError, load_rules
from aiqleads_pipeline.rules.secret_names import SecretName

# What a lead holds on its way to a destination: the members of a line of `sql/stages/deliver/list_lines.sql`.
LEAD_PATHS = frozenset(
    {
        "delivery_id", "lead_id", "source", "external_id", "team", "owner", "priority", "sla_due_at", "lead_score",
        "reasons.*.part", "reasons.*.text",
        *(f"contact.{name}" for name in (
            "first_name", "last_name", "full_name", "job_title", "email", "phone", "linkedin_url", "street", "city",
            "region", "postal_code", "country", "consent",
        )),
        *(f"company.{name}" for name in (
            "name", "domain", "industry_code", "industry_name", "size_segment", "employee_count", "annual_revenue_usd",
        )),
        *(f"interest.{name}" for name in ("message", "product_interest", "budget_usd", "campaign")),
    }
)  # fmt: skip
REQUIRED_FIELDS = {"salesforce": ("LastName", "Company"), "hubspot": ()}
_FIELD_NAMES = {"salesforce": r"[A-Za-z][A-Za-z0-9_]{0,79}", "hubspot": r"[a-z][a-z0-9_]{0,99}"}

Text = Annotated[str, Field(min_length=1, max_length=1000)]
Origin = Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+$", max_length=300)]
Result = Literal["won", "lost", "returned"]


class FieldRule(RuleModel):
    """One field of theirs: filled by the first of ``from`` that holds something."""

    from_: Annotated[str | tuple[str, ...], Field(alias="from")] = ()
    cast: Literal[
        "text", "code", "url", "subdivision", "number", "flag", "date", "time", "picklist", "multi_picklist"
    ] = "text"
    max_chars: Annotated[int, Field(ge=1, le=131_072)] | None = None
    decimals: Annotated[int, Field(ge=0, le=8)] = 0
    values: dict[str, Text] = Field(default_factory=dict)
    otherwise: Text | None = None
    required: bool = False
    negate: bool = False
    compare: bool = True

    @property
    def paths(self) -> tuple[str, ...]:
        """Where its value is looked for, in this order."""
        return (self.from_,) if isinstance(self.from_, str) else self.from_

    @model_validator(mode="after")
    def _fits_its_cast(self) -> FieldRule:
        is_picklist = self.cast in ("picklist", "multi_picklist")
        if not self.paths and self.otherwise is None:
            raise ValueError("name `from`, or `otherwise` for what always stands there")
        if is_picklist != bool(self.values):
            raise ValueError("picklists have `values`, ours: theirs; nothing else has")
        if self.max_chars is not None and self.cast not in ("text", "code", "url", "subdivision"):
            raise ValueError(f"a {self.cast} has no `max_chars`")
        if self.decimals and self.cast != "number":
            raise ValueError(f"a {self.cast} has no `decimals`")
        if self.negate and self.cast != "flag":
            raise ValueError("only a flag can be negated")
        return self


class Pace(RuleModel):
    """How many requests in how many seconds, all our processes together."""

    requests: Annotated[int, Field(ge=1, le=1_000_000)]
    seconds: Annotated[float, Field(gt=0, le=86_400)]


class ReadBack(RuleModel):
    """What the daily comparison looks at and may mend. ``days``: how long ago a record may have been sent."""

    days: Annotated[int, Field(ge=1, le=3650)] = 90
    max_records: Annotated[int, Field(ge=1, le=10_000_000)] = 200_000
    max_repairs: Annotated[int, Field(ge=0, le=1_000_000)] = 1_000
    max_repairs_per_record: Annotated[int, Field(ge=0, le=100)] = 2


class OutcomeRule(RuleModel):
    """What of theirs ends a lead: a status, and the deal it became (its own won, lost, amount and date count)."""

    status_field: Text
    status: dict[str, Result] = Field(default_factory=dict)
    deals: bool = True


class _CrmFile(RuleModel):
    pace: Pace | None = None
    daily_limit_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    reserved_for: tuple[Literal["P1", "P2", "P3", "P4"], ...] = ("P1", "P2")
    owner_field: Text
    owners: dict[str, Text] = Field(default_factory=dict)
    fields: Annotated[dict[str, FieldRule], Field(min_length=1, max_length=500)]
    outcomes: OutcomeRule
    read_back: ReadBack = ReadBack()


class SalesforceRules(_CrmFile):
    """``crm/<destination>.yaml`` of kind ``salesforce``."""

    kind: Literal["salesforce"]
    login_url: Origin
    api_version: Annotated[str, Field(pattern=r"^[1-9][0-9]\.0$")] = "62.0"
    login: Literal["client_credentials", "refresh_token"] = "client_credentials"
    client_id: SecretName
    client_secret: SecretName
    refresh_token: SecretName | None = None
    object: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}$")] = "Lead"
    external_id_field: Text
    duplicates: Literal["allow", "refuse"] = "refuse"
    assignment: bool | Annotated[str, Field(pattern=r"^01Q[A-Za-z0-9]{12,15}$")] = True
    collection_size: Annotated[int, Field(ge=1, le=200)] = 200
    bulk_from: Annotated[int, Field(ge=1, le=100_000)] | None = 2000

    @model_validator(mode="after")
    def _can_log_in(self) -> SalesforceRules:
        if (self.login == "refresh_token") != (self.refresh_token is not None):
            raise ValueError("`refresh_token` goes with `login: refresh_token`, and with nothing else")
        return self


class CompanyRules(RuleModel):
    """Companies in HubSpot: one per ``key`` of a lead, known by ``id_property``."""

    id_property: Text
    key: tuple[str, ...] = ("company.domain",)
    fields: Annotated[dict[str, FieldRule], Field(min_length=1, max_length=500)]


class HubspotRules(_CrmFile):
    """``crm/<destination>.yaml`` of kind ``hubspot``."""

    kind: Literal["hubspot"]
    base_url: Origin = "https://api.hubapi.com"
    login: Literal["private_app", "refresh_token"] = "private_app"
    access_token: SecretName | None = None
    client_id: SecretName | None = None
    client_secret: SecretName | None = None
    refresh_token: SecretName | None = None
    id_property: Text
    same_email: Literal["adopt", "refuse"] = "adopt"
    batch_size: Annotated[int, Field(ge=1, le=100)] = 100
    companies: CompanyRules | None = None

    @model_validator(mode="after")
    def _can_log_in(self) -> HubspotRules:
        tokens = (self.client_id, self.client_secret, self.refresh_token)
        if self.login == "private_app" and (self.access_token is None or any(tokens)):
            raise ValueError("a private app has an `access_token` and nothing else to log in with")
        if self.login == "refresh_token" and (self.access_token or not all(tokens)):
            raise ValueError("log in with `client_id`, `client_secret` and `refresh_token`")
        return self


CrmRules = SalesforceRules | HubspotRules
_MODELS: dict[str, type[SalesforceRules] | type[HubspotRules]] = {
    "salesforce": SalesforceRules,
    "hubspot": HubspotRules,
}


def load_crm(rules_dir: Path, file_name: str, kind: Literal["salesforce", "hubspot"]) -> CrmRules:
    """Read and check the mapping of one destination: ``<rules_dir>/crm/<file_name>``.

    Raises:
        RulesError: every fault, one ``file:line: what`` per line; also where there is no such file.
    """
    content: CrmRules
    content, file = load_rules(rules_dir / "crm" / file_name, _MODELS[kind])
    faults = list(_faults(content, file))
    if isinstance(content, HubspotRules) and content.companies is not None:
        companies = content.companies
        faults += _field_faults(companies.fields, file, "hubspot", ("companies", "fields"))
        faults += [
            file.fault(f"a lead has no {path!r}", "companies", "key")
            for path in companies.key
            if path not in LEAD_PATHS
        ]
    if faults:
        raise RulesError("\n".join(faults))
    return content


def mapping_sha256(rules_dir: Path, destination: SalesforceDestination | HubSpotDestination) -> str | None:
    """Hex of its mapping as it lies there now; ``None`` where it can't be read. A cheap look for edits: no parsing."""
    file = rules_dir / "crm" / (destination.mapping or f"{destination.name}.yaml")
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None


def check_crms(rules_dir: Path, destinations: DestinationRules) -> None:
    """Read the mappings of all enabled CRMs. Runs don't: a mapping that is wrong stops its own deliveries only.

    Raises:
        RulesError: every fault of every file.
    """
    faults = []
    for each in destinations.enabled:
        if isinstance(each, SalesforceDestination | HubSpotDestination):
            try:
                load_crm(rules_dir, each.mapping or f"{each.name}.yaml", each.kind)
            except RulesError as error:
                faults.append(str(error))
    if faults:
        raise RulesError("\n".join(faults))


def _faults(rules: CrmRules, file: RuleFile) -> Iterable[str]:
    yield from _field_faults(rules.fields, file, rules.kind, ("fields",))
    known_by = rules.external_id_field if isinstance(rules, SalesforceRules) else rules.id_property
    for place, name in (("fields", known_by), ("fields", rules.owner_field)):
        if name in rules.fields:
            yield file.fault(f"{name!r} is filled by itself: remove it", place, name)
    for name in REQUIRED_FIELDS[rules.kind] if getattr(rules, "object", "Lead") == "Lead" else ():
        given = rules.fields.get(name)
        if given is None or not (given.required or given.otherwise):
            yield file.fault(f"{rules.kind} requires {name!r}: say `required: true` or `otherwise`", "fields", name)


def _field_faults(fields: dict[str, FieldRule], file: RuleFile, kind: str, where: tuple[str, ...]) -> Iterable[str]:
    for name, each in fields.items():
        if not re.fullmatch(_FIELD_NAMES[kind], name):
            yield file.fault(f"{name!r} is no name of a field in {kind}", *where, name)
        for path in each.paths:
            if path not in LEAD_PATHS:
                yield file.fault(f"{name}: a lead has no {path!r}", *where, name, "from")
