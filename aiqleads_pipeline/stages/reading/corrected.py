"""The list of rejected rows, and the same list coming back corrected.

Belongs here: both ways of that format - the columns that are added, and cells that can't start a formula. Whoever opens
the list in a spreadsheet runs nothing; sent again, it reads as the sender's own file would.
"""

from __future__ import annotations

import re
from dataclasses import replace

from duckdb import CaseExpression as Case
from duckdb import ColumnExpression as Column
from duckdb import ConstantExpression as Constant
from duckdb import Expression
from duckdb import FunctionExpression as Function

from aiqleads_pipeline.stages.reading.drop import LINE_COLUMNS, Table

# What the list adds behind the sender's own columns.
ADDED_COLUMNS = ("line_number", "column", "code", "how_to_fix")
# A spreadsheet takes a cell that starts so for a formula. Apostrophes before it are doubled, so that undoing is exact.
_STARTS_FORMULA = r"^'*[=+@\t\r\n-]"
_IS_GUARDED = r"^''*[=+@\t\r\n-]"
_REPEATED = re.compile(r" \(\d+\)$")
_PLAIN_NUMBER = r"[+-]?[0-9]+([.][0-9]+)?"


def guarded(cell: Expression) -> Expression:
    """A cell that starts no formula: with an apostrophe before it where it would. Plain numbers stay."""
    is_number = Function("regexp_full_match", cell, Constant(_PLAIN_NUMBER))
    starts_formula = Function("regexp_matches", cell, Constant(_STARTS_FORMULA))
    return Case(starts_formula & ~is_number, Function("concat", Constant("'"), cell)).otherwise(cell)


def unguarded(cell: Expression) -> Expression:
    """The cell that ``guarded`` was given."""
    is_guarded = Function("regexp_matches", cell, Constant(_IS_GUARDED))
    return Case(is_guarded, Function("substr", cell, Constant(2))).otherwise(cell)


def guarded_text(cell: str) -> str:
    """``guarded`` for a cell at hand."""
    return f"'{cell}" if re.match(_STARTS_FORMULA, cell) and not re.fullmatch(_PLAIN_NUMBER, cell) else cell


def is_correction(headers: list[str]) -> bool:
    """Whether a table with these headers is such a list."""
    return set(ADDED_COLUMNS) <= {header.strip() for header in headers}


def as_sent(table: Table) -> Table:
    """The table as its sender had it: a list of rejected rows without what was added, any other as it is."""
    if table.has_drop_key or not is_correction(table.headers):
        return table
    # A sender's column of the same name comes first; the second of a name is read as `name (2)`.
    names = [_REPEATED.sub("", header.strip()) for header in table.headers]
    added = {len(names) - 1 - names[::-1].index(name) for name in ADDED_COLUMNS}
    kept = [index for index in range(len(names)) if index not in added]
    cells = [unguarded(Column(f"c{index}")).alias(f"c{place}") for place, index in enumerate(kept)]
    return replace(
        table,
        headers=[_unguarded_text(table.headers[index]) for index in kept],
        relation=table.relation.project(*map(Column, LINE_COLUMNS), *cells),
        samples=[[_unguarded_text(row[i]) for i in kept if i < len(row)] for row in table.samples],
        facts=table.facts | {"is_correction": True},
    )


def _unguarded_text(cell: str) -> str:
    return cell[1:] if re.match(_IS_GUARDED, cell) else cell
