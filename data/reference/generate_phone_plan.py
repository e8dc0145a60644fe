"""Turns libphonenumber's patterns into a table that SQL can look a number up in: `phone_plan.parquet`.

Belongs here: the numbering plan. The patterns of every country are finite automata over digits, so walking them
together finds, for each leading run of digits, whether all valid numbers behind it agree on country and type; where
they do, the run becomes a row. The result is exact for valid numbers, and a test compares it with the library.
Other reference files are made in ``generate_enrichment.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from re import _parser as regex_parser  # the parsed form of a pattern has no public door
from typing import Any, NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata, geocoder
from phonenumbers.phonenumberutil import is_number_type_geographical
from phonenumbers.tzdata import TIMEZONE_DATA

States = frozenset[int]
DIGITS = range(10)
# The library asks in this order; the first type whose pattern fits is the number's type.
SPECIAL_TYPES = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")
NANP_STATE_DIGITS = 4  # the calling code 1 and the area code


class Kind(NamedTuple):
    """What a number is: its country (`001` for numbers of no country) and libphonenumber's type in lower case."""

    country: str
    type: str


class Automaton:
    """A pattern over digits as a set of states that is moved one digit at a time."""

    def __init__(self, pattern: str) -> None:
        self._silent: dict[int, list[int]] = {}
        self._moves: dict[int, list[tuple[frozenset[int], int]]] = {}
        self._count = 1
        self._end = self._sequence(regex_parser.parse(pattern), 0)
        self.start = self._closure([0])
        self.step = cache(self._step)

    def accepts(self, states: States) -> bool:
        """Whether the digits so far are a whole match."""
        return self._end in states

    def _step(self, states: States, digit: int) -> States:
        return self._closure([to for at in states for digits, to in self._moves.get(at, ()) if digit in digits])

    def _closure(self, states: list[int]) -> States:
        found: set[int] = set()
        while states:
            if (state := states.pop()) not in found:
                found.add(state)
                states += self._silent.get(state, ())
        return frozenset(found)

    def _new(self) -> int:
        self._count += 1
        return self._count - 1

    def _sequence(self, items: Any, state: int) -> int:
        for name, argument in items:
            state = getattr(self, f"_{str(name).lower()}")(argument, state)
        return state

    def _move(self, digits: set[int], state: int) -> int:
        to = self._new()
        self._moves.setdefault(state, []).append((frozenset(digits), to))
        return to

    def _literal(self, code: int, state: int) -> int:
        return self._move({int(chr(code))}, state)

    def _in(self, members: Any, state: int) -> int:
        digits: set[int] = set()
        for name, argument in members:
            if str(name) == "LITERAL":
                digits.add(int(chr(argument)))
            elif str(name) == "RANGE":
                digits.update(range(int(chr(argument[0])), int(chr(argument[1])) + 1))
            else:  # a category: \d
                digits.update(DIGITS)
        return self._move(digits, state)

    def _subpattern(self, argument: Any, state: int) -> int:
        return self._sequence(argument[3], state)

    def _branch(self, argument: Any, state: int) -> int:
        return self._join([self._sequence(branch, state) for branch in argument[1]])

    def _max_repeat(self, argument: Any, state: int) -> int:
        at_least, at_most, items = argument
        for _ in range(at_least):
            state = self._sequence(items, state)
        ends = [state]
        for _ in range(min(int(at_most), 20) - at_least):  # no number is longer than 17 digits
            ends.append(self._sequence(items, ends[-1]))
        return self._join(ends)

    def _join(self, ends: list[int]) -> int:
        to = self._new()
        for end in ends:
            self._silent.setdefault(end, []).append(to)
        return to


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


def phone_plan() -> list[dict[str, Any]]:
    """Rows of `phone_plan`: no two of them fit one number.

    `prefix` (digits with the calling code), `digits` (length of the whole number, 0: any), `country` (null where the
    number belongs to none), `type`, `time_zone` and `region_code` (null where the digits do not settle them).
    """
    rows = []
    for calling_code, regions in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()):
        plan = Plan(calling_code, regions)
        for national, length, kind in plan.rows():
            prefix, digits = f"{calling_code}{national}", length and length + len(str(calling_code))
            for part in _split_by_zone(prefix, str(calling_code), kind):
                rows.append(_row(part, digits, str(calling_code), kind))
    return _merge_siblings(rows)


def _row(prefix: str, digits: int, calling_code: str, kind: Kind) -> dict[str, Any]:
    zones = _zones(prefix if _is_geographical(calling_code, kind) else calling_code)
    return {
        "prefix": prefix,
        "digits": digits,
        "country": None if kind.country == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else kind.country,
        "type": kind.type,
        "time_zone": zones[0] if len(zones) == 1 else None,
        "region_code": _nanp_state(prefix[:NANP_STATE_DIGITS]) if kind.type == "fixed_line_or_mobile" else None,
    }


def _merge_siblings(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for ten that say the same about each next digit, again and again."""
    facts = {(row["prefix"], row["digits"]): {**row, "prefix": None} for row in rows}
    for length in range(max(len(prefix) for prefix, _ in facts), 1, -1):
        for parent, digits in {(prefix[:-1], digits) for prefix, digits in facts if len(prefix) == length}:
            children = [(f"{parent}{digit}", digits) for digit in DIGITS]
            if all(facts.get(child) == facts.get(children[0]) for child in children):
                facts[parent, digits] = facts[children[0]]
                for child in children:
                    del facts[child]
    return [{**fact, "prefix": prefix} for (prefix, _), fact in sorted(facts.items())]


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
    return {**states, **{code.removeprefix(f"{country}-"): code for code in states.values()}, "Washington D.C.": "US-DC", "Washington State": "US-WA"}
