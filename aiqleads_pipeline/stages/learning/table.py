"""A labelled table, ready to learn from: features, outcomes, order in time, and what was left out and why.

Belongs here: putting columns, label and time together; repeats of rows. Does not belong here: reading files
(``stages.reading``), what outcomes say about columns (``leaks``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiqleads_pipeline.stages.learning.labels import LabelUnclear, read_label
from aiqleads_pipeline.stages.learning.recipes import Feature, Recipe, find_recipe
from aiqleads_pipeline.stages.learning.types import Codes, Flags, Numbers

MOST_ROWS = 200_000
LEAST_DISTINCT = 0.6  # of the rows: below, equal rows are no copies, there are just few columns


class Untrainable(Exception):
    """The table can't be used as asked: a column that is not there, nothing to learn from. One readable line."""


@dataclass(frozen=True)
class Labelled:
    """Rows in order of time where it is known (``is_timed``), else as they stood in the file."""

    features: list[Feature]
    won: Flags
    is_timed: bool
    recipes: list[Recipe] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)  # column -> why no feature comes of it
    notes: list[str] = field(default_factory=list)
    missing: dict[str, dict[str, int]] = field(default_factory=dict)  # column -> what was read as missing, with rows
    times: Numbers | None = None
    time_column: str = ""
    label_column: str = ""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.won)

    def without(self, refused: Mapping[str, str]) -> Labelled:
        """The same table without some columns."""
        kept = [feature for feature in self.features if feature.column not in refused]
        return replace(self, features=kept, left_out={**self.left_out, **refused})

    def taken(self, rows: Codes) -> Labelled:
        """Some of the rows, in the order given."""
        return replace(
            self,
            features=[feature.taken(rows) for feature in self.features],
            won=self.won[rows],
            times=None if self.times is None else self.times[rows],
        )


def label_table(
    table: pa.Table,
    label: str,
    *,
    positive: Sequence[str] = (),
    negative: Sequence[str] = (),
    time: str | None = None,
    known_after: Sequence[str] = (),
) -> Labelled:
    """Read a table of text as features and outcomes.

    Args:
        table: one column of text per header; order is the file's.
        label: the column of outcomes.
        positive: values of it that count as won; by default they speak for themselves.
        negative: values that count as not won; by default all others.
        time: the column of dates (or of rising numbers) that orders the rows.
        known_after: columns that are known only after the outcome: no feature comes of them.

    Raises:
        Untrainable: a column that was named is not there, or the time can't be read.
        LabelUnclear: the label has no two sides.
    """
    label, *named = (
        column_named(table.column_names, name) for name in (label, *([time] if time else []), *known_after)
    )
    time_column = named[0] if time else ""
    after = set(named[1 if time else 0 :])
    if time_column == label:
        raise Untrainable(f"{label!r} can't be both the label and the time")
    told = read_label(label, _cells(table, label), positive, negative)
    notes = [told.in_words()]
    table = table.filter(pa.array(told.is_counted))
    won = told.won[told.is_counted]
    read_as = {name: find_recipe(name, _cells(table, name)) for name in table.column_names if name != label}
    telling = [name for name in table.column_names if name == label or read_as[name].kind != "id"]
    table, won = _without_repeats(table, won, telling, notes)
    times = _times(table, time_column) if time_column else None
    if times is not None:
        order = np.argsort(times, kind="stable")
        table, won, times = table.take(pa.array(order)), won[order], times[order]
    if len(won) > MOST_ROWS:
        notes.append(f"{len(won):,} rows; the {'latest' if time_column else 'last'} {MOST_ROWS:,} are learnt from")
        table, won = table.slice(len(won) - MOST_ROWS), won[-MOST_ROWS:]
        times = None if times is None else times[-MOST_ROWS:]
    features: list[Feature] = []
    recipes: list[Recipe] = []
    left_out = dict.fromkeys(sorted(after), "declared as known only after the outcome")
    missing = {}
    for name in table.column_names:
        if name == label or name in after:
            continue
        recipe = read_as[name]
        if recipe.missing:
            missing[name] = recipe.missing
        found = recipe.read(_cells(table, name), None if name == time_column else times)
        if name == time_column:
            # How late it is would be learnt as a trend that no later lead can have.
            found = [feature for feature in found if not feature.name.endswith("(days)") and recipe.kind == "date"]
        found = [feature for feature in found if _varies(feature)]
        if found:
            recipes.append(recipe)
            features += found
        else:
            left_out[name] = _WHY.get(recipe.kind, "it orders the rows" if name == time_column else "it never varies")
    return Labelled(features, won, times is not None, recipes, left_out, notes, missing, times, time_column, label)


_WHY = {
    "id": "an identifier: nearly every row has its own value",
    "constant": "it has one value only",
    "empty": "it is empty",
}


def column_named(names: Sequence[str], wanted: str) -> str:
    """The header that is meant: exactly, or but for case and blanks.

    Raises:
        Untrainable: there is none; the message lists those there are.
    """
    if wanted in names:
        return wanted
    alike = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
    if len(alike) == 1:
        return alike[0]
    raise Untrainable(f"there is no column {wanted!r}; there are: {', '.join(names[:60])}")


def _cells(table: pa.Table, name: str) -> pa.Array:
    cells = table[name].combine_chunks()
    return cells if isinstance(cells, pa.Array) else pa.concat_arrays(cells.chunks)


def _times(table: pa.Table, column: str) -> Numbers:
    cells = _cells(table, column)
    recipe = find_recipe(column, cells)
    if recipe.kind == "id":  # a number that only rises orders rows as well as a date does
        recipe = replace(recipe, kind="number")
    if recipe.kind not in ("date", "number"):
        raise Untrainable(f"column {column!r} can't be read as dates: it is {recipe.kind}")
    times = recipe.days(cells)
    if np.isnan(times).mean() > 0.2:
        raise Untrainable(f"column {column!r}: {np.isnan(times).mean():.0%} of the rows have no date that can be read")
    return np.where(np.isnan(times), np.nanmin(times), times)  # a row without a date counts as the oldest


def _without_repeats(table: pa.Table, won: Flags, telling: Sequence[str], notes: list[str]) -> tuple[pa.Table, Flags]:
    """Repeats of rows (but for ids) would stand on both sides of a split; where rows differ at all, one is kept."""
    joined = pc.binary_join_element_wise(*[pc.fill_null(_cells(table, name), "\x00") for name in telling], "\x1f")
    _, first = np.unique(np.asarray(joined.to_pylist(), dtype=object).astype(str), return_index=True)
    repeats = len(joined) - len(first)
    if repeats and len(first) < LEAST_DISTINCT * len(joined):
        notes.append(f"{repeats:,} rows repeat another; with so few columns that is no sign of a copy")
    elif repeats:
        notes.append(f"{repeats:,} exact repeats of another row were left out")
        first = np.sort(first)
        return table.take(pa.array(first)), won[first]
    return table, won


def _varies(feature: Feature) -> bool:
    missing = feature.is_missing
    if missing.all():
        return False
    known = (feature.codes if feature.codes is not None else feature.numbers)[~missing]  # type: ignore[index]
    return bool(missing.any()) or bool((known != known[0]).any())


__all__ = ["LabelUnclear", "Labelled", "Untrainable", "column_named", "label_table"]
