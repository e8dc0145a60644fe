"""Decides a few leads at once on a warm engine, for callers who wait: the job's very steps, their tables in memory.

Belongs here: one micro-batch from its drop to the commit of its routing. What is decided is pinned, the rules with it,
and counted in the store as by any run; tables, deliveries, checks and Dagster's events are left to the ordinary run
that follows, which decides the same. Killed anywhere, the batch is run by that one alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import UUID

import dagster as dg
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.assets.batch_run import BatchRun, interrupted_after
from aiqleads_pipeline.assets.classified_leads import classified_leads
from aiqleads_pipeline.assets.enriched_leads import enriched_leads
from aiqleads_pipeline.assets.raw_leads import raw_leads
from aiqleads_pipeline.assets.scored_leads import scored_leads
from aiqleads_pipeline.assets.validated_leads import validated_leads
from aiqleads_pipeline.automation.gathering import gather_awaited
from aiqleads_pipeline.contract import cast_projection
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.publishing.pinned import current_rules, pin_rules
from aiqleads_pipeline.stages import deliver
from aiqleads_pipeline.stages.engine import run_sql
from aiqleads_pipeline.stages.route import Routed, RoutingSnapshot, route_leads
from resources.store import drops, routing
from resources.store.leases import held, holder_name

STEPS: tuple[dg.AssetsDefinition, ...] = (raw_leads, validated_leads, enriched_leads, scored_leads, classified_leads)
HOLDER = "hot lane"
Decisions = dict[UUID, dict[str, Any]]


class RulesChanged(Exception):
    """Nobody could say later by which rules these leads were decided."""


class HotRun(BatchRun):
    """A batch whose tables live in the engine's memory."""

    tells_facts = False

    def read(self, table: str) -> DuckDBPyRelation:
        """A table of this batch."""
        return self.con.table(f"hot_{table}")

    def write(self, relation: DuckDBPyRelation, table: str) -> int:
        """Keep a table of this batch as its contract says; returns its rows."""
        return self._keep(relation.project(cast_projection(table)), f"hot_{table}")

    def spool(self, relation: DuckDBPyRelation, name: str) -> DuckDBPyRelation:
        """Compute a relation once."""
        self._keep(relation, f"hot_spooled_{name}")
        return self.con.table(f"hot_spooled_{name}")

    def forget_temporary_tables(self) -> None:
        """A few leads are in nobody's way."""

    def _keep(self, relation: DuckDBPyRelation, table: str) -> int:
        relation.query("_", f'CREATE OR REPLACE TEMP TABLE "{table}" AS FROM _')
        return int(self.con.table(table).aggregate("count(*)").fetchall()[0][0])


class _Context:
    """What the steps ask of Dagster: nothing but a place for their words."""

    def __init__(self, log: Any) -> None:
        self.log = log


class _Runs:
    """Gives the steps their batch."""

    def __init__(self, run: HotRun) -> None:
        self._run = run

    @contextmanager
    def step(self, _context: object) -> Iterator[HotRun]:
        self._run.lease.check()
        yield self._run


def decide_awaited(
    outside: Outside, con: DuckDBPyConnection, source: str, lead_ids: Sequence[UUID], log: Any
) -> Decisions:
    """Gather leads of a source that somebody waits for, decide them and commit their routing.

    Returns:
        By lead what was decided; nothing for leads that others gathered before.

    Raises:
        StoreUnavailable, LeaseLost, duckdb.Error, ...: nothing was decided; the batch, if there is one, waits again.
    """
    batch_id = gather_awaited(outside, source, lead_ids)
    if batch_id is None or not drops.request_batch(outside.store, batch_id, by=holder_name(HOLDER)):
        return {}
    try:
        return decide_batch(outside, con, batch_id, log)
    finally:
        drops.reopen(outside.store, batch_id, states=["requested", "running"])


def decide_batch(outside: Outside, con: DuckDBPyConnection, batch_id: str, log: Any) -> Decisions:
    """Decide a batch that this process asked for."""
    batch = drops.batch(outside.store, batch_id)
    settings = outside.settings
    with ExitStack() as closing:
        lease = closing.enter_context(
            held(outside.store, f"batch:{batch_id}", holder_name(HOLDER), settings.LEASE_SECONDS)
        )
        workdir = outside.workdir(f"{batch_id}-hot")
        closing.callback(shutil.rmtree, workdir, ignore_errors=True)
        closing.enter_context(interrupted_after(settings.pipeline.PROCESSING_TIMEOUT, con))
        run = HotRun(outside, batch, HOLDER, lease, con, workdir, current_rules(outside), closing)
        for step in STEPS:
            _call(step, _Context(log), _Runs(run))
        _commit_routing(run)
        return _decisions(run)


def _call(step: dg.AssetsDefinition, *arguments: object) -> None:
    function: Callable[..., Any] = step.op.compute_fn.decorated_fn  # type: ignore[union-attr]
    told = function(*arguments)
    if isinstance(told, Iterator):
        for _ in told:
            pass


def _commit_routing(run: HotRun) -> None:
    """As `routed_leads` does: from the pinned counters to the intents of delivery, in one transaction."""
    con, store = run.con, run.outside.store
    sha256 = run.counts["rules_sha256"]
    if sha256 is None:
        raise RulesChanged("the rules were edited while they were read: the ordinary run decides")
    enriched = run.read("enriched_leads")
    with store.transaction("store:route_leads", run.lease) as transaction:
        state = routing.load_snapshot(transaction, run.batch_id)
        domains = enriched.filter("company_domain IS NOT NULL").project("company_domain").distinct()
        accounts = con.from_arrow(routing.find_accounts(transaction, domains, state["seq"]))
        routed: Routed = route_leads(
            con,
            enriched,
            run.read("scored_leads"),
            run.read("classified_leads"),
            run.rules,
            RoutingSnapshot.of(state, accounts),
            as_of=run.as_of,
            auto_routing=run.settings.flags.enableAutoRouting,
        )
        pin_rules(transaction, run.batch_id, sha256)
        run.write(routed.routed, "routed_leads")
        run.spool(routed.review, "review")
        intents = deliver.list_intents(con, run.read("routed_leads"), run.rules.destinations.enabled)
        routing.commit_routing(
            transaction,
            run.batch_id,
            state["seq"],
            routed.loads,
            routed.accounts,
            con.table("hot_spooled_review"),
            *deliver.part_intents(con, intents),
        )


def _decisions(run: HotRun) -> Decisions:
    relation = run_sql(
        run.con,
        "doors/decided_leads",
        routed=run.read("routed_leads"),
        review=run.con.table("hot_spooled_review"),
        scored=run.read("scored_leads"),
        classified=run.read("classified_leads"),
    )
    names = relation.columns
    rows = [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
    return {row.pop("lead_id"): row for row in rows}
