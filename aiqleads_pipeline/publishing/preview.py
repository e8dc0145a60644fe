"""What a draft of the rules would have done to the last leads, beside what the rules in force do.

Belongs here: both sets applied to the same leads, and the report. Does not belong here: columns (``mappings``).

Both sides start alike: today's model, nobody has any open lead, no company has an owner. So what differs comes from the
rules alone. It is a comparison, not a forecast of who gets tomorrow's leads.
"""

from __future__ import annotations

import shutil
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.assets.learning import Learnt, current_versions, load_learnt
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.publishing.mappings import compare_mappings
from aiqleads_pipeline.publishing.publish import in_force
from aiqleads_pipeline.publishing.rule_files import differences, load_published, read_set, set_sha256
from aiqleads_pipeline.rules.book import RuleBook, load_rule_book
from aiqleads_pipeline.stages.classify import classify_leads
from aiqleads_pipeline.stages.engine import open_engine, run_sql
from aiqleads_pipeline.stages.route import RoutingSnapshot, route_leads
from aiqleads_pipeline.stages.score import score_leads
from resources.store import rule_sets

LAST_LEADS = 10_000
MOST_LEADS = 1_000_000
MOST_MOVES = 200
REPORTS = ("distribution", "by_source", "moves", "loads")


def preview(outside: Outside, draft: Path, by: str, last: int = LAST_LEADS) -> dict[str, Any]:
    """The report of a draft (JSON), kept so that this very draft may be published.

    Args:
        draft: a folder with all rule files.
        last: how many of the latest accepted leads to look at.

    Raises:
        RulesError: the draft has faults.
    """
    files, before = read_set(draft), in_force(outside)
    rules, rules_before = load_rule_book(draft), load_published(outside.settings.rules_dir)
    sha256, base = set_sha256(files), set_sha256(before)
    now = outside.settings.now()
    folder = outside.workdir(f"preview-{uuid.uuid4().hex}")
    try:
        with open_engine(outside.settings, folder / "spill") as con:
            outside.lake.attach(con)
            report = {
                "sha256": sha256,
                "base_sha256": base,
                "changed_files": sorted(n for n in {*files, *before} if files.get(n) != before.get(n)),
                "changed_lines": _changed_lines(differences(before, files)),
                **_compare(con, outside, (rules_before, rules), now, min(last, MOST_LEADS), folder),
                "mappings": compare_mappings(con, outside, rules_before.sources, rules.sources, folder),
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rule_sets.keep_set(outside.store, base, before, now)
    rule_sets.keep_set(outside.store, sha256, files, now)
    rule_sets.keep_preview(outside.store, sha256, base, by, report, now)
    return report


def _compare(
    con: DuckDBPyConnection, outside: Outside, both: tuple[RuleBook, RuleBook], now: datetime, last: int, folder: Path
) -> dict[str, Any]:
    past = _past_leads(con, outside, last, folder)
    if past is None:
        return {"leads_count": 0}
    known = load_learnt(outside, con, current_versions(outside), outside.settings.flags.enableMLScoring)
    decided = {
        f"decided_{side}": _decide(con, past, rules, known, now, folder, side)
        for side, rules in zip(("before", "after"), both, strict=True)
    }
    run_sql(con, "publishing/compared", **decided).query("_", "CREATE OR REPLACE TEMP TABLE compared_leads AS FROM _")
    compared = con.table("compared_leads")
    report: dict[str, Any] = {"leads_count": compared.aggregate("count(*)").fetchall()[0][0]}
    for name in REPORTS:
        report[name] = _rows(run_sql(con, f"publishing/{name}", compared=compared))[:MOST_MOVES]
    report["sla"] = _rows(run_sql(con, "publishing/sla", compared=compared))[0]
    mean = "round(avg(score_before), 2), round(avg(score_after), 2), count(*) FILTER (score_before <> score_after)"
    found = compared.aggregate(mean).fetchall()[0]
    return report | {"score": dict(zip(("mean_before", "mean_after", "changed"), found, strict=True))}


def _past_leads(con: DuckDBPyConnection, outside: Outside, last: int, folder: Path) -> DuckDBPyRelation | None:
    """The latest accepted leads, as if they had come as one batch; None if there are none."""
    paths, found = [], 0
    for batch in reversed(outside.lake.batches("enriched_leads")):
        rows = outside.lake.read(con, "enriched_leads", batch).aggregate("count(*)").fetchall()[0][0]
        if rows:
            paths.append(outside.lake.path("enriched_leads", batch))
            found += rows
        if found >= last:
            break
    if not paths:
        return None
    leads = con.read_parquet(paths, hive_partitioning=False)
    latest = leads.order("received_at DESC, lead_id").limit(last)
    numbered = latest.project("* REPLACE ('preview' AS batch_id, row_number() OVER () AS row_number)")
    return _kept(con, numbered, folder / "past.parquet")


def _decide(
    con: DuckDBPyConnection,
    past: DuckDBPyRelation,
    rules: RuleBook,
    known: Learnt,
    now: datetime,
    folder: Path,
    side: str,
) -> DuckDBPyRelation:
    scored = score_leads(
        con,
        past,
        rules.scoring,
        as_of=now,
        reliability=known.reliability,
        model=known.model,
        method_reason=known.method_reason,
    )
    scored = _kept(con, scored, folder / f"scored-{side}.parquet")
    classified = classify_leads(con, past, scored, rules.priorities, rules.territories)
    classified = _kept(con, classified, folder / f"classified-{side}.parquet")
    routed = route_leads(con, past, scored, classified, rules, RoutingSnapshot(), as_of=now)
    decided = run_sql(
        con,
        "publishing/decided",
        past=past,
        scored=scored,
        classified=classified,
        routed=_kept(con, routed.routed, folder / f"routed-{side}.parquet"),
        review=_kept(con, routed.review, folder / f"review-{side}.parquet"),
    )
    return _kept(con, decided, folder / f"decided-{side}.parquet")


def _kept(con: DuckDBPyConnection, relation: DuckDBPyRelation, file: Path) -> DuckDBPyRelation:
    relation.write_parquet(str(file), compression="snappy")
    return con.read_parquet(str(file))


def _rows(relation: DuckDBPyRelation) -> list[dict[str, Any]]:
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def _changed_lines(diff: list[str]) -> int:
    return sum(line[:1] in ("+", "-") and line[:3] not in ("+++", "---") for line in diff)
