"""How the text of a column becomes features: numbers, categories, dates, lengths. Found once, kept with the model.

Belongs here: recognising a column's kind and reading its cells the same way in training and in use. Does not belong
here: anything that looks at outcomes (``encoding``, ``leaks``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiqleads_pipeline.stages.learning.missing import find_marks, is_missing_word
from aiqleads_pipeline.stages.learning.types import Codes, Numbers

DATE_FORMATS = (
    "iso", "%d.%m.%Y", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
    "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%Y%m%d",
)  # fmt: skip
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
ENOUGH = 0.98  # of the distinct cells must read alike
DAY = 86_400.0
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_ID_NAME = re.compile(r"(?:^|[^a-z])(?:id|uuid|guid|number|nr|no|key|hash|index|rownum|row)$|^unnamed|(?<=[a-z])ID$")


@dataclass(frozen=True)
class Feature:
    """One feature of all rows: numbers (NaN is missing), or codes of ``words`` (-1 is missing)."""

    name: str
    column: str
    numbers: Numbers | None = None
    codes: Codes | None = None
    words: list[str] = field(default_factory=list)
    sign: int = 0  # 1: more of it never makes worse; -1: never better; 0: nobody knows

    @property
    def is_category(self) -> bool:
        """Whether it has words instead of numbers."""
        return self.codes is not None

    def taken(self, rows: Codes) -> Feature:
        """The same feature of some rows."""
        numbers = None if self.numbers is None else self.numbers[rows]
        codes = None if self.codes is None else self.codes[rows]
        return Feature(self.name, self.column, numbers, codes, self.words, self.sign)

    @property
    def is_missing(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Where nothing is known."""
        return self.codes < 0 if self.codes is not None else np.isnan(self.numbers)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Recipe:
    """How one column is read; JSON by ``as_json`` and back by ``Recipe(**...)``."""

    column: str
    kind: str  # number, category, date, text; id, constant, empty: no feature comes of these
    date_format: str = ""
    has_comma: bool = False
    marks: tuple[float, ...] = ()
    missing: dict[str, int] = field(default_factory=dict)  # what stood for nothing, with its rows

    def as_json(self) -> dict[str, Any]:
        """For the model's document."""
        return {**self.__dict__, "marks": list(self.marks)}

    def read(self, cells: pa.Array, times: Numbers | None = None) -> list[Feature]:
        """The features of a column of text; ``times`` (days) are what dates are counted back from, where known."""
        words, codes = _coded(cells)
        if self.kind == "number":
            numbers = _spread(_to_numbers(words, self.has_comma), codes)
            numbers[np.isin(numbers, self.marks)] = np.nan
            return [Feature(self.column, self.column, numbers=numbers)]
        if self.kind == "category":
            return [Feature(self.column, self.column, codes=codes, words=[word.casefold() for word in words])]
        if self.kind == "text":
            lengths = np.log1p(np.array([len(word) for word in words], dtype=np.float64))
            counts = np.log1p(np.array([len(word.split()) for word in words], dtype=np.float64))
            return [
                Feature(f"{self.column} (length)", self.column, numbers=_spread(lengths, codes)),
                Feature(f"{self.column} (words)", self.column, numbers=_spread(counts, codes)),
            ]
        if self.kind == "date":
            return self._dated(_spread(_to_days(words, self.date_format), codes), times)
        return []

    def days(self, cells: pa.Array) -> Numbers:
        """Days since 1970 of a column of dates, or the numbers of a column of numbers; NaN where there is none."""
        words, codes = _coded(cells)
        found = _to_days(words, self.date_format) if self.kind == "date" else _to_numbers(words, self.has_comma)
        return _spread(found, codes)

    def _dated(self, days: Numbers, times: Numbers | None) -> list[Feature]:
        whole = np.floor(days)
        features = [
            Feature(f"{self.column} (weekday)", self.column, numbers=(whole + 3) % 7),
            Feature(f"{self.column} (month)", self.column, numbers=_months(whole)),
        ]
        if np.nanmax(days - whole, initial=0) > 0:
            features.append(Feature(f"{self.column} (hour)", self.column, numbers=np.floor((days - whole) * 24 + 1e-6)))
        # Counted back from the row's own time where there is one; else how late it is, which is a trend.
        age = days if times is None else times - days
        features.append(Feature(f"{self.column} (days)", self.column, numbers=age))
        return features


def find_recipe(column: str, cells: pa.Array) -> Recipe:
    """What kind of column this is, by its cells and, for ids, its name; outcomes are not looked at."""
    missing = _missing_words(cells)
    words, codes = _coded(cells)
    counts = np.bincount(codes[codes >= 0], minlength=len(words))
    filled = int(counts.sum())
    if not filled:
        return Recipe(column, "empty", missing=missing)
    if len(words) == 1 and filled == len(codes):
        return Recipe(column, "constant", missing=missing)
    for has_comma in (False, True):
        numbers = _to_numbers(words, has_comma)
        if np.isfinite(numbers).mean() >= ENOUGH:
            return _number_recipe(column, numbers, codes, missing, has_comma)
    for name in _likely_formats(words):
        if np.isfinite(_to_days(words, name)).mean() >= ENOUGH:
            return Recipe(column, "date", date_format=name, missing=missing)
    blanks = np.mean([" " in word for word in words])
    length = float(np.mean([len(word) for word in words]))
    is_rare = len(words) > 0.5 * filled and filled >= 50
    if is_rare and (blanks < 0.5 or length < 15):
        return Recipe(column, "id", missing=missing)
    return Recipe(column, "text" if is_rare or length > 60 else "category", missing=missing)


def _number_recipe(column: str, numbers: Numbers, codes: Codes, missing: dict[str, int], has_comma: bool) -> Recipe:
    values = numbers[codes[codes >= 0]]
    values = values[np.isfinite(values)]
    is_whole = bool(np.all(values == np.floor(values)))
    distinct = len(np.unique(values))
    span = float(values.max() - values.min()) + 1
    named = bool(_ID_NAME.search(re.sub(r"[_\s.\-]+", " ", column.strip()).lower()) or _ID_NAME.search(column))
    if is_whole and distinct == len(values) >= 50 and (named or span <= 1.5 * distinct):
        return Recipe(column, "id", missing=missing)
    marks = tuple(find_marks(values))
    for mark in marks:
        missing[f"{mark:g}"] = int((values == mark).sum())
    left = values[~np.isin(values, marks)]
    if not len(left) or (len(np.unique(left)) == 1 and len(left) == len(codes)):
        return Recipe(column, "constant", missing=missing)
    return Recipe(column, "number", has_comma=has_comma, marks=marks, missing=missing)


def _coded(cells: pa.Array) -> tuple[list[str], Codes]:
    """Distinct words (trimmed, without case where they are words) and each row's code; -1 is missing."""
    encoded = pc.dictionary_encode(pc.utf8_trim_whitespace(cells.cast(pa.string())))
    raw = encoded.dictionary.to_pylist()
    places: dict[str, int] = {}
    words: list[str] = []
    lookup = np.full(len(raw) + 1, -1, dtype=np.int64)
    for i, word in enumerate(raw):
        if not word or is_missing_word(word):
            continue
        key = word.casefold()
        if key not in places:
            places[key] = len(words)
            words.append(word)
        lookup[i] = places[key]
    codes = encoded.indices.fill_null(len(raw)).to_numpy(zero_copy_only=False).astype(np.int64)
    return words, lookup[codes]


def _missing_words(cells: pa.Array) -> dict[str, int]:
    counted = pc.value_counts(pc.utf8_trim_whitespace(cells.cast(pa.string()))).to_pylist()
    return {e["values"]: e["counts"] for e in counted if e["values"] and is_missing_word(e["values"])}


def _spread(values: Numbers, codes: Codes) -> Numbers:
    """Values of words as values of rows."""
    return np.append(values, np.nan)[codes]


def _to_numbers(words: list[str], has_comma: bool) -> Numbers:
    return np.array([_number(word, has_comma) for word in words], dtype=np.float64)


def _number(word: str, has_comma: bool) -> float:
    text = word.strip("$€£ %\u00a0").replace("\u00a0", "").replace("'", "")
    if has_comma:
        text = text.replace(".", "").replace(",", ".")
    elif "," in text and re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", text):
        text = text.replace(",", "")
    return float(text) if _NUMBER.fullmatch(text) and abs(float(text)) < 1e18 else np.nan


def _likely_formats(words: list[str]) -> list[str]:
    sample = words[:50]
    if not np.mean([bool(re.search(r"\d", word)) for word in sample]) > 0.9:
        return []
    with_clock = [name + clock for name in DATE_FORMATS if name != "iso" for clock in _CLOCKS]
    scored = [(np.isfinite(_to_days(sample, name)).mean(), name) for name in ("iso", *with_clock)]
    return [name for share, name in scored if share >= 0.9]


def _to_days(words: list[str], date_format: str) -> Numbers:
    read: Callable[[str], datetime] = (
        datetime.fromisoformat if date_format == "iso" else lambda word: datetime.strptime(word, date_format)  # noqa: DTZ007
    )
    days = np.full(len(words), np.nan)
    for i, word in enumerate(words):
        try:
            moment = read(word)
        except ValueError:
            continue
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        days[i] = moment.timestamp() / DAY
    return days


def _months(days: Numbers) -> Numbers:
    known = np.isfinite(days)
    months = np.full(len(days), np.nan)
    dates = days[known].astype("datetime64[D]").astype("datetime64[M]")
    months[known] = dates.astype(np.int64) % 12 + 1
    return months
