"""The patterns and words of the stages, in the form that ``plain`` looks things up in; read once, from their own files.

Belongs here: reading ``sql/`` and ``data/reference``. Does not belong here: any pattern of our own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb

from aiqleads_pipeline.stages.engine import REFERENCE_DIR, SQL_DIR

Search = Callable[[str], re.Match[str] | None]


@dataclass(frozen=True)
class PhonePlan:
    """Valid numbers by calling code, and of each country: calling code, national prefix, digits with a meaning."""

    numbers: dict[str, re.Pattern[str]]
    countries: dict[str | None, tuple[str, str | None, re.Pattern[str] | None]]
    special_abroad: re.Pattern[str]

    def is_number(self, digits: str) -> bool:
        """Whether the digits, calling code included, are a valid number of some country."""
        for length in (1, 2, 3):
            pattern = self.numbers.get(digits[:length])
            if pattern is not None and pattern.fullmatch(digits):
                return True
        return False


@cache
def needs_care() -> Search:
    """Finds, in a row's texts joined by U+E000, anything that the check looks at cell by cell (cells.sql)."""
    text = (SQL_DIR / "stages/validate/cells.sql").read_text(encoding="utf-8")
    found = re.search(r"regexp_matches\(row_text,\s*'(.*?)'\s*\)", text, re.DOTALL)
    return _pattern(found, "cells.sql").search


@cache
def is_unclean() -> Search:
    """Finds characters that cleaning would change (text.sql)."""
    text = (SQL_DIR / "macros/text.sql").read_text(encoding="utf-8")
    return _pattern(
        re.search(r"MACRO is_unclean\(cell\) AS\s*regexp_matches\(cell, '(.*?)'\);", text), "text.sql"
    ).search


@cache
def legal_form() -> re.Pattern[str]:
    """Matches the legal form at the end of a company's name (identity.sql)."""
    text = (SQL_DIR / "macros/identity.sql").read_text(encoding="utf-8")
    return _pattern(re.search(r"regexp_replace\(company, '(.*?)\$', ''\)", text), "identity.sql", end=r"\Z")


@cache
def placeholders() -> frozenset[str]:
    """Words that stand for nothing, in small letters."""
    return frozenset(word for (word,) in _read("placeholders.csv", "word") if word)


@cache
def countries() -> dict[str, str]:
    """Folded name of a country to its code."""
    return dict(_read("country_aliases.parquet", "alias_key", "alpha2"))


@cache
def regions() -> frozenset[tuple[str, str]]:
    """Country code and folded name of every region."""
    return frozenset(_read("region_aliases.parquet", "country", "alias_key"))


@cache
def phone_plan() -> PhonePlan:
    """The plan of telephone numbers."""
    rows = _read("phone_regions.parquet", "country", "calling_code", "national_prefix", "special")
    special = next(special for country, _, _, special in rows if country == "001")
    return PhonePlan(
        {
            code: re.compile(pattern, re.ASCII)
            for code, pattern in _read("phone_patterns.parquet", "calling_code", "pattern")
        },
        {
            country: (code, prefix, re.compile(f"(?:{own})", re.ASCII) if own else None)
            for country, code, prefix, own in rows
            if country != "001"
        },
        re.compile(f"(?:{special})", re.ASCII),
    )


def _read(file: str, *columns: str) -> list[Any]:
    with duckdb.connect() as con:
        path = str(REFERENCE_DIR / file)
        relation = con.read_csv(path, header=True, all_varchar=True) if file.endswith("csv") else con.read_parquet(path)
        return relation.project(", ".join(columns)).fetchall()


def _pattern(found: re.Match[str] | None, file: str, end: str = "") -> re.Pattern[str]:
    """A pattern of the engine as one of Python: quotes single, characters by number in Python's way."""
    if found is None:
        raise LookupError(f"{file} no longer holds the pattern that plain leads are told by")
    text = found[1].replace("''", "'")
    return re.compile(re.sub(r"\\x\{([0-9a-f]+)\}", lambda number: rf"\U{int(number[1], 16):08x}", text) + end)
