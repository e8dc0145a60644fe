"""What a column and a table of the contract are, and the types they use.

Belongs here: how the contract is written down. Does not belong here: any table.
"""

from __future__ import annotations

from dataclasses import dataclass

TEXT, TEXTS, UUID, INT, REAL, FLAG, TIME, DATE, JSON = (
    "VARCHAR",
    "VARCHAR[]",
    "UUID",
    "BIGINT",
    "DOUBLE",
    "BOOLEAN",
    "TIMESTAMP WITH TIME ZONE",
    "DATE",
    "VARCHAR",  # JSON text; DuckDB's JSON type is VARCHAR in Parquet
)


@dataclass(frozen=True)
class Column:
    """One column: its DuckDB type and the rules that every row must meet."""

    name: str
    type: str
    description: str
    required: bool = False
    at_least: float | None = None
    at_most: float | None = None
    one_of: tuple[str, ...] | None = None
    personal: bool = False  # personal data: masked in previews, never in logs or metadata


@dataclass(frozen=True)
class Table:
    """One table of the lake or the store; ``grain`` says what one row stands for, ``key`` what is unique in it."""

    name: str
    grain: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def column_names(self) -> list[str]:
        """The columns in their published order."""
        return [column.name for column in self.columns]
