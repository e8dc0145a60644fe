"""Matches the headers of a drop to the contract's columns.

Belongs here: what headers mean. The words themselves are in ``data/reference/column_aliases.csv``; what one source does
otherwise is in ``data/rules/sources.yaml``. Does not belong here: moving values (``projection``).

The source's own word counts first, then the contract's own names, then the aliases. An alias has a strength: 1 means
the column, 2 fills in where the stronger ones are empty (a mobile beside a phone), 3 counts only if no other header
maps to the column (Outlook's `Title` is a salutation, Salesforce's the job title). What maps to nothing is extra.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES, REACHABLE_BY
from aiqleads_pipeline.rules.headers import IGNORE, header_key
from aiqleads_pipeline.settings import PROJECT_DIR

_ALIASES_FILE = PROJECT_DIR / "data" / "reference" / "column_aliases.csv"
_NAME = "name"  # means a person, a company or a family name, by what stands beside it
_PARENTHESES = re.compile(r"\s*[(\[][^)\]]*[)\]]")
_MOST_HEADER_CHARS = 500  # a longer one means nothing: looking for what it might mean takes the square of its length
_NUMBERED = ("email", "phone", "street", "website")
# Wrappers of nested JSON: `contact.email` is the lead's, `owner.email` is somebody else's.
_WRAPPERS = frozenset({
    "data", "lead", "leads", "contact", "contacts", "person", "properties", "fields", "fielddata", "usercolumndata",
    "answers", "payload", "attributes", "record", "formresponse", "formdata", "formvalues", "values", "value", "body",
    "event", "object", "result", "results", "details", "customer", "prospect", "entry", "changes", "address",
    "location", "profile", "addresses", "emails", "phones", "emailaddresses", "phonenumbers", "hidden", "response",
    "responses", "submission", "item", "items", "traits", "customfields", "standardfields", "submitter",
})  # fmt: skip
_ORGANISATION_KEYS = frozenset({"organizationid", "organisationid", "companyid", "organizationtype", "companytype"})


@dataclass(frozen=True)
class Mapped:
    """What became of one header: the contract column (None: extra or ignored), how it was found, its precedence."""

    header: str
    column: str | None
    how: str
    rank: tuple[int, int]

    def fact(self) -> dict[str, str | None]:
        """As shown on the asset."""
        return {"header": self.header, "column": self.column, "how": self.how}


@dataclass(frozen=True)
class _Alias:
    column: str
    strength: int


def meaning_of(header: str) -> str | None:
    """The contract column that a header means by itself, None if it is not known."""
    found = _exact(header) or _alias(header)
    return found.column if found else None


def map_headers(headers: Sequence[str], own: Mapping[str, str], several_drops: bool = False) -> list[Mapped]:
    """What each header means; ``own`` are the source's columns (header to contract column or ``ignore``).

    In a table of ``several_drops`` each may name its id in its own way.
    """
    own_keys = {header_key(header): column for header, column in own.items()}
    found: list[tuple[str, _Alias | None, str]] = []
    for header in headers:
        column = own_keys.get(header_key(header))
        if len(header) <= _MOST_HEADER_CHARS:
            column = column or own_keys.get(header_key(_PARENTHESES.sub("", header)))
        if column:
            found.append((header, _Alias(column, -1), "source"))
        elif exact := _exact(header):
            found.append((header, exact, "exact"))
        else:
            found.append((header, _alias(header), "alias"))
    name_means = _meaning_of_name(found)
    best: dict[str, int] = {}
    for _, alias, _ in found:
        if alias:
            column = name_means if alias.column == _NAME else alias.column
            best[column] = min(best.get(column, 9), alias.strength)
    mapped: list[Mapped] = []
    for position, (header, alias, how) in enumerate(found):
        column = name_means if alias and alias.column == _NAME else alias.column if alias else None
        if alias is None or column is None or (alias.strength == 3 and best[column] < 3):
            mapped.append(Mapped(header, None, "extra", (9, position)))
        elif column == IGNORE:
            mapped.append(Mapped(header, None, "ignored", (9, position)))
        else:
            mapped.append(Mapped(header, column, how, (alias.strength, position)))
    return mapped if several_drops else _one_id_only(mapped)


def _one_id_only(mapped: list[Mapped]) -> list[Mapped]:
    """Ids of different kinds must not mix in one column: only the strongest header gives the external id."""
    strongest = min((item.rank for item in mapped if item.column == "external_id"), default=None)
    return [
        Mapped(item.header, None, "extra", item.rank)
        if item.column == "external_id" and item.rank != strongest
        else item
        for item in mapped
    ]


def is_reachable(mapped: Sequence[Mapped]) -> bool:
    """Whether any header maps to a way to reach the lead."""
    return any(item.column in REACHABLE_BY for item in mapped)


def _exact(header: str) -> _Alias | None:
    name = header.replace("\ufeff", "").strip()
    return _Alias(name, 0) if name in LEAD_COLUMN_NAMES else None


def _alias(header: str) -> _Alias | None:
    if len(header) > _MOST_HEADER_CHARS:
        return None
    for text in dict.fromkeys((header, _PARENTHESES.sub("", header))):
        if found := _by_key(header_key(text)):
            return found
    return _alias_of_path(header) if "." in header else None


def _alias_of_path(header: str) -> _Alias | None:
    """The meaning of a nested member: `properties.email.value` as email, if only wrappers stand around it."""
    steps = [header_key(re.sub(r"\[\d+\]$", "", step)) for step in header.split(".")]
    while len(steps) > 1 and steps[-1] in _WRAPPERS:
        steps.pop()
    for start in range(len(steps)):
        if any(step not in _WRAPPERS for step in steps[:start]):
            return None
        if found := _by_key("".join(steps[start:])):
            return found
    return None


def _by_key(key: str) -> _Alias | None:
    aliases = _aliases()
    if key in aliases:
        return aliases[key]
    number = re.search(r"(\d)$", key)
    if number and (found := aliases.get(key[:-1])) and found.column in _NUMBERED:
        return found if number.group() == "1" else _Alias(found.column, max(2, found.strength))
    return None


def _meaning_of_name(found: Sequence[tuple[str, _Alias | None, str]]) -> str:
    columns = {alias.column for _, alias, _ in found if alias}
    is_person = bool(columns & {"first_name", "last_name", "job_title"})
    has_size = bool(columns & {"employee_count", "annual_revenue_usd"})
    has_organisation_id = any(header_key(header) in _ORGANISATION_KEYS for header, _, _ in found)
    if "company_name" not in columns and not is_person and (has_size or has_organisation_id):
        return "company_name"
    if "first_name" in columns and "last_name" not in columns:
        return "last_name"
    return "full_name"


@cache
def _aliases() -> dict[str, _Alias]:
    with _ALIASES_FILE.open(encoding="utf-8", newline="") as file:
        found = {header_key(row["alias"]): _Alias(row["column"], int(row["strength"])) for row in csv.DictReader(file)}
    # The contract's names in other spellings: `companyName`, `Employee Count`.
    return {header_key(name): _Alias(name, 1) for name in LEAD_COLUMN_NAMES} | found
