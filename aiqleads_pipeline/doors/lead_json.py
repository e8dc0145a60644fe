"""What a client sends as JSON, read with care: the columns as text, what the contract has no place for as ``extra``.

Belongs here: the form of a body and of its values. Does not belong here: whether a value is right (``validating``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from math import isfinite
from typing import Any

import msgspec

from aiqleads_pipeline.contract import (
    FLAG,
    INT,
    LEAD_COLUMNS,
    NAMED_BY,
    RAW_LEADS,
    REACHABLE_BY,
    REAL,
    TIME,
    VALIDATED_LEADS,
)
from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.reasons import REASONS
from aiqleads_pipeline.stages.reading.flatten import flatten
from aiqleads_pipeline.stages.reading.proportion import OutOfProportion, is_unwieldy

Error = dict[str, Any]
SOURCE_MEMBER = "source"  # names a source of the rules; any other word is the lead's own (`lead_source`)
MAX_MEMBERS = 500
_PLAIN_TYPES = frozenset((int, bool, type(None)))

_TYPES = {column.name: column.type for column in LEAD_COLUMNS}
# Columns that we give a lead ourselves, and what the check derives: nobody may send them.
RESERVED = ({c.name for c in RAW_LEADS.columns} | {c.name for c in VALIDATED_LEADS.columns}) - {*_TYPES, SOURCE_MEMBER}
_KIND_EXPECTED = {
    INT: "a whole number of 0 or more",
    REAL: "an amount in US dollars of 0 or more",
    FLAG: "true or false",
    TIME: "a time in ISO 8601, such as 2026-11-23T10:00:00Z",
}
_COLUMN_EXPECTED = {
    "email": "an e-mail address, name@domain",
    "phone": "a telephone number with its country code, such as +1 415 555 2671",
    "country": "a country, best by its ISO 3166-1 code",
    "website": "a web address",
    "linkedin_url": "the address of a LinkedIn profile",
    "message": "text of at most 20,000 characters",
}


@dataclass(slots=True)
class GivenLead:
    """A lead as it was sent: texts by column (no empty ones), the rest, its source's word, what is wrong in form."""

    row: dict[str, str] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    source_word: str | None = None
    errors: list[Error] = field(default_factory=list)
    is_object: bool = True


def parse_body(body: bytes) -> Any:
    """The JSON value of a body.

    Raises:
        Problem: 400 for what is no JSON, no UTF-8, names a member twice, is nested too deep or holds a number or a
            character that nobody can store.
    """
    document = _parse_plain(body)
    if document is not None:
        return document
    try:
        document = _DECODER.decode(body.decode("utf-8"))
        if b"\\u" in body:  # half of a surrogate pair is no text
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise malformed() from None
    return document


def _parse_plain(body: bytes) -> dict[str, Any] | list[dict[str, Any]] | None:
    """A flat lead, or a list of such, read fast; None if it is not certain that ``_DECODER`` says the same.

    Without escapes every quote in the body begins or ends a text of the document: fewer texts than that, and a member
    was named twice.
    """
    if b"\\" in body:
        return None
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None  # the other one is asked, whose word it is
    leads = [document] if type(document) is dict else document
    if type(leads) is not list:
        return None
    texts_count = 0
    for lead in leads:
        if type(lead) is not dict:
            return None
        texts_count += len(lead)
        for value in lead.values():
            kind = type(value)
            if kind is str:
                texts_count += 1
            elif kind not in _PLAIN_TYPES and not (kind is float and isfinite(value)):
                return None
    return document if body.count(b'"') == 2 * texts_count else None


def malformed() -> Problem:
    """400 for a body that can't be read."""
    return Problem(400, "malformed_request", errors=[error_at("", "unreadable_json", "JSON in UTF-8")])


def read_lead(item: Any) -> GivenLead:
    """A lead from its JSON value; what is wrong with its form is listed in ``errors``, never raised."""
    lead = GivenLead()
    if not isinstance(item, dict):
        lead.is_object = False
        lead.errors.append(error_at("", "wrong_type", "a JSON object"))
        return lead
    unknown: dict[str, Any] = {}
    for name, value in item.items():
        if value is None or value == "":
            continue
        kind = _TYPES.get(name)
        if kind is not None:
            text = value if type(value) is str else _text(value, kind)
            if text is None:
                lead.errors.append(error_at(f"/{name}", "wrong_type", expected_of(name)))
            else:
                lead.row[name] = text
        elif name == SOURCE_MEMBER:
            if isinstance(value, str):
                lead.source_word = value
            else:
                lead.errors.append(error_at(f"/{name}", "wrong_type", "text"))
        elif name in RESERVED:
            lead.errors.append(error_at(_pointer(name), "reserved_name", "another name"))
        else:
            unknown[name] = value
    if unknown:
        _read_extra(lead, unknown)
    return lead


def expected_of(name: str) -> str:
    """What a column takes, in words."""
    return _COLUMN_EXPECTED.get(name) or _KIND_EXPECTED.get(_TYPES.get(name, "")) or "text of at most 500 characters"


def error_at(pointer: str, code: str, expected: str) -> Error:
    """One violation; ``pointer`` is a JSON pointer into the lead."""
    return {"pointer": pointer, **_reason(code), "expected": expected}


def missing_of(code: str) -> Error:
    """A violation of the rule that a lead has one way to reach it and one name."""
    names = REACHABLE_BY if code == "unreachable" else NAMED_BY
    return {"any_of": [f"/{name}" for name in names], **_reason(code)}


@cache
def _reason(code: str) -> dict[str, str]:
    reason = REASONS[code]
    return {"code": code, "message": f"{reason.message} {reason.how_to_fix}"}


def _read_extra(lead: GivenLead, unknown: dict[str, Any]) -> None:
    if is_unwieldy(unknown):
        lead.errors.append(error_at("", "too_many_members", f"at most {MAX_MEMBERS} members"))
        return
    try:
        found = flatten(unknown)
    except OutOfProportion:
        lead.errors.append(error_at("", "too_many_members", "shorter names of members"))
        return
    except RecursionError:
        lead.errors.append(error_at("", "unreadable_json", "less nesting"))
        return
    if len(found) > MAX_MEMBERS:
        lead.errors.append(error_at("", "too_many_members", f"at most {MAX_MEMBERS} members"))
    else:
        lead.extra = found


def _text(value: Any, kind: str) -> str | None:
    """A value that is no text as the text that the check reads; None where the column doesn't take its type.

    A number with decimals is written so that no reader can take its point for a mark of thousands.
    """
    if isinstance(value, bool):
        return ("true" if value else "false") if kind == FLAG else None
    if kind not in (INT, REAL) or not isinstance(value, int | float):
        return None
    if value == int(value):
        return str(int(value))
    if kind == INT:
        return None
    return f"{value:.2f}e0" if value > 0 else f"{value:.2f}"


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is named twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number that is too large")
    return number


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_no_twins, parse_float=_finite, parse_constant=_no_constant)
