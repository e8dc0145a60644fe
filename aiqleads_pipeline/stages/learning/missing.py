"""What stands in a cell where nothing is known: words such as ``Select``, and numbers such as 999 or -1.

Belongs here: recognising them. A word is missing wherever it stands; a number only where it behaves like a mark: far
off, and repeated.
"""

from __future__ import annotations

import numpy as np

from aiqleads_pipeline.stages.learning.types import Numbers

WORDS = frozenset(
    """select|please select|--select--|-- select --|choose|please choose|unknown|unbekannt|inconnu|desconocido|
    undefined|n/a|n.a.|n.a|n\\a|#n/a|na|nan|nil|null|\\n|none|-|--|---|?|??|.|not available|
    not applicable|not set|not given|
    not specified|not provided|not known|not disclosed|missing|blank|empty|tbd|tba|<na>|nat|pd.na|#ref!|#value!|#null!|
    (blank)|(empty)|(none)|(null)|(not set)|(unknown)|(missing)|[none]|[null]|<null>|<none>|<unset>""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)
_MARKS = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0, 9999999.0)
LEAST_MARKED = 5
LEAST_SHARE = 0.005


def is_missing_word(cell: str) -> bool:
    """Whether the text says that nothing is known."""
    return cell.strip().casefold() in WORDS


def find_marks(numbers: Numbers) -> list[float]:
    """Numbers that stand for nothing: an extreme -1, 99, 999 ... that is repeated and far from all others."""
    known = numbers[~np.isnan(numbers)]
    marks: list[float] = []
    for mark in _MARKS:
        count = int((known == mark).sum())
        if count < max(LEAST_MARKED, LEAST_SHARE * len(known)) or count == len(known):
            continue
        others = known[~np.isin(known, [mark, *marks])]
        if not len(others):
            continue
        low, high = float(others.min()), float(others.max())
        # 99 beside 98 is an age; 999 beside 27 is none. -1 marks only what is never below zero.
        if (mark < 0 and low >= 0) or (mark > 0 and high < 0.5 * mark) or (mark < -1 and low > 0.5 * mark):
            marks.append(mark)
    return marks
