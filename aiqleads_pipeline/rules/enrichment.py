"""Enrichment by providers: ``enrichment.yaml``.

Belongs here: which providers may be asked, in which order for which field, how sure is sure enough, what it may cost
and how long answers are kept. Does not belong here: how a vendor is spoken to (``resources.enrichment``). It is no part
of the rule book: a fault in it holds up no batch, which goes on without providers and says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from aiqleads_pipeline.rules.loading import RuleFile, RuleModel, RulesError, load_rules
from aiqleads_pipeline.rules.secret_names import SecretName

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Kind = Literal["company", "email", "phone", "social", "geo", "industry"]
KINDS: tuple[Kind, ...] = ("company", "email", "phone", "social", "geo", "industry")
Share = Annotated[float, Field(ge=0, le=1)]
Usd = Annotated[float, Field(ge=0, le=1_000_000)]
Days = Annotated[float, Field(gt=0, le=3650)]

# Every field that providers may fill, and the kind it belongs to.
FIELD_KINDS: dict[str, Kind] = {
    "company_name": "company", "website": "company", "employee_band": "company", "revenue_band": "company",
    "industry_code": "industry",
    "company_linkedin_url": "social", "company_twitter_url": "social", "company_facebook_url": "social",
    "email_status": "email", "has_mail_server": "email",
    "phone_type": "phone", "phone_country": "phone",
    "city": "geo", "region": "geo", "country": "geo", "county": "geo", "time_zone": "geo", "latitude_deg": "geo",
    "longitude_deg": "geo",
}  # fmt: skip
ADAPTERS: dict[str, str] = {  # adapter: where it is
    "people_data_labs": "https://api.peopledatalabs.com",
    "apollo": "https://api.apollo.io",
    "open_corporates": "https://api.opencorporates.com",
    "hunter": "https://api.hunter.io",
    "zerobounce": "https://bulkapi.zerobounce.net",
    "google_places": "https://places.googleapis.com",
    "dns_mx": "dns:",
    "company_pages": "https://{domain}",
    "generic_rest": "",
}
_WITHOUT_SECRET = ("dns_mx", "company_pages", "generic_rest")


class Breaking(RuleModel):
    """When a provider is left alone: see ``resources.store.provider_permits.Breaking``."""

    window_calls: Annotated[int, Field(ge=2, le=1000)] = 20
    least_calls: Annotated[int, Field(ge=1, le=1000)] = 5
    open_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    slow_seconds: Annotated[float, Field(gt=0, le=3600)] = 15.0
    open_seconds: Annotated[float, Field(gt=0, le=86_400)] = 30.0
    longest_open_seconds: Annotated[float, Field(gt=0, le=86_400)] = 900.0


class Provider(RuleModel):
    """One provider. ``secret`` names ``AIQLEADS_SECRET__<NAME>``."""

    adapter: Literal[
        "people_data_labs", "apollo", "open_corporates", "hunter", "zerobounce", "google_places", "dns_mx",
        "company_pages", "generic_rest",
    ]  # fmt: skip
    kind: Kind
    enabled: bool = False
    base_url: Annotated[str, Field(max_length=500)] = ""
    secret: SecretName | None = None
    cost_usd_per_key: Annotated[float, Field(ge=0, le=100)] = 0.0
    charges_unknown: bool = True
    keys_per_call: Annotated[int, Field(ge=1, le=1000)] = 1
    calls_per_second: Annotated[float, Field(gt=0, le=1000)] = 1.0
    burst_calls: Annotated[int, Field(ge=1, le=1000)] = 1
    calls_at_once: Annotated[int, Field(ge=1, le=8)] = 4
    usd_per_day: Usd | None = None
    usd_per_month: Usd | None = None
    keep_days: Days | None = None  # where its terms allow less than the kind's
    breaker: Breaking = Breaking()
    options: dict[str, Any] = Field(default_factory=dict)


class FieldRule(RuleModel):
    """Whom to ask for a field, in order; a value this sure ends the asking, one below ``least`` is not used."""

    order: Annotated[tuple[Name, ...], Field(min_length=1, max_length=10)]
    stop_at: Share = 0.8
    least: Share = 0.5


class Legal(RuleModel):
    """What needs a person's yes. ``social``: profile links and handles."""

    social: bool = False


class KeepDays(RuleModel):
    """How long answers count, by kind; negative ones ``unknown`` days."""

    company: Days = 90
    email: Days = 30
    phone: Days = 90
    social: Days = 90
    geo: Days = 30
    industry: Days = 180
    unknown: Days = 14


class EnrichmentFile(RuleModel):
    """``enrichment.yaml``."""

    enabled: bool = False
    legal: Legal = Legal()
    # Of the time that a batch's run may take, how much providers may take together.
    time_share: Annotated[float, Field(gt=0, le=0.9)] = 0.4
    subjects_per_batch: Annotated[int, Field(ge=1, le=200_000)] = 20_000
    usd_per_day: Usd | None = None
    usd_per_month: Usd | None = None
    keep_days: KeepDays = KeepDays()
    providers: dict[Name, Provider] = Field(default_factory=dict)
    fields: dict[str, FieldRule] = Field(default_factory=dict)


@dataclass(frozen=True)
class EnrichmentRules:
    """The file, checked. ``enabled_providers`` and ``wanted_fields`` are what counts."""

    content: EnrichmentFile
    sha256: str

    @property
    def enabled_providers(self) -> dict[str, Provider]:
        """Providers that may be asked now."""
        if not self.content.enabled:
            return {}
        return {
            name: each
            for name, each in self.content.providers.items()
            if each.enabled and (self.content.legal.social or each.kind != "social")
        }

    @property
    def wanted_fields(self) -> dict[str, FieldRule]:
        """Fields that an enabled provider may fill, with those providers in their order."""
        enabled = self.enabled_providers
        found = {}
        for name, rule in self.content.fields.items():
            order = tuple(each for each in rule.order if each in enabled)
            if order and (self.content.legal.social or FIELD_KINDS[name] != "social"):
                found[name] = rule.model_copy(update={"order": order})
        return found

    def keep_days(self, name: str) -> float:
        """How long answers of a provider count."""
        provider = self.content.providers[name]
        usual = float(getattr(self.content.keep_days, provider.kind))
        return usual if provider.keep_days is None else min(usual, provider.keep_days)


_OFF = re.compile(r"^enabled:[ ]*false[ ]*(#.*)?$", re.MULTILINE)
NO_PROVIDERS = EnrichmentRules(EnrichmentFile(), "")


def is_plainly_off(rules_dir: Path) -> bool:
    """Whether the file is missing or says ``enabled: false`` in so many words: then nobody needs to parse it."""
    try:
        return _OFF.search((rules_dir / "enrichment.yaml").read_text(encoding="utf-8")) is not None
    except (OSError, UnicodeError):
        return not (rules_dir / "enrichment.yaml").exists()


def load_enrichment(rules_dir: Path) -> EnrichmentRules:
    """Read and check ``enrichment.yaml``; without the file nobody is asked.

    Raises:
        RulesError: one ``enrichment.yaml:line: what`` per fault.
    """
    path = rules_dir / "enrichment.yaml"
    if not path.exists():
        return NO_PROVIDERS
    content, file = load_rules(path, EnrichmentFile)
    faults = [fault for name, each in content.providers.items() for fault in _provider_faults(name, each, file)]
    for name, rule in content.fields.items():
        if name not in FIELD_KINDS:
            faults.append(file.fault(f"{name!r} is no field that providers fill", "fields", name))
        faults += [
            file.fault(f"{name}: there is no provider {each!r}", "fields", name, "order", i)
            for i, each in enumerate(rule.order)
            if each not in content.providers
        ]
    if faults:
        raise RulesError("\n".join(faults))
    return EnrichmentRules(content, file.sha256)


def _provider_faults(name: str, provider: Provider, file: RuleFile) -> list[str]:
    where = ("providers", name)
    faults = []
    if provider.enabled and provider.secret is None and provider.adapter not in _WITHOUT_SECRET:
        faults.append(file.fault(f"{name}: an enabled provider needs a `secret`", *where))
    if not (provider.base_url or ADAPTERS[provider.adapter]):
        faults.append(file.fault(f"{name}: say where it is: `base_url`", *where))
    if provider.adapter == "generic_rest":
        faults += [file.fault(f"{name}: {what}", *where, "options") for what in _rest_faults(provider.options)]
    if provider.adapter == "dns_mx":
        for each in provider.options.get("name_servers", ()):
            try:
                ip_address(str(each))
            except ValueError:
                faults.append(file.fault(f"{name}: a name server is given by its address", *where, "options"))
    return faults


def _rest_faults(options: dict[str, Any]) -> list[str]:
    import jsonpath_rfc9535 as jsonpath

    known = {"key_kind", "method", "path", "headers", "body", "rows", "row_key", "fields", "unknown_statuses",
             "confidence", "confidence_most", "maps", "row_later"}  # fmt: skip
    key_kinds = ("company_domain", "company_name", "email", "email_domain", "phone_e164", "place")
    faults = [f"{each!r} is no option of generic_rest" for each in options if each not in known]
    if options.get("key_kind") not in key_kinds:
        faults.append(f"`key_kind` is one of {', '.join(key_kinds)}")
    if not isinstance(options.get("path"), str):
        faults.append("`path` is missing")
    if options.get("method", "GET") not in ("GET", "POST"):
        faults.append("`method` is GET or POST")
    fields = options.get("fields")
    if not isinstance(fields, dict) or not fields:
        return [*faults, "`fields` says where in an answer each field stands"]
    faults += [f"{each!r} is no field that providers fill" for each in fields if each not in FIELD_KINDS]
    paths = [*fields.values(), *(options[each] for each in ("rows", "row_key", "row_later") if each in options)]
    sure = options.get("confidence")
    for path in [*paths, *([sure] if isinstance(sure, str) else [])]:
        try:
            jsonpath.compile(str(path))
        except jsonpath.JSONPathError:
            faults.append(f"{path!r} is no JSONPath")
    return faults
