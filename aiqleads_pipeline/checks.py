"""Asset checks, named as claims. Blocking ones stop what follows; warnings tell a person and go on.

Belongs here: what must be true of a table. A check over rows is a SELECT in ``sql/checks`` that must return no row;
the contract is checked by pandera. Each is evaluated by the step that wrote the table, on exactly that batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from aiqleads_pipeline.contract import TABLES, pandera_schema
from aiqleads_pipeline.stages import deliver
from aiqleads_pipeline.stages.engine import run_sql
from resources.store import alerts, drops, reviews

if TYPE_CHECKING:
    from aiqleads_pipeline.assets.batch_run import BatchRun

# Row groups of a large table that the contract is checked on (20,480 rows each); the cast on write holds all types.
CONTRACT_SAMPLE_GROUPS = 2


@dataclass(frozen=True)
class Verdict:
    """Whether the claim holds, and the facts that show it."""

    passed: bool
    facts: dict[str, Any]


@dataclass(frozen=True)
class Claim:
    """One check of one table."""

    table: str
    name: str
    description: str
    verify: Callable[[BatchRun], Verdict]
    blocking: bool = True


def check_specs(table: str) -> list[dg.AssetCheckSpec]:
    """The Dagster specs of a table's claims."""
    return [
        dg.AssetCheckSpec(claim.name, asset=table, description=claim.description, blocking=claim.blocking)
        for claim in CLAIMS
        if claim.table == table
    ]


def check_results(run: BatchRun, table: str) -> list[dg.AssetCheckResult]:
    """Verify a table's claims for the batch of a run; a broken one opens an alert, a healed one closes it."""
    return [_result(run, claim) for claim in CLAIMS if claim.table == table]


def _result(run: BatchRun, claim: Claim) -> dg.AssetCheckResult:
    verdict = claim.verify(run)
    severity = dg.AssetCheckSeverity.ERROR if claim.blocking else dg.AssetCheckSeverity.WARN
    subject = f"{run.batch_id}:{claim.name}"
    if verdict.passed:
        alerts.close_alert(run.outside.store, code="check_failed", subject=subject, now=run.settings.now())
    else:
        if claim.blocking:
            run.broken_claims.append(claim.name)
        alerts.raise_alert(
            run.outside.store,
            code="check_failed",
            subject=subject,
            severity="error" if claim.blocking else "warning",
            detail=f"{claim.table}: {claim.name}: {verdict.facts}",
            run_id=run.run_id,
            now=run.settings.now(),
        )
    return dg.AssetCheckResult(
        passed=verdict.passed,
        asset_key=claim.table,
        check_name=claim.name,
        severity=severity,
        metadata=verdict.facts,
    )


def _no_row(name: str, *tables: str) -> Callable[[BatchRun], Verdict]:
    """A claim that ``sql/checks/<name>.sql`` returns no row."""

    def verify(run: BatchRun) -> Verdict:
        inputs = {table: run.read(table) for table in tables}
        broken = run_sql(run.con, f"checks/{name}", **inputs).aggregate("count(*)").fetchall()[0][0]
        return Verdict(broken == 0, {"violations": broken})

    return verify


def _every_lead_is_accounted_for(run: BatchRun) -> Verdict:
    tables = ("raw_leads", "rejected_leads", "duplicate_leads", "routed_leads")
    in_review = run.con.from_arrow(reviews.leads_of_batch(run.outside.store, run.batch_id))
    rows = run_sql(
        run.con, "checks/every_lead_is_accounted_for", in_review=in_review, **{t: run.read(t) for t in tables}
    ).fetchall()
    return Verdict(not rows, {"leads_astray": len(rows), "examples": [str(row[0]) for row in rows[:5]]})


def _every_intent_is_in_the_outbox(run: BatchRun) -> Verdict:
    """Assigned leads have deliveries too, so that there may be more."""
    intents = deliver.list_intents(run.con, run.read("routed_leads"), run.rules.destinations.enabled)
    meant = dict(intents.aggregate("destination, count(*)", "destination").fetchall())
    kept = {
        destination: sum(
            count for state, count in run.delivery_counts.get(destination, {}).items() if state != "cancelled"
        )
        for destination in meant
    }
    return Verdict(all(kept[name] >= count for name, count in meant.items()), {"meant": meant, "in_the_outbox": kept})


def _meets_its_contract(table: str) -> Callable[[BatchRun], Verdict]:
    def verify(run: BatchRun) -> Verdict:
        from pandera.errors import SchemaErrors

        rows = run.count(table)
        frame = run.outside.lake.read_sample(table, run.batch_id, CONTRACT_SAMPLE_GROUPS).to_pandas()
        try:
            pandera_schema(table).validate(frame, lazy=True)
        except SchemaErrors as errors:
            # The failure cases hold values of leads: only column and rule are told.
            cases = errors.failure_cases[["column", "check"]].drop_duplicates().astype(str)
            return Verdict(False, {"checked_rows": len(frame), "broken": cases.to_dict("records")[:20]})
        return Verdict(True, {"checked_rows": len(frame), "rows": rows})

    return verify


def _share_is_usual(count_name: str, above: float) -> Callable[[BatchRun], Verdict]:
    """The share of a batch's rows is not far above what the source's earlier batches had."""

    def verify(run: BatchRun) -> Verdict:
        received = run.count("raw_leads")
        table = {"rejected": "rejected_leads", "duplicates": "duplicate_leads"}[count_name]
        found = run.read(table).aggregate("count(DISTINCT lead_id)").fetchall()[0][0]
        share = found / max(received, 1)
        history = drops.source_history(run.outside.store, run.batch.source, limit=20)
        past = [row.counts[count_name] / max(row.counts["received"], 1) for row in history if row.counts]
        usual = sum(past) / len(past) if past else 0.0
        limit = max(above, 3 * usual)
        return Verdict(share <= limit, {"share": share, "usual_share": usual, "limit": limit, "batches": len(past)})

    return verify


def _volume_is_usual(run: BatchRun) -> Verdict:
    history = drops.source_history(run.outside.store, run.batch.source, limit=20)
    past = sorted(row.counts["received"] for row in history if row.counts)
    received = run.count("raw_leads")
    if len(past) < 5:
        return Verdict(True, {"received": received, "batches": len(past), "note": "fewer than 5 batches to compare"})
    median = past[len(past) // 2]
    return Verdict(median / 10 <= received <= 10 * median, {"received": received, "usual": median})


def _scores_have_not_drifted(run: BatchRun) -> Verdict:
    mean, spread = run.read("scored_leads").aggregate("avg(lead_score), stddev_pop(lead_score)").fetchall()[0]
    history = drops.source_history(run.outside.store, run.batch.source, limit=20)
    past = [row.counts["mean_lead_score"] for row in history if row.counts.get("mean_lead_score") is not None]
    if mean is None or len(past) < 5:
        return Verdict(True, {"mean": mean, "batches": len(past), "note": "fewer than 5 batches to compare"})
    usual = sum(past) / len(past)
    return Verdict(abs(mean - usual) <= 15, {"mean": mean, "usual_mean": usual, "spread": spread})


LAKE_TABLES = tuple(name for name in TABLES if name not in ("review_queue", "deliveries"))

CLAIMS: tuple[Claim, ...] = (
    *(
        Claim(
            table,
            f"{table}_meets_its_contract",
            "Columns, nullability, ranges, legal values and keys are as the contract says (pandera)",
            _meets_its_contract(table),
        )
        for table in LAKE_TABLES
    ),
    Claim(
        "raw_leads",
        "lead_ids_are_unique",
        "No lead id occurs twice in the batch",
        _no_row("lead_ids_are_unique", "raw_leads"),
    ),
    Claim(
        "routed_leads",
        "every_lead_is_accounted_for",
        "The law of conservation: each row received is rejected, a duplicate, routed or in review; exactly one of them",
        _every_lead_is_accounted_for,
    ),
    Claim(
        "routed_leads",
        "every_intent_is_in_the_outbox",
        "The store holds a delivery for each routed lead and each destination it is meant for",
        _every_intent_is_in_the_outbox,
    ),
    Claim(
        "routed_leads",
        "every_route_is_explained",
        "Each routed lead names its rule, its method and the candidates that were considered",
        _no_row("every_route_is_explained", "routed_leads"),
    ),
    Claim(
        "scored_leads",
        "lead_score_is_the_sum_of_its_parts",
        "The points of the parts add up to the score",
        _no_row("lead_score_is_the_sum_of_its_parts", "scored_leads"),
    ),
    Claim(
        "rejected_leads",
        "reject_rate_is_usual",
        "The share of rejected rows is below 30 % or three times what the source usually has",
        _share_is_usual("rejected", 0.30),
        blocking=False,
    ),
    Claim(
        "duplicate_leads",
        "duplicate_rate_is_usual",
        "The share of repeated leads is below 50 % or three times what the source usually has",
        _share_is_usual("duplicates", 0.50),
        blocking=False,
    ),
    Claim(
        "raw_leads",
        "volume_is_usual",
        "The batch is within a tenth and ten times of what the source usually sends",
        _volume_is_usual,
        blocking=False,
    ),
    Claim(
        "scored_leads",
        "scores_have_not_drifted",
        "The mean score is within 15 points of the source's earlier batches",
        _scores_have_not_drifted,
        blocking=False,
    ),
)
