"""Loads ``sources.yaml``: what is special about each source of leads.

Belongs here: its schema and its checks. A source that is not listed gets the defaults, so that a new folder in the
bucket just works.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field

from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES
from aiqleads_pipeline.rules.headers import IGNORE, header_key
from aiqleads_pipeline.rules.loading import RuleFile, RuleModel, RulesError, load_rules
from aiqleads_pipeline.rules.webhooks import WebhookRules

# A constant here would make all leads of the source look like one person.
_NEVER_CONSTANT = ("external_id", "email", "phone", "first_name", "last_name", "full_name", "linkedin_url")


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no IANA time zone, such as Europe/Berlin")
    return str(ZoneInfo(name))


def _known_encoding(name: str) -> str:
    if name == "auto":
        return name
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise ValueError(f"{name!r} is no encoding, such as cp1252") from error


class SourceRules(RuleModel):
    """One source; ``name`` is its folder in the bucket or the API client's source."""

    name: str = ""
    label: str = ""
    default_country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    policy: Literal["lenient", "strict"] = "lenient"
    date_order: Literal["auto", "dmy", "mdy", "ymd"] = "auto"
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "auto"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    defaults: dict[str, str] = Field(default_factory=dict)
    cost_per_lead_usd: Annotated[float, Field(ge=0)] = 0.0  # what a row of it costs, for insights
    # What the doors do with a lead that is known: refuse it, count it as a touch, or let it also add to what is known.
    on_duplicate: Literal["reject", "update", "link"] = "reject"
    webhook: WebhookRules | None = None


class _Defaults(RuleModel):
    default_country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    policy: Literal["lenient", "strict"] = "lenient"
    date_order: Literal["auto", "dmy", "mdy", "ymd"] = "auto"
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"


class _SourcesFile(RuleModel):
    defaults: _Defaults = _Defaults()
    sources: dict[str, SourceRules] = Field(default_factory=dict)


@dataclass(frozen=True)
class Sources:
    """All sources by name."""

    listed: dict[str, SourceRules]
    default: SourceRules
    sha256: str

    def for_name(self, name: str) -> SourceRules:
        """The rules of a source; the defaults under its name if it is not listed."""
        return self.listed.get(name) or self.default.model_copy(update={"name": name, "label": name})


def load_sources(rules_dir: Path) -> Sources:
    """Read and check ``sources.yaml``; without the file every source has the defaults.

    Raises:
        RulesError: one ``sources.yaml:line: what`` per fault.
    """
    path = rules_dir / "sources.yaml"
    if not path.exists():
        return Sources({}, SourceRules(), "")
    content, file = load_rules(path, _SourcesFile)
    faults = [fault for name, source in content.sources.items() for fault in _faults(name, source, file)]
    if faults:
        raise RulesError("\n".join(faults))
    common = content.defaults.model_dump()
    listed = {
        name: source.model_copy(
            update={
                **{key: value for key, value in common.items() if key not in source.model_fields_set},
                "name": name,
                "label": source.label or name,
            }
        )
        for name, source in content.sources.items()
    }
    return Sources(listed, SourceRules.model_validate(common), file.sha256)


def _faults(name: str, source: SourceRules, file: RuleFile) -> list[str]:
    where = ("sources", name)
    faults = []
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        faults.append(file.fault(f"{name!r} can't be a folder: letters, digits, . _ - only", *where))
    if source.name:
        faults.append(file.fault("the source's name is its key: remove `name`", *where, "name"))
    seen: dict[str, str] = {}
    for header, column in source.columns.items():
        line = (*where, "columns", header)
        if column not in LEAD_COLUMN_NAMES and column != IGNORE:
            faults.append(file.fault(f"{column!r} is no column of the contract (nor `{IGNORE}`)", *line))
        key = header_key(header)
        if not key:
            faults.append(file.fault(f"{header!r} is no header", *line))
        elif seen.get(key):
            faults.append(file.fault(f"{header!r} is the same header as {seen[key]!r} and is mapped twice", *line))
        seen[key] = header
    twice = source.webhook.fields.keys() & source.webhook.event_fields.keys() if source.webhook else ()
    for column in sorted(twice):
        faults.append(file.fault(f"{column!r} is in `fields` too", *where, "webhook", "event_fields", column))
    for column in source.defaults:
        line = (*where, "defaults", column)
        if column not in LEAD_COLUMN_NAMES:
            faults.append(file.fault(f"{column!r} is no column of the contract", *line))
        elif column in _NEVER_CONSTANT:
            faults.append(file.fault(f"{column!r} must not be the same for all leads of a source", *line))
    return faults
