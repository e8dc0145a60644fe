"""What a label says: which of its values count as won and which as not won.

Belongs here: words of outcomes in labelled tables. Does not belong here: outcomes of our own leads
(``stages.conversion.outcomes``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiqleads_pipeline.stages.learning.missing import is_missing_word
from aiqleads_pipeline.stages.learning.types import Codes, Flags

_WON_WORDS = """
    1 1.0 yes y true t won win closedwon closewon dealwon converted conversion customer sale sold booked booking signed
    purchased purchase subscribed success successful positive accepted bought gewonnen ja si sim oui ganado gagne vinto
"""
_LOST_WORDS = """
    0 0.0 no n false f lost loss closedlost closelost deallost notconverted nonconverted unconverted dead rejected
    unqualified disqualified nosale notinterested failure failed negative declined unsubscribed -1
    verloren nein nao non perdido perdu perso
"""
WON = frozenset(_WON_WORDS.split())
LOST = frozenset(_LOST_WORDS.split())
MOST_NAMED = 12


class LabelUnclear(Exception):
    """The label can't be read as two outcomes; the message names its values and what to say."""


@dataclass(frozen=True)
class Label:
    """Which rows count and how they ended; ``counted`` names the values of each side with their rows."""

    is_counted: Flags
    won: Flags
    positive: dict[str, int]
    negative: dict[str, int]
    left_out: dict[str, int]

    def in_words(self) -> str:
        """``'yes' counts as won (12), 'no' does not (88)``."""

        def named(values: dict[str, int]) -> str:
            return ", ".join(f"{value!r} ({rows:,})" for value, rows in list(values.items())[:MOST_NAMED])

        text = f"won: {named(self.positive)}; not won: {named(self.negative)}"
        return text + (f"; left out: {named(self.left_out)}" if self.left_out else "")


def read_label(column: str, cells: pa.Array, positive: Sequence[str] = (), negative: Sequence[str] = ()) -> Label:
    """Read a column of text as an outcome with two sides.

    Without ``positive`` the values must speak for themselves (yes and no, won and lost, 1 and 0 ...). With it, all
    other values count as not won, or only those of ``negative`` where given. Empty cells are left out.

    Raises:
        LabelUnclear: fewer than two sides, or values that don't say which side they are on.
    """
    encoded = pc.dictionary_encode(pc.utf8_trim_whitespace(cells))
    values = encoded.dictionary.to_pylist()
    codes: Codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    counts = np.bincount(codes[codes >= 0], minlength=len(values)) if values else np.zeros(0, dtype=np.int64)
    found = {value: int(count) for value, count in sorted(zip(values, counts, strict=True), key=lambda v: -v[1])}
    empty = {value for value in found if not value or is_missing_word(value)}
    known = [value for value in found if value not in empty]
    sides: dict[str, int | None]
    if positive:
        sides = _asked_sides(column, known, positive, negative)
    else:
        sides = {value: _side(value) for value in known}
        _refuse_unclear(column, found, known, sides)
    for side, what in ((1, "won"), (0, "not won")):
        if side not in sides.values():
            raise LabelUnclear(f"column {column!r}: no value counts as {what}; it has {_named(found)}")
    of_values = (sides.get(value) for value in values)
    lookup = np.array([*(-1 if each is None else each for each in of_values), -1], dtype=np.int64)
    side_of_row = lookup[codes]
    left_out = {value or "(empty)": rows for value, rows in found.items() if sides.get(value) is None}
    nulls = int((codes < 0).sum())
    return Label(
        is_counted=side_of_row >= 0,
        won=side_of_row == 1,
        positive={value: found[value] for value in known if sides[value] == 1},
        negative={value: found[value] for value in known if sides[value] == 0},
        left_out=left_out | ({"(empty)": nulls + left_out.get("(empty)", 0)} if nulls else {}),
    )


def _asked_sides(
    column: str, known: Sequence[str], positive: Sequence[str], negative: Sequence[str]
) -> dict[str, int | None]:
    wanted, against = ({_plain(value) for value in values} for values in (positive, negative))
    for value in [*positive, *negative]:
        if _plain(value) not in {_plain(each) for each in known}:
            raise LabelUnclear(f"column {column!r} has no value {value!r}; it has {', '.join(map(repr, known[:12]))}")
    return {
        value: 1 if _plain(value) in wanted else 0 if not against or _plain(value) in against else None
        for value in known
    }


def _refuse_unclear(column: str, found: dict[str, int], known: Sequence[str], sides: dict[str, int | None]) -> None:
    if len(known) < 2:
        raise LabelUnclear(f"column {column!r} has fewer than two outcomes: {_named(found) or 'it is empty'}")
    if len(known) > 2:
        raise LabelUnclear(
            f"column {column!r} has {len(known)} values and it is not clear which two count: {_named(found)}. "
            f"Say --positive VALUE (all others count as not won); --negative VALUE leaves the rest out"
        )
    if sorted(str(sides[value]) for value in known) != ["0", "1"]:
        raise LabelUnclear(f"column {column!r}: {_named(found)}; which is the good one? Say --positive {known[-1]!r}")


def _side(value: str) -> int | None:
    plain = _plain(value)
    return 1 if plain in WON else 0 if plain in LOST else None


def _plain(value: str) -> str:
    text = unicodedata.normalize("NFKD", value).casefold()
    bare = re.sub(r"[^a-z0-9.\-]", "", text)
    return bare if re.fullmatch(r"-?\d+(\.\d+)?", bare) else re.sub(r"[^a-z0-9]", "", text) or text.strip()


def _named(found: dict[str, int]) -> str:
    named = [f"{value!r} ({rows:,})" for value, rows in list(found.items())[:MOST_NAMED]]
    return ", ".join(named) + (f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else "")
