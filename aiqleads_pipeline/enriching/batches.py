"""A batch's leads through the waterfall: what is found is kept as the table ``provider_facts`` before it is used.

Belongs here: the way between leads (DuckDB) and subjects, and that a batch that is run again decides the same. Does not
belong here: Dagster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.enriching.asking import TIME
from aiqleads_pipeline.enriching.desk import Desk
from aiqleads_pipeline.enriching.waterfall import KEY_KINDS, Outcome, Subject, run_waterfall
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.stages.enrich_by_providers import facts_of_leads, list_subjects, list_wanted
from resources.lake import TableMissing
from resources.store import enrichment_gaps
from resources.store.leases import Lease

FACTS_TABLE = "provider_facts"
FIRST_COMPLETION = timedelta(minutes=5)
_FOUND = pa.schema(
    [
        ("subject_id", pa.string()), ("field", pa.string()), ("value", pa.string()), ("provider", pa.string()),
        ("confidence_share", pa.float64()), ("cost_usd", pa.float64()), ("answered_at", pa.timestamp("us", "UTC")),
    ]
)  # fmt: skip
_GAPS = pa.schema([("subject_id", pa.string()), ("gap_code", pa.string())])


@dataclass
class Asked:
    """What came of asking for a batch: counts for people."""

    leads_lacking_count: int = 0  # leads with a gap
    facts_count: int = 0
    gaps: dict[str, dict[str, int]] = field(default_factory=dict)  # kind -> reason -> leads
    providers: dict[str, dict[str, int]] = field(default_factory=dict)
    is_repeated: bool = False  # the facts of an earlier run of the batch were taken


def facts_of_batch(
    outside: Outside,
    con: DuckDBPyConnection,
    desk: Desk,
    enriched: DuckDBPyRelation,
    batch_id: str,
    lease: Lease,
    seconds: float,
) -> tuple[DuckDBPyRelation, Asked]:
    """What providers say of a batch's leads (``provider_facts``), asked within ``seconds``.

    A batch that is run again under the same rules takes the facts of its first run. Leads that lack something are noted
    for completion.
    """
    asked = Asked()
    facts = _kept_facts(outside, con, batch_id, desk.rules.sha256)
    if facts is None:
        wanted = list_wanted(con, enriched, desk.rules.wanted_fields)
        outcome, subjects = ask_about(con, desk, wanted, seconds)
        asked.providers = {
            name: {"answers": len(each.answers), "cached": each.cached_count, "calls": each.calls_count}
            for name, each in sorted(outcome.results.items())
        }
        made = relation_of(con, wanted, outcome, subjects).project(f"*, '{desk.rules.sha256}' AS rules_sha256")
        gaps = _gaps(made)
        # Gaps first: once the facts are there nobody asks again, and a gap that nobody noted would never be filled.
        now = desk.now()
        enrichment_gaps.open_gaps(desk.store, batch_id, gaps, now, now + FIRST_COMPLETION, lease)
        outside.lake.write(made, FACTS_TABLE, batch_id, guard=lease.check)
        facts = outside.lake.read(con, FACTS_TABLE, batch_id)
    else:
        asked.is_repeated = True
        gaps = _gaps(facts)
    for (kind, reason), count in sorted(Counter((gap.kind, gap.reason_code) for gap in gaps).items()):
        asked.gaps.setdefault(kind, {})[reason] = count
    asked.leads_lacking_count = len({gap.lead_id for gap in gaps})
    asked.facts_count = int(facts.filter("field IS NOT NULL").aggregate("count(*)").fetchall()[0][0])
    return facts, asked


def _gaps(facts: DuckDBPyRelation) -> list[enrichment_gaps.Gap]:
    rows = facts.filter("gap_code IS NOT NULL").project("lead_id, kind, gap_code").fetchall()
    return [enrichment_gaps.Gap(*row) for row in rows]


def ask_about(
    con: DuckDBPyConnection, desk: Desk, wanted: DuckDBPyRelation, seconds: float
) -> tuple[Outcome, set[str]]:
    """Ask about the subjects of wanted leads, at most as many as the rules say; returns also which were."""
    most = desk.rules.content.subjects_per_batch
    rows = list_subjects(con, wanted).limit(most).fetchall()
    names = list_subjects(con, wanted).columns
    subjects = [_subject(dict(zip(names, row, strict=True))) for row in rows]
    return run_waterfall(desk, subjects, seconds), {subject.subject_id for subject in subjects}


def relation_of(
    con: DuckDBPyConnection, wanted: DuckDBPyRelation, outcome: Outcome, subjects: set[str]
) -> DuckDBPyRelation:
    """Outcome by lead; leads of subjects that were one too many lack everything for want of time."""
    found = con.from_arrow(_table([vars_of(fact) for fact in outcome.facts], _FOUND))
    rows = [{"subject_id": key, "gap_code": code} for key, code in outcome.gaps.items()]
    total = list_subjects(con, wanted).aggregate("count(*)").fetchall()[0][0]
    if total > len(subjects):
        left = wanted.project("subject_id").distinct().fetchall()
        rows += [{"subject_id": key, "gap_code": TIME} for (key,) in left if key not in subjects]
    gaps = con.from_arrow(_table(rows, _GAPS))
    found.query("_", "CREATE OR REPLACE TEMP TABLE provider_found_now AS FROM _")
    gaps.query("_", "CREATE OR REPLACE TEMP TABLE provider_gaps_now AS FROM _")
    return facts_of_leads(con, wanted, con.table("provider_found_now"), con.table("provider_gaps_now"))


def vars_of(fact: Any) -> dict[str, Any]:
    """The columns of a fact."""
    return {name: getattr(fact, name) for name in _FOUND.names}


def _table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema)


def _subject(row: Mapping[str, Any]) -> Subject:
    keys = {kind: row[kind] for kind in KEY_KINDS if row[kind]}
    return Subject(row["subject_id"], row["kind"], tuple(row["fields"]), keys)


def _kept_facts(outside: Outside, con: DuckDBPyConnection, batch_id: str, sha256: str) -> DuckDBPyRelation | None:
    try:
        kept = outside.lake.read(con, FACTS_TABLE, batch_id)
    except TableMissing:
        return None
    others = kept.filter(f"rules_sha256 <> '{sha256}'").limit(1).fetchall()
    return None if others else kept
