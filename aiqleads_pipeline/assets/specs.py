"""What Dagster shows of each table, derived from the contract: description, columns, lineage, group, owner.

Belongs here: the shape of assets. Does not belong here: what they do.
"""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from aiqleads_pipeline.checks import check_specs
from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES, SCORE_PARTS, STORE_TABLES, TABLES, Table

batches = dg.DynamicPartitionsDefinition(name="batches")
outcome_batches = dg.DynamicPartitionsDefinition(name="outcome_batches")

# Upstream tables, and the columns that a column is computed from where the names differ.
UPSTREAM: dict[str, tuple[str, ...]] = {
    "raw_leads": (),
    "validated_leads": ("raw_leads",),
    "rejected_leads": ("raw_leads",),
    "duplicate_leads": ("raw_leads",),
    "enriched_leads": ("validated_leads",),
    "scored_leads": ("enriched_leads", "duplicate_leads"),
    "classified_leads": ("enriched_leads", "scored_leads"),
    "routed_leads": ("enriched_leads", "scored_leads", "classified_leads"),
    "review_queue": ("enriched_leads", "scored_leads", "classified_leads"),
    "deliveries": ("enriched_leads", "scored_leads", "classified_leads"),
}
COMPUTED_FROM: dict[str, dict[str, tuple[str, ...]]] = {
    "validated_leads": {
        "email_domain": ("email",),
        "phone_e164": ("phone", "country"),
        "phone_extension": ("phone",),
        "full_name": ("full_name", "first_name", "last_name"),
        "region": ("region", "country"),
        "warnings": LEAD_COLUMN_NAMES,
    },
    "rejected_leads": {"code": ("email", "phone", "last_name", "full_name", "company_name"), "raw": LEAD_COLUMN_NAMES},
    "duplicate_leads": {
        "existing_lead_id": ("external_id", "email", "phone", "last_name", "full_name", "company_name"),
    },
    "enriched_leads": {
        "email_kind": ("email", "email_domain"),
        "phone_type": ("phone_e164",),
        "phone_country": ("phone_e164",),
        "time_zone": ("postal_code", "phone_e164", "country"),
        "county": ("postal_code", "country"),
        "latitude_deg": ("postal_code", "country"),
        "longitude_deg": ("postal_code", "country"),
        "country_name": ("country",),
        "region_name": ("region",),
        "company_domain": ("website", "email_domain"),
        "job_seniority": ("job_title",),
        "job_function": ("job_title",),
        "industry_code": ("industry", "company_name", "website"),
        "employee_band": ("employee_count",),
        "revenue_band": ("annual_revenue_usd",),
    },
    "scored_leads": {
        "completeness_score": LEAD_COLUMN_NAMES,
        "freshness_score": ("last_activity_at", "created_at", "consent_at", "received_at"),
        "source_reliability_score": ("source",),
        "engagement_score": ("page_views_count", "email_opens_count", "form_submissions_count", "last_activity_at"),
        "segment_fit_score": ("industry_code", "employee_band", "country", "job_seniority", "job_function"),
        "budget_fit_score": ("budget_usd",),
        "intent_score": ("message", "product_interest", "form_submissions_count"),
        "historical_score": ("source", "industry_code", "employee_band"),
    },
    "classified_leads": {
        "size_segment": ("employee_band", "revenue_band"),
        "priority": ("lead_score", "conversion_prob"),
        "territory": ("country", "region", "postal_code", "industry_code", "company_domain"),
    },
    "routed_leads": {
        "team": ("priority", "territory", "industry_code", "size_segment", "source", "country"),
        "owner": ("company_domain", "priority", "territory"),
        "sla_due_at": ("received_at", "priority"),
    },
}
GROUPS = {
    "raw_leads": "intake",
    "validated_leads": "validation",
    "rejected_leads": "validation",
    "duplicate_leads": "validation",
    "enriched_leads": "enrichment",
    "scored_leads": "scoring",
    "classified_leads": "classification",
    "routed_leads": "routing",
    "review_queue": "routing",
    "deliveries": "delivery",
}
OWNERS = ["team:sales-operations"]


def asset_spec(name: str) -> dg.AssetSpec:
    """The Dagster spec of one table of the contract, partitioned by batch."""
    table = TABLES[name]
    return dg.AssetSpec(
        name,
        deps=list(UPSTREAM[name]),
        description=f"{table.description}\n\nOne row per {table.grain}.",
        group_name=GROUPS[name],
        kinds={"postgres"} if name in STORE_TABLES else {"duckdb", "parquet"},
        owners=OWNERS,
        partitions_def=batches,
        metadata={"dagster/column_schema": column_schema(table), "dagster/column_lineage": column_lineage(name)},
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=7), warn_window=timedelta(days=2)),
    )


def column_schema(table: Table) -> dg.TableSchema:
    """The contract's columns as Dagster shows them."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                column.type,
                column.description,
                constraints=dg.TableColumnConstraints(nullable=not column.required, unique=table.key == (column.name,)),
                tags={"personal_data": ""} if column.personal else {},
            )
            for column in table.columns
        ]
    )


def column_lineage(name: str) -> dg.TableColumnLineage:
    """Which upstream columns each column comes from: the same name upstream, or what it is computed from."""
    computed = COMPUTED_FROM.get(name, {})
    if name == "scored_leads":
        computed = {**computed, **{f"{part}_points": computed.get(f"{part}_score", ()) for part in SCORE_PARTS}}
    found = {}
    for column in TABLES[name].column_names:
        sources = [
            dg.TableColumnDep(dg.AssetKey(upstream), source)
            for source in computed.get(column, (column,))
            for upstream in _nearest(name, source)
        ]
        if sources:
            found[column] = sources
    return dg.TableColumnLineage(found)


def _nearest(name: str, column: str) -> list[str]:
    return [upstream for upstream in UPSTREAM[name] if column in TABLES[upstream].column_names][:1]


def table_check_specs(*names: str) -> list[dg.AssetCheckSpec]:
    """The checks that the step of these tables evaluates itself."""
    return [spec for name in names for spec in check_specs(name)]
