"""`routed_leads`, `review_queue`, `deliveries`: who gets the lead, committed in one transaction with its deliveries."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any

import dagster as dg
from duckdb import DuckDBPyRelation

from aiqleads_pipeline.assets.batch_run import BatchRun, BatchRuns, redact
from aiqleads_pipeline.assets.facts import counts_by, funnel_picture, materialized
from aiqleads_pipeline.assets.fallbacks import require_own_fault
from aiqleads_pipeline.assets.specs import asset_spec, table_check_specs
from aiqleads_pipeline.rules.destinations import Destination
from aiqleads_pipeline.stages import deliver
from aiqleads_pipeline.stages.engine import open_beside, run_sql
from aiqleads_pipeline.stages.route import RoutingSnapshot, route_leads, send_all_to_review
from resources import files
from resources.store import alerts, deliveries, drops, reviews, routing

TABLES = ("routed_leads", "review_queue", "deliveries")
DECIDED_FROM = ("enriched_leads", "scored_leads", "classified_leads")

Staged = list[tuple[str, Future[files.StagedFile]]]  # by destination


@dg.multi_asset(
    specs=[asset_spec(name) for name in TABLES], check_specs=table_check_specs("routed_leads"), name="routed_leads"
)
def routed_leads(
    context: dg.AssetExecutionContext, runs: dg.ResourceParam[BatchRuns]
) -> Iterator[dg.MaterializeResult]:
    """Route, commit to the store, publish to the lake, deliver to files, close the batch."""
    with runs.step(context) as run, ExitStack() as leaving:
        in_review, staged = _decide(run, leaving)
        for destination, file in staged:
            files.deliver_batch(
                run.outside.store, file.result(), destination, run.batch_id, run.settings.now(), run.lease
            )
        sent = run.delivery_counts = deliveries.count_batch(run.outside.store, run.batch_id)
        counts = _count(run, in_review, sent)
        table = run.read("routed_leads")
        funnel = {name: counts[name] for name in ("received", "accepted", "routed", "in_review")}
        yield materialized(
            run,
            "routed_leads",
            counts["routed"],
            {
                "funnel": funnel_picture(funnel),
                "by_team": counts_by(table, "team"),
                "by_owner": counts_by(table, "owner"),
                "by_rule": counts_by(table, "rule_id"),
                **{name: count for name, count in counts.items() if isinstance(count, int)},
            },
        )
        yield dg.MaterializeResult(asset_key="review_queue", metadata={"dagster/row_count": in_review})
        yield dg.MaterializeResult(
            asset_key="deliveries",
            metadata={
                "dagster/row_count": sum(sum(states.values()) for states in sent.values()),
                "by_destination": dg.MetadataValue.json(sent),
            },
        )
        _finish(run, counts)


def _decide(run: BatchRun, leaving: ExitStack) -> tuple[int, Staged]:
    """One transaction from the counters to the intents of delivery; then the table becomes visible in the lake.

    Beside it, as soon as all is decided, the files of destinations are written, for nobody to see yet. Killed between
    commit and publishing, the next run reads the pinned counters, decides the same, and publishes it.
    """
    con, store = run.con, run.outside.store
    enriched, scored, classified = _unsettled(run), run.read("scored_leads"), run.read("classified_leads")
    with store.transaction("store:route_leads", run.lease) as transaction:
        state = routing.load_snapshot(transaction, run.batch_id)
        domains = enriched.filter("company_domain IS NOT NULL").project("company_domain").distinct()
        accounts = con.from_arrow(routing.find_accounts(transaction, domains, state["seq"]))
        failure = ""
        try:
            routed = route_leads(
                con,
                enriched,
                scored,
                classified,
                run.rules,
                RoutingSnapshot.of(state, accounts),
                as_of=run.as_of,
                auto_routing=run.settings.flags.enableAutoRouting,
            )
            decided = run.spool(routed.routed, "routed")
        except Exception as error:
            require_own_fault(run, error)
            failure = redact(error)
            routed = send_all_to_review(con, enriched, classified, as_of=run.as_of)
            decided = run.spool(routed.routed, "routed")
        staged = _stage_files(run, leaving)
        intents = deliver.list_intents(con, decided, run.rules.destinations.enabled)
        routing.commit_routing(
            transaction,
            run.batch_id,
            state["seq"],
            routed.loads,
            routed.accounts,
            routed.review,
            *deliver.part_intents(con, intents),
        )
        in_review = int(routed.review.aggregate("count(*)").fetchall()[0][0])
    run.write(decided, "routed_leads")
    _tell_failure(run, failure)
    return in_review, staged


def _tell_failure(run: BatchRun, failure: str) -> None:
    """The administrators know when leads wait because routing failed."""
    store, now = run.outside.store, run.settings.now()
    if not failure:
        alerts.close_alert(store, code="routing_failed", subject=run.batch_id, now=now)
        return
    dg.get_dagster_logger().error(f"routing failed, all leads wait in review: {failure}")
    alerts.raise_alert(store, "routing_failed", run.batch_id, "error", failure, run.run_id, now)


def _stage_files(run: BatchRun, leaving: ExitStack) -> Staged:
    """Begin to write what was decided to the files of destinations that take a batch as one, in a thread."""
    pool = leaving.enter_context(ThreadPoolExecutor(1))

    def stage(destination: Destination) -> files.StagedFile:
        with open_beside(run.con) as con:
            read = partial(run.outside.lake.read, con, batch_id=run.batch_id)
            decided = con.read_parquet(str(run.spooled("routed")))
            enriched, scored, classified = (read(table) for table in DECIDED_FROM)
            lines = deliver.list_lines_in_slices(con, decided, enriched, scored, classified, destination)
            file = files.stage_batch(lines, destination.folder_in(run.settings.home), run.batch_id)
        leaving.callback(file.discard)
        return file

    return [(each.name, pool.submit(stage, each)) for each in run.rules.destinations.enabled if each.goes_by_batch]


def _unsettled(run: BatchRun) -> DuckDBPyRelation:
    """The leads to route: on a repeated run without those a person assigned meanwhile, whose decision stays."""
    enriched = run.read("enriched_leads")
    reviewed = run.con.from_arrow(reviews.leads_of_batch(run.outside.store, run.batch_id))
    settled = reviewed.filter("resolved_at IS NOT NULL")
    if not settled.limit(1).fetchall():
        return enriched
    return run.spool(run_sql(run.con, "marts/unsettled_leads", enriched_leads=enriched, settled=settled), "unsettled")


def _count(run: BatchRun, in_review: int, sent: dict[str, dict[str, int]]) -> dict[str, Any]:
    rejected = run.read("rejected_leads").aggregate("count(DISTINCT lead_id)").fetchall()[0][0]
    routed = run.count("routed_leads")
    return {
        "received": run.count("raw_leads"),
        "rejected": rejected,
        "duplicates": run.count("duplicate_leads"),
        "accepted": run.count("validated_leads"),
        "routed": routed,
        "in_review": in_review,
        "delivered_pending": sum(states.get("pending", 0) + states.get("in_flight", 0) for states in sent.values()),
        **run.counts,
    }


def _finish(run: BatchRun, counts: dict[str, Any]) -> None:
    if run.broken_claims:
        return
    store, now = run.outside.store, run.settings.now()
    run.note_seconds("routed_leads")
    facts = {**counts, "seconds": round(run.elapsed_seconds, 3), "step_seconds": run.step_seconds}
    drops.mark_finished(store, run.batch_id, facts, lease=run.lease, now=now)
    for code in ("run_failed", "run_reaped", "drop_quarantined"):
        alerts.close_alert(store, code=code, subject=run.batch_id, now=now)
