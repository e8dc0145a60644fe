"""What becomes of a batch when routing fails: every lead waits for a person, nothing is given to anybody.

Belongs here: the fallback alone, built so that it needs none of what may have failed (rules, accounts, turns).
"""

from __future__ import annotations

from datetime import datetime

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.contract import TABLES, cast_projection
from aiqleads_pipeline.stages.engine import run_sql, set_variables
from aiqleads_pipeline.stages.route.route import Routed


def send_all_to_review(
    con: DuckDBPyConnection, enriched: DuckDBPyRelation, classified: DuckDBPyRelation, *, as_of: datetime
) -> Routed:
    """REVIEW_QUEUE with every lead, ``routing_failed``; no lead is routed."""
    set_variables(con, route_as_of=as_of)
    review = run_sql(con, "stages/route/all_to_review", enriched=enriched, classified=classified)
    nothing = con.sql("SELECT " + ", ".join(f'NULL AS "{c.name}"' for c in TABLES["routed_leads"].columns)).limit(0)
    return Routed(
        nothing.project(cast_projection("routed_leads")),
        review.project(cast_projection("review_queue")),
        [],
        run_sql(con, "stages/route/no_accounts"),
    )
