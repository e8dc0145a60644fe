"""Scores open leads anew: all of them at night, and those that something was heard of within minutes.

Belongs here: which leads, and putting the stages together for leads of many batches at once. Does not belong here: how
a score is computed (``stages.score``) and when it is asked for (``automation``).
"""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.enriching.completing import with_additions
from aiqleads_pipeline.open_scores import score_open
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.priority_events import PriorityChanges, askers, post_changes, priority_changes
from aiqleads_pipeline.source_history import renew_moved_sources
from aiqleads_pipeline.stages.current import current_leads
from aiqleads_pipeline.stages.engine import open_engine, run_sql
from aiqleads_pipeline.stages.enrich import enrich_leads
from aiqleads_pipeline.tables import SCORES_TABLE, all_batches, newest_score_batches, store_relation
from resources.store import intake, rescorings, sources
from resources.store.rescorings import Kind, Rescoring

if TYPE_CHECKING:
    import pyarrow as pa

OUTCOME_COLUMNS = {"lead_id": "UUID", "result": "VARCHAR", "closed_at": "TIMESTAMPTZ"}
# Signals of the last moments before a rescoring may not have been committed yet: the next one looks at them again.
SLACK = timedelta(seconds=60)
EVER = datetime(1970, 1, 1, tzinfo=UTC)
TOLD_LEADS = 20_000  # of so many signalled leads all are told in words, of more those above P3


@dataclass(frozen=True)
class Rescored:
    """What came of it; ``batch_id`` is None if there was nothing to do."""

    batch_id: str | None
    facts: dict[str, Any]


def signals(outside: Outside) -> pa.Table | None:
    """``lead_id`` of the leads that something was heard of since the last rescoring; None before the first."""
    last = rescorings.last_rescoring(outside.store)
    if last is None:
        return None
    return rescorings.signalled_leads(outside.store, last.until - SLACK, outside.settings.now())


def rescore(outside: Outside, only_signalled: bool = False) -> Rescored:
    """Score all open leads as of now, or those that something was heard of; written as one batch, then noted.

    A lead that was closed, or rejected by a person, is not open. Killed before it is noted, it is done again.
    """
    started = time.monotonic()
    now = outside.settings.now()
    asked = signals(outside) if only_signalled else None
    if asked is not None and not asked.num_rows:
        return Rescored(None, {"leads_count": 0})
    kind: Kind = "all" if asked is None else "signalled"
    batch_id = f"{now:%Y%m%dT%H%M%S%f}-{kind}"
    with _workplace(outside) as folder, open_engine(outside.settings, folder / "spill") as con:
        outside.lake.attach(con)
        moved = _moved_sources(con, outside, now)
        leads = open_leads(con, outside, asked, moved)
        every_lead = asked is not None and not moved and asked.num_rows <= TOLD_LEADS
        scores = score_open(con, outside, leads, now, folder, every_lead)
        outside.lake.write(scores, SCORES_TABLE, batch_id)
        written = outside.lake.read(con, SCORES_TABLE, batch_id)
        facts = {**_facts(written), "moved_sources": moved}
        told = askers(outside)
        changes = priority_changes(con, outside, written, batch_id, now) if told else PriorityChanges([])
        facts |= {"priority_changes_told": len(changes.happenings), "priority_changes_left_out": changes.left_out_count}
    seconds = round(time.monotonic() - started, 3)
    done = Rescoring(batch_id, kind, now, facts["leads_count"], seconds)
    rescorings.note_rescoring(outside.store, done, facts, lambda store: post_changes(store, changes, told))
    removed = forget_old_scores(outside, now)
    return Rescored(batch_id, {**facts, "kind": kind, "seconds": seconds, "old_batches_removed": removed})


def forget_old_scores(outside: Outside, now: datetime) -> int:
    """Remove batches of scores that are older than ``AIQLEADS_SCORES_DAYS`` and no lead's newest; returns how many.

    What counts now (``newest_score_batches``) stays however old it is, and so does what was noted last: the next change
    of a priority is told against it.
    """
    border = f"{now - timedelta(days=outside.settings.SCORES_DAYS):%Y%m%dT%H%M%S%f}"
    last_all = rescorings.last_rescoring(outside.store, "all")
    kept = min([border, *newest_score_batches(outside)[:1], *([last_all.batch_id] if last_all else [])])
    old = [batch for batch in outside.lake.batches(SCORES_TABLE) if batch < kept]
    for batch in old:
        outside.lake.remove(SCORES_TABLE, batch)
    return len(old)


def open_leads(
    con: DuckDBPyConnection, outside: Outside, asked: pa.Table | None = None, moved: Sequence[str] = ()
) -> DuckDBPyRelation:
    """ENRICHED_LEADS of leads that were routed and not closed, as they are now; of these only those asked for, and
    those of the sources that moved."""
    leads = run_sql(
        con,
        "marts/open_leads",
        enriched_leads=_enriched_now(con, outside, asked if not moved else None),
        routed_leads=all_batches(con, outside, "routed_leads"),
        outcomes=store_relation(con, outside, "outcomes", OUTCOME_COLUMNS),
    )
    if asked is None:
        return leads
    import pyarrow as pa

    con.from_arrow(asked).query("_", "CREATE OR REPLACE TEMP TABLE asked_leads AS FROM _")
    if not moved:
        return leads.join(con.table("asked_leads"), "lead_id", how="semi")
    of_sources = con.from_arrow(pa.table({"source": pa.array(moved, pa.string())}))
    of_sources.query("_", "CREATE OR REPLACE TEMP TABLE asked_sources AS FROM _")
    return run_sql(
        con, "marts/asked_leads", open_now=leads, signalled=con.table("asked_leads"), moved=con.table("asked_sources")
    )


def leads_now(con: DuckDBPyConnection, outside: Outside, lead_id: uuid.UUID) -> DuckDBPyRelation:
    """ENRICHED_LEADS of one lead as it is now, open or closed; no row if no batch accepted it."""
    import pyarrow as pa

    asked = pa.table({"lead_id": pa.array([lead_id.bytes], pa.uuid())})
    return _enriched_now(con, outside, asked).filter(f"lead_id = '{lead_id}'::UUID")


def score_lead(con: DuckDBPyConnection, outside: Outside, lead: DuckDBPyRelation) -> DuckDBPyRelation:
    """The row of ``marts/open_scores`` that a lead would get now, with every part in words."""
    with _workplace(outside) as folder:
        scores = score_open(con, outside, lead, outside.settings.now(), folder, every_lead=True, every_part=True)
        scores.query("_", "CREATE OR REPLACE TEMP TABLE score_of_lead AS FROM _")
    return con.table("score_of_lead")


def open_scores_now(con: DuckDBPyConnection, outside: Outside) -> DuckDBPyRelation | None:
    """The newest score of each open lead (``marts/open_scores``); None before the first rescoring."""
    batches = newest_score_batches(outside)
    if not batches:
        return None
    paths = [outside.lake.path(SCORES_TABLE, batch) for batch in batches]
    return run_sql(
        con,
        "marts/open_scores_now",
        open_lead_scores=con.read_parquet(paths, hive_partitioning=False),
        outcomes=store_relation(con, outside, "outcomes", OUTCOME_COLUMNS),
    )


def _moved_sources(con: DuckDBPyConnection, outside: Outside, now: datetime) -> list[str]:
    """The sources that turned out otherwise by outcomes since the last scores; they are learnt anew before scoring."""
    last = rescorings.last_rescoring(outside.store)
    since = None if last is None else last.until
    if not sources.has_new_outcomes(outside.store, EVER if since is None else since - SLACK, now):
        return []
    return renew_moved_sources(con, outside, since, now)


def _enriched_now(con: DuckDBPyConnection, outside: Outside, asked: pa.Table | None) -> DuckDBPyRelation:
    """`enriched_leads` of all batches as they are now: with what was said since, and what providers added."""
    return with_additions(outside, con, _as_said(con, outside, asked))


def _as_said(con: DuckDBPyConnection, outside: Outside, asked: pa.Table | None) -> DuckDBPyRelation:
    """`enriched_leads` of all batches; leads that something was said about since as they are now."""
    enriched = all_batches(con, outside, "enriched_leads")
    said = intake.list_updates(outside.store, _ids(asked))
    if not said.num_rows:
        return enriched
    validated = all_batches(con, outside, "validated_leads")
    current = current_leads(con, validated, con.from_arrow(said), outside.rules().sources)
    current.query("_", "CREATE OR REPLACE TEMP TABLE current_now AS FROM _")
    changed = enrich_leads(
        con,
        con.table("current_now"),
        as_of=outside.settings.now(),
        enabled=outside.settings.flags.enableEnrichment,
    )
    changed.query("_", "CREATE OR REPLACE TEMP TABLE current_enriched AS FROM _")
    return run_sql(
        con, "stages/current/enriched_leads", enriched_before=enriched, enriched_now=con.table("current_enriched")
    )


def _ids(asked: pa.Table | None) -> list[uuid.UUID] | None:
    return None if asked is None else asked.column("lead_id").to_pylist()


def _facts(scores: DuckDBPyRelation) -> dict[str, Any]:
    def counts(column: str) -> dict[str, int]:
        return dict(scores.aggregate(f'"{column}", count(*)', f'"{column}"').order("1").fetchall())

    total, explained, overridden = scores.aggregate("count(*), count(reasons), count(override_expires_at)").fetchall()[
        0
    ]
    return {
        "leads_count": total,
        "explained_count": explained,
        "overridden_count": overridden,
        "by_score_method": counts("score_method"),
        "by_priority": counts("priority"),
    }


@contextmanager
def _workplace(outside: Outside) -> Iterator[Path]:
    folder = outside.workdir(f"rescoring-{uuid.uuid4().hex}")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
