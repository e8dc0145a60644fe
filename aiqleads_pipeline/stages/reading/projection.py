"""Turns a table that was read into rows of ``raw_leads``.

Belongs here: moving cells to the contract's columns by a mapping, and what no column takes to ``extra``. Values stay
as received but for the kind prefixes of ad platforms (`p:`, `l:`, `z:`). Does not belong here: what a header means
(``mapping``) and any cleaning (``validate``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import reduce

from duckdb import CaseExpression as Case
from duckdb import CoalesceOperator as Coalesce
from duckdb import ColumnExpression as Column
from duckdb import ConstantExpression as Constant
from duckdb import DuckDBPyRelation, Expression
from duckdb import FunctionExpression as Function

from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES, RAW_LEADS
from aiqleads_pipeline.rules.headers import header_key
from aiqleads_pipeline.stages.reading.drop import Table
from aiqleads_pipeline.stages.reading.mapping import Mapped

# Headers of which Meta's exports have several; its values carry the kind of id before a colon.
_META_HEADERS = frozenset({"adid", "adname", "adsetid", "adsetname", "formid", "formname", "isorganic", "platform"})
_META_PREFIXES = {"external_id": "l:", "phone": "p:", "postal_code": "z:"}
# Where the testing tools of ad platforms put their dummy texts.
DUMMY_COLUMNS = ("email", "phone", "full_name", "first_name", "last_name", "company_name")
TEST_FLAGS = frozenset({"istest", "istestlead"})


def project_raw(
    table: Table,
    mapped: Sequence[Mapped],
    key: int | None,
    first_row: int,
    origin: Mapping[str, str | datetime],
    defaults: Mapping[str, str],
) -> DuckDBPyRelation:
    """The rows of ``raw_leads``; ``row_number`` begins behind ``first_row``.

    ``key`` is the drop's key (``drop_key``), None where the table has one per row. ``origin`` gives the constants
    ``batch_id``, ``source``, ``source_channel`` and ``received_at``.
    """
    by_column = _cells_by_column(mapped)
    is_meta = len(_META_HEADERS & {header_key(item.header) for item in mapped}) >= 3
    values: dict[str, Expression] = {}
    for name in LEAD_COLUMN_NAMES:
        value = _value(by_column.get(name, []))
        if is_meta and name in _META_PREFIXES and name in by_column:
            value = Function("without_prefix", value, Constant(_META_PREFIXES[name]))
        if name in defaults:
            value = _unless_unreadable(Coalesce(value, Constant(defaults[name])))
        values[name] = value
    values |= {name: Constant(value) for name, value in origin.items()}
    drop = Column("drop_key") if key is None else Constant(str(key))
    values["lead_id"] = Function("lead_id", drop, Column("drop_row"))
    values["row_number"] = Column("drop_row") + Constant(first_row) if key is not None else Column("batch_row")
    values["extra"] = _extra(mapped, by_column)
    values["line_number"] = Column("line_number")
    values["read_error_code"] = Coalesce(Column("read_error_code"), _test_lead(mapped, by_column, values))
    values["raw_line"] = Column("raw_line")
    return table.relation.project(*(values[c.name].cast(c.type).alias(c.name) for c in RAW_LEADS.columns))


def _cells_by_column(mapped: Sequence[Mapped]) -> dict[str, list[str]]:
    """The cells that may fill each column, strongest first."""
    found: dict[str, list[tuple[tuple[int, int], str]]] = {}
    for index, item in enumerate(mapped):
        if item.column:
            found.setdefault(item.column, []).append((item.rank, f"c{index}"))
    return {column: [cell for _, cell in sorted(cells)] for column, cells in found.items()}


def _value(cells: Sequence[str]) -> Expression:
    """The first cell that is not empty."""
    if not cells:
        return Constant(None)
    return Column(cells[0]) if len(cells) == 1 else Coalesce(*map(Column, cells))


def _extra(mapped: Sequence[Mapped], by_column: Mapping[str, list[str]]) -> Expression:
    """What no column took: unknown headers, and cells whose column was filled by a stronger one."""
    members = []
    for index, item in enumerate(mapped):
        value: Expression = Column(f"c{index}")
        if item.how == "ignored":
            continue
        if item.column:
            cells = by_column[item.column]
            stronger = cells[: cells.index(f"c{index}")]
            if not stronger:
                continue
            value = Case(_value(stronger).isnotnull(), value)
        members.append(Function("json_member", Constant(json.dumps(item.header, ensure_ascii=False)), value))
    if not members:
        return Constant(None)
    return Function("json_object_of", Function("concat_ws", Constant(","), *members))


def _test_lead(
    mapped: Sequence[Mapped], by_column: Mapping[str, list[str]], values: Mapping[str, Expression]
) -> Expression:
    signs = [Function("is_dummy_value", values[name]) for name in DUMMY_COLUMNS if name in by_column]
    for index, item in enumerate(mapped):
        if header_key(item.header.rsplit(".", 1)[-1]) in TEST_FLAGS:
            signs.append(
                Coalesce(Function("lower", Column(f"c{index}")).isin(Constant("true"), Constant("1")), Constant(False))
            )
    if not signs:
        return Constant(None)
    return Case(reduce(lambda one, other: one | other, signs), Constant("test_lead"))


def _unless_unreadable(value: Expression) -> Expression:
    return Case(Column("read_error_code").isnull(), value)
