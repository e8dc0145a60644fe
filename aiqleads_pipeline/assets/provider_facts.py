"""The hook between `enriched_leads` and providers: nobody is asked unless `enrichment.yaml` says so, and no failure of
theirs holds a batch up.

Belongs here: Dagster's side: warnings, alerts, what is told of each kind. Asking is in ``enriching``.
"""

from __future__ import annotations

from typing import Any

import dagster as dg
import duckdb
from duckdb import DuckDBPyRelation

from aiqleads_pipeline.assets.batch_run import BatchRun, redact
from aiqleads_pipeline.contract import cast_projection
from aiqleads_pipeline.enriching.batches import Asked, facts_of_batch
from aiqleads_pipeline.enriching.desk import open_desk
from aiqleads_pipeline.enriching.reporting import kinds_metadata, raise_alerts
from aiqleads_pipeline.rules.enrichment import EnrichmentRules, is_plainly_off, load_enrichment
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.stages.enrich_by_providers import lay_over
from resources.store.alerts import close_alert, raise_alert
from resources.store.errors import LeaseLost, StoreError

# What may not be taken for a provider's failure: the batch's own lease, time limit and database.
_OURS = (LeaseLost, StoreError, duckdb.InterruptException)

_FAULTY = ("enrichment_rules_faulty", "enrichment.yaml")


def enriched_by_providers(
    context: dg.AssetExecutionContext, run: BatchRun, local: DuckDBPyRelation
) -> tuple[DuckDBPyRelation, dict[str, Any]]:
    """`enriched_leads` with what providers say, and metadata; ``local`` itself while no provider is enabled."""
    if is_plainly_off(run.settings.rules_dir):
        close_alert(run.outside.store, *_FAULTY, run.settings.now())
        return local, {}
    try:
        rules = load_enrichment(run.settings.rules_dir)
    except RulesError as error:
        context.log.warning(f"enrichment.yaml has faults; no provider is asked: {error}")
        raise_alert(
            run.outside.store, *_FAULTY, "warning", "; ".join(str(error).splitlines()), run.run_id, run.settings.now()
        )
        return _degraded(local), {"enrichment_rules": str(error)}
    close_alert(run.outside.store, *_FAULTY, run.settings.now())
    if not (run.settings.flags.enableEnrichment and rules.wanted_fields):
        return local, {}
    kept = run.spool(local, "enriched_locally")
    try:
        return _ask(context, run, kept, rules)
    except _OURS:
        raise
    except Exception as error:
        detail = redact(error)
        context.log.warning(f"enrichment by providers failed; leads go on without it: {detail}")
        return _degraded(kept), {"provider_failure": detail}


def _ask(
    context: dg.AssetExecutionContext, run: BatchRun, kept: DuckDBPyRelation, rules: EnrichmentRules
) -> tuple[DuckDBPyRelation, dict[str, Any]]:
    desk = open_desk(rules, run.settings, run.outside.store)
    try:
        left = max(run.time_limit_seconds - run.elapsed_seconds, 0.0)
        seconds = rules.content.time_share * left
        facts, asked = facts_of_batch(run.outside, run.con, desk, kept, run.batch_id, run.lease, seconds)
        _tell(context, run, asked)
        raise_alerts(desk, run.run_id)
    finally:
        desk.close()
    for kind, metadata in kinds_metadata(desk).items():
        context.log_event(
            dg.AssetMaterialization(f"{kind}_enrichment", metadata={**metadata, "batch_id": run.batch_id})
        )
    told = {"provider_facts": asked.facts_count, "providers": dg.MetadataValue.json(asked.providers)}
    return lay_over(run.con, kept, facts), {**told, "provider_gaps": dg.MetadataValue.json(asked.gaps)}


def _tell(context: dg.AssetExecutionContext, run: BatchRun, asked: Asked) -> None:
    if asked.leads_lacking_count:
        context.log.warning(
            f"{asked.leads_lacking_count:,} leads of batch {run.batch_id} went on with less: {asked.gaps}; they are "
            "completed later"
        )


def _degraded(local: DuckDBPyRelation) -> DuckDBPyRelation:
    lacking = local.project(
        "* REPLACE (list_append(degraded, 'enrichment_failed') AS degraded, "
        "CASE WHEN enrichment_status = 'complete' THEN 'partial' ELSE enrichment_status END AS enrichment_status)"
    )
    return lacking.project(cast_projection("enriched_leads"))
