"""What became of each source's leads, learnt anew: `source_reliability`, which the next scores rest on.

Belongs here: gathering what the store and the lake know of sources, and keeping a new version. Does not belong here:
the arithmetic (``stages.score.source_reliability``) and what people are shown (``source_value``).
"""

from __future__ import annotations

from datetime import datetime

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.assets.learning import RELIABILITY_TABLE
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.stages.engine import run_sql
from aiqleads_pipeline.stages.score import no_reliability
from aiqleads_pipeline.stages.score import source_reliability as learn_reliability
from aiqleads_pipeline.tables import all_batches, store_relation
from resources.store import sources

OUTCOME_COLUMNS = {"lead_id": "UUID", "result": "VARCHAR", "closed_at": "TIMESTAMPTZ"}
MOVED_POINTS = 1.0  # of 100: what a source must have moved, so that its open leads are scored again


def closed_leads(con: DuckDBPyConnection, outside: Outside) -> DuckDBPyRelation:
    """ENRICHED_LEADS of closed leads with ``result`` and ``closed_at``."""
    return run_sql(
        con,
        "marts/closed_leads",
        enriched_leads=all_batches(con, outside, "enriched_leads"),
        outcomes=store_relation(con, outside, "outcomes", OUTCOME_COLUMNS),
    )


def learn_sources(con: DuckDBPyConnection, outside: Outside) -> DuckDBPyRelation:
    """`source_reliability` as of now. A row that repeats a known lead counts like one that was refused: it brought no
    lead; a bounced one like one that was returned."""
    history = con.from_arrow(sources.rows_arrived(outside.store)).project(
        "source, received_count, rejected_count + duplicates_count AS rejected_count"
    )
    return learn_reliability(con, history, closed_leads(con, outside), outside.rules().scoring)


def keep_version(outside: Outside, learnt: DuckDBPyRelation, now: datetime) -> str:
    """Write the version of a moment (UTC), which is in force from then on; returns its name."""
    version = version_at(now)
    outside.lake.write(learnt, RELIABILITY_TABLE, version)
    return version


def renew_moved_sources(con: DuckDBPyConnection, outside: Outside, since: datetime | None, now: datetime) -> list[str]:
    """The sources that moved by a point, they or one of their segments, since a time (UTC; None: since nothing was
    learnt). Where one moved since it was learnt last, a new version is kept. Killed and asked again, it says the same.
    """
    learnt = learn_sources(con, outside)
    known = outside.lake.batches(RELIABILITY_TABLE)
    if _moved(con, outside, known, learnt):
        keep_version(outside, learnt, now)
    return _moved(con, outside, [name for name in known if since is not None and name <= version_at(since)], learnt)


def version_at(moment: datetime) -> str:
    """The name of a version that is made at a moment (UTC)."""
    return f"{moment:%Y%m%dT%H%M%S%fZ}"


def _moved(con: DuckDBPyConnection, outside: Outside, known: list[str], learnt: DuckDBPyRelation) -> list[str]:
    """The sources that are elsewhere than in the last of the known versions."""
    before = outside.lake.read(con, RELIABILITY_TABLE, known[-1]) if known else no_reliability(con)
    moved = run_sql(con, "marts/moved_sources", reliability_before=before, reliability_now=learnt)
    return [source for (source,) in moved.filter(f"moved_points >= {MOVED_POINTS}").project("source").fetchall()]
