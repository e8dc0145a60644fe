"""Turns libphonenumber's patterns into tables that SQL can look a number up in with few joins.

Belongs here: the numbering plan. The patterns of every country are finite automata over digits, so walking them
together finds, for each leading run of digits, whether all valid numbers behind it agree on country and type; where
they do, the run becomes a prefix. `phone_heads` holds what most numbers behind the first four digits are and how many
digits the exceptions in `phone_plan` have; `phone_kinds` says what a kind is. The result is exact for valid numbers,
and a test compares it with the library. Other reference files are made in ``generate_enrichment.py``.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import phonenumbers
from digit_automaton import DIGITS, Automaton, States
from phonenumbers import PhoneMetadata, geocoder
from phonenumbers.phonenumberutil import is_number_type_geographical
from phonenumbers.tzdata import TIMEZONE_DATA

# The library asks in this order; the first type whose pattern fits is the number's type.
SPECIAL_TYPES = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")
HEAD_DIGITS = 4  # in North America: the calling code and the area code
EXCEPTION_DIGITS = 7  # longer prefixes are rare


class Kind(NamedTuple):
    """What a number is: its country (`001` for numbers of no country) and libphonenumber's type in lower case."""

    country: str
    type: str


class Plan:
    """The numbering plan of one calling code, whose regions are asked in the library's order."""

    def __init__(self, calling_code: int, regions: tuple[str, ...]) -> None:
        self.calling_code = str(calling_code)
        self._automata: dict[str, Automaton] = {}
        self._regions: list[tuple[str, dict[str, tuple[str, frozenset[int]]], str | None]] = []
        self.lengths: set[int] = set()
        for region in regions:
            metadata = PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region)
            patterns = {}
            for name in ("general_desc", "fixed_line", "mobile", *SPECIAL_TYPES):
                desc = getattr(metadata, name)
                if desc is not None and desc.national_number_pattern:
                    lengths = frozenset(desc.possible_length) - {-1}
                    patterns[name] = (self._automaton(desc.national_number_pattern), lengths)
            lead = metadata.leading_digits
            self._regions.append((region, patterns, self._automaton(rf"(?:{lead})\d*") if lead else None))
            self.lengths |= patterns["general_desc"][1]
        self._order = list(self._automata)
        self.kinds = cache(self._kinds)
        self._step = cache(self._next)

    def rows(self) -> Iterator[tuple[str, int, Kind]]:
        """Leading digits behind the calling code, national length (0: any), and what such valid numbers are."""
        return self._walk("", tuple(self._automata[pattern].start for pattern in self._order))

    def _automaton(self, pattern: str) -> str:
        self._automata.setdefault(pattern, Automaton(pattern))
        return pattern

    def _next(self, states: tuple[States, ...], digit: int) -> tuple[States, ...]:
        return tuple(
            self._automata[pattern].step(state, digit) for pattern, state in zip(self._order, states, strict=True)
        )

    def _kinds(self, states: tuple[States, ...], missing: int, length: int) -> frozenset[Kind]:
        """What the valid numbers of this length can be that go on from here with `missing` more digits."""
        if missing == 0:
            kind = self._kind(states, length)
            return frozenset([kind] if kind else [])
        return frozenset().union(*(self.kinds(self._step(states, digit), missing - 1, length) for digit in DIGITS))

    def _kind(self, states: tuple[States, ...], length: int) -> Kind | None:
        accepted = {
            pattern
            for pattern, state in zip(self._order, states, strict=True)
            if self._automata[pattern].accepts(state)
        }
        for region, patterns, lead in self._regions:
            if lead is not None and lead not in accepted and len(self._regions) > 1:
                continue
            fits = {
                name
                for name, (pattern, lengths) in patterns.items()
                if pattern in accepted and (not lengths or length in lengths)
            }
            kind = _type_of(fits)
            if kind is not None:
                return Kind(region, kind)
            if lead is not None and len(self._regions) > 1:
                return None
        return None

    def _walk(self, prefix: str, states: tuple[States, ...]) -> Iterator[tuple[str, int, Kind]]:
        by_length = {n: self.kinds(states, n - len(prefix), n) for n in sorted(self.lengths) if n >= len(prefix)}
        every = frozenset().union(*by_length.values())
        if len(every) == 1:
            yield prefix, 0, next(iter(every))
        elif all(len(kinds) <= 1 for kinds in by_length.values()):
            yield from ((prefix, length, next(iter(kinds))) for length, kinds in by_length.items() if kinds)
        else:
            for digit in DIGITS:
                yield from self._walk(f"{prefix}{digit}", self._step(states, digit))


def _type_of(fits: set[str]) -> str | None:
    if "general_desc" not in fits:
        return None
    for name in SPECIAL_TYPES:
        if name in fits:
            return name
    if "fixed_line" in fits:
        return "fixed_line_or_mobile" if "mobile" in fits else "fixed_line"
    return "mobile" if "mobile" in fits else None


Facts = tuple[str | None, ...]
Prefixes = dict[tuple[str, int], Any]  # (leading digits, length of the whole number or 0 for any) -> what it is


def phone_tables() -> dict[str, list[dict[str, Any]]]:
    """The rows of three tables, by name. Digits are counted with the calling code.

    `phone_heads`: `head` (four digits), `digits` (length of the number, 0: any), `kind_id` (of numbers that are no
    exception), `exception_digits`, `rare_digits` (how many leading digits to look up in `phone_plan`, null: none).
    `phone_plan`: `prefix`, `digits`, `kind_id`; rarer exceptions have more digits and win.
    `phone_kinds`: `kind_id`, `country` (null where the number belongs to none), `type`, `time_zone` and `region_code`
    (null where the digits do not settle them).
    """
    found: Prefixes = {}
    for calling_code, regions in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()):
        code = str(calling_code)
        for national, length, kind in Plan(calling_code, regions).rows():
            for prefix in _split_by_zone(f"{code}{national}", code, kind):
                for whole in _lengthened(prefix, HEAD_DIGITS):
                    found[whole, length and length + len(code)] = _facts(whole, code, kind)
    _merge_siblings(found)
    ids = {facts: number for number, facts in enumerate(sorted(set(found.values()), key=str), start=1)}
    by_head: dict[str, Prefixes] = defaultdict(dict)
    for (prefix, digits), facts in sorted(found.items()):
        by_head[prefix[:HEAD_DIGITS]][prefix, digits] = ids[facts]
    heads, plan = [], []
    for head, prefixes in by_head.items():
        rows, exceptions = _head_rows(head, prefixes)
        heads += rows
        plan += [{"prefix": prefix, "digits": n, "kind_id": kind} for (prefix, n), kind in sorted(exceptions.items())]
    names = ("country", "type", "time_zone", "region_code")
    kinds = [{"kind_id": number, **dict(zip(names, facts, strict=True))} for facts, number in ids.items()]
    return {"phone_heads": heads, "phone_plan": plan, "phone_kinds": kinds}


def _head_rows(head: str, prefixes: Prefixes) -> tuple[list[dict[str, Any]], Prefixes]:
    """The rows of `phone_heads` for one head, and its exceptions, all of one length but for the rare ones."""
    longest = max(len(prefix) for prefix, _ in prefixes)
    if longest == HEAD_DIGITS:
        return [_head_row(head, digits, kind) for (_, digits), kind in prefixes.items()], {}
    shares: Counter[int] = Counter()
    for (prefix, digits), kind in prefixes.items():
        shares[kind] += 0 if digits else 10 ** (longest - len(prefix))
    usual = shares.most_common(1)[0][0]
    usual_kind = usual if shares[usual] else None
    usual_digits = max((len(prefix) for prefix, _ in prefixes if len(prefix) <= EXCEPTION_DIGITS), default=None)
    rare_digits = longest if longest > EXCEPTION_DIGITS else None
    exceptions = {
        (whole, digits): kind
        for (prefix, digits), kind in prefixes.items()
        if digits or kind != usual_kind
        for whole in _lengthened(
            prefix, rare_digits if rare_digits and len(prefix) > EXCEPTION_DIGITS else usual_digits or 0
        )
    }
    return [_head_row(head, 0, usual_kind, usual_digits, rare_digits)], exceptions


def _head_row(head: str, digits: int, kind: int | None, *exception_digits: int | None) -> dict[str, Any]:
    exception, rare = exception_digits or (None, None)
    return {"head": head, "digits": digits, "kind_id": kind, "exception_digits": exception, "rare_digits": rare}


def _lengthened(prefix: str, length: int) -> list[str]:
    missing = length - len(prefix)
    return [f"{prefix}{n:0{missing}d}" for n in range(10**missing)] if missing > 0 else [prefix]


def _facts(prefix: str, calling_code: str, kind: Kind) -> Facts:
    zones = _zones(prefix if _is_geographical(calling_code, kind) else calling_code)
    return (
        None if kind.country == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else kind.country,
        kind.type,
        zones[0] if len(zones) == 1 else None,
        _nanp_state(prefix[:4]) if calling_code == "1" and kind.type == "fixed_line_or_mobile" else None,
    )


def _merge_siblings(found: Prefixes) -> None:
    """One prefix for ten that say the same about each next digit, again and again."""
    for length in range(max(len(prefix) for prefix, _ in found), HEAD_DIGITS, -1):
        for parent, digits in {(prefix[:-1], digits) for prefix, digits in found if len(prefix) == length}:
            children = [(f"{parent}{digit}", digits) for digit in DIGITS]
            if all(child in found and found[child] == found[children[0]] for child in children):
                found[parent, digits] = found[children[0]]
                for child in children:
                    del found[child]


def _split_by_zone(prefix: str, calling_code: str, kind: Kind) -> list[str]:
    """The prefix itself, or finer ones where time zones change behind it."""
    if not _is_geographical(calling_code, kind) or not _has_finer_zones(prefix):
        return [prefix]
    return [part for digit in DIGITS for part in _split_by_zone(f"{prefix}{digit}", calling_code, kind)]


@cache
def _has_finer_zones(prefix: str) -> bool:
    zones = _zones(prefix)
    return any(key.startswith(prefix) and key != prefix and found != zones for key, found in TIMEZONE_DATA.items())


def _zones(prefix: str) -> tuple[str, ...]:
    """The library's zones of the longest known prefix."""
    while prefix:
        if prefix in TIMEZONE_DATA:
            return tuple(TIMEZONE_DATA[prefix])
        prefix = prefix[:-1]
    return ()


def _is_geographical(calling_code: str, kind: Kind) -> bool:
    number_type: int = getattr(phonenumbers.PhoneNumberType, kind.type.upper())
    return bool(is_number_type_geographical(number_type, int(calling_code)))


@cache
def _nanp_state(area: str) -> str | None:
    """`US-NY` for `1212`: the state or province that the library names for the area code, where it is one."""
    number = phonenumbers.parse(f"+{area}2345678")
    country = phonenumbers.region_code_for_number(number)
    if country not in ("US", "CA"):
        return None
    return _state_codes(country).get(re.sub(r"^.*, ", "", geocoder.description_for_number(number, "en")).strip())


@cache
def _state_codes(country: str) -> dict[str, str]:
    import pycountry

    states = {state.name: state.code for state in pycountry.subdivisions.get(country_code=country)}
    short = {code.removeprefix(f"{country}-"): code for code in states.values()}
    return {**states, **short, "Washington D.C.": "US-DC", "Washington State": "US-WA"}
