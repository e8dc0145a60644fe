"""How one file writes dates and decimals: decided once per column from its values, never value by value.

Belongs here: the decision. The counting stands in ``sql/stages/validate/habits.sql``.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from aiqleads_pipeline.stages.engine import run_sql

DATE_COLUMNS = ("last_activity_at", "consent_at", "created_at")
AMOUNT_COLUMNS = ("employee_count", "annual_revenue_usd", "budget_usd")


def read_habits(con: DuckDBPyConnection, date_order: str) -> dict[str, bool | None]:
    """``<column>_day_first`` for date columns (null: can't be known), ``<column>_comma`` for amounts.

    Reads the view ``raw``. A value above 12 decides for its column. Where a column shows both orders or neither, the
    source's ``date_order`` holds, else what the file's other date columns agree on.
    """
    row = run_sql(con, "stages/validate/habits")
    counts: dict[str, int] = dict(zip(row.columns, row.fetchall()[0], strict=True))
    shown = {c: _one_of(counts[f"{c}_day_first"], counts[f"{c}_month_first"]) for c in DATE_COLUMNS}
    agreed = {answer for answer in shown.values() if answer is not None}
    fallback = {"dmy": True, "mdy": False}.get(date_order, agreed.pop() if len(agreed) == 1 else None)
    habits: dict[str, bool | None] = {
        f"{column}_day_first": fallback if answer is None else answer for column, answer in shown.items()
    }
    for column in AMOUNT_COLUMNS:
        habits[f"{column}_comma"] = counts[f"{column}_comma"] > counts[f"{column}_point"]
    return habits


def _one_of(yes: int, no: int) -> bool | None:
    """True or False where only one side has votes; None where both or neither have."""
    return None if bool(yes) == bool(no) else bool(yes)
