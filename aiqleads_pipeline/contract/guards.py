"""What holds a table to the contract: the cast on write and the pandera schema.

Does not belong here: the tables themselves, or a value's own rules (``stages/validate``).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from aiqleads_pipeline.contract.columns import Column
from aiqleads_pipeline.contract.register import TABLES

if TYPE_CHECKING:
    import pandera.pandas as pa


@cache
def pandera_schema(table_name: str) -> pa.DataFrameSchema:
    """The pandera schema of a table, for pandas frames read from Parquet with Arrow types.

    Types are held by the cast on write; this guards nullability, ranges, legal values and unique keys.
    """
    import pandera.pandas as pa

    def checks(column: Column) -> list[pa.Check]:
        found = []
        if column.at_least is not None:
            found.append(pa.Check.ge(column.at_least))
        if column.at_most is not None:
            found.append(pa.Check.le(column.at_most))
        if column.one_of is not None:
            found.append(pa.Check.isin(list(column.one_of)))
        return found

    table = TABLES[table_name]
    return pa.DataFrameSchema(
        {c.name: pa.Column(None, checks(c), nullable=not c.required, required=True) for c in table.columns},
        unique=list(table.key) or None,
        strict=True,
        name=table.name,
    )


def cast_projection(table_name: str) -> str:
    """The select list that gives a relation exactly the table's columns, types and order."""
    return ", ".join(f'"{c.name}"::{c.type} AS "{c.name}"' for c in TABLES[table_name].columns)
