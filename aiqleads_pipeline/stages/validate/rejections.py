"""Tells the rejected rows from the accepted ones.

Belongs here: the tables that leave the check. What is wrong with a row was judged in ``check``.
"""

from __future__ import annotations

import pyarrow as pa
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.reasons import REASONS
from aiqleads_pipeline.stages.engine import run_sql


def list_rejections(con: DuckDBPyConnection, raw: DuckDBPyRelation, checked: DuckDBPyRelation) -> DuckDBPyRelation:
    """REJECTED_LEADS: one row per violation of a rejected row, with the row as it was received."""
    reasons = pa.table({"code": list(REASONS), "message": [f"{r.message} {r.how_to_fix}" for r in REASONS.values()]})
    con.from_arrow(reasons).query("_", "CREATE OR REPLACE TEMP TABLE reasons AS FROM _")
    return run_sql(con, "stages/validate/rejections", raw=raw, checked=checked)


def split_valid(con: DuckDBPyConnection, checked: DuckDBPyRelation, duplicates: DuckDBPyRelation) -> DuckDBPyRelation:
    """VALIDATED_LEADS: the accepted rows that repeat no other lead."""
    return run_sql(con, "stages/validate/valid", checked=checked, duplicates=duplicates)
