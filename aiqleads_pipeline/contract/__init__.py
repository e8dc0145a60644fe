"""The lead contract: every table's columns, types, units and rules. (Reason codes: ``reasons``.)

Belongs here: facts about the shape of data that two modules must agree on. Does not belong here: how a value is
computed (``stages``), where it is stored (``resources``), what a sales-ops person may edit (``data/rules``).
Casts on write, pandera schemas, Dagster column metadata and the docs all derive from ``TABLES``.
"""

from __future__ import annotations

from aiqleads_pipeline.contract.columns import DATE, FLAG, INT, JSON, REAL, TEXT, TEXTS, TIME, UUID, Column, Table
from aiqleads_pipeline.contract.enriched import ENRICHED_FIELDS, ENRICHED_LEADS, FILLED_LEAD_COLUMNS
from aiqleads_pipeline.contract.guards import cast_projection, pandera_schema
from aiqleads_pipeline.contract.incoming import DUPLICATE_LEADS, RAW_LEADS, REJECTED_LEADS, VALIDATED_LEADS
from aiqleads_pipeline.contract.judged import CLASSIFIED_LEADS, SCORED_LEADS
from aiqleads_pipeline.contract.lead import LEAD_COLUMN_NAMES, LEAD_COLUMNS, NAMED_BY, REACHABLE_BY
from aiqleads_pipeline.contract.register import STORE_TABLES, TABLES
from aiqleads_pipeline.contract.sent_on import DELIVERIES, REVIEW_QUEUE, ROUTED_LEADS
from aiqleads_pipeline.contract.vocabulary import (
    EMAIL_KINDS,
    EMAIL_STATUSES,
    EMPLOYEE_BANDS,
    FIT_PARTS,
    INTEREST_PARTS,
    JOB_FUNCTIONS,
    NAICS_SECTORS,
    PRIORITIES,
    QUALITY_PARTS,
    REVENUE_BANDS,
    SCORE_PARTS,
    SENIORITIES,
    SIZE_SEGMENTS,
    UNKNOWN_INDUSTRY,
)

__all__ = [
    "CLASSIFIED_LEADS",
    "DATE",
    "DELIVERIES",
    "DUPLICATE_LEADS",
    "EMAIL_KINDS",
    "EMAIL_STATUSES",
    "EMPLOYEE_BANDS",
    "ENRICHED_FIELDS",
    "ENRICHED_LEADS",
    "FILLED_LEAD_COLUMNS",
    "FIT_PARTS",
    "FLAG",
    "INT",
    "INTEREST_PARTS",
    "JOB_FUNCTIONS",
    "JSON",
    "LEAD_COLUMNS",
    "LEAD_COLUMN_NAMES",
    "NAICS_SECTORS",
    "NAMED_BY",
    "PRIORITIES",
    "QUALITY_PARTS",
    "RAW_LEADS",
    "REACHABLE_BY",
    "REAL",
    "REJECTED_LEADS",
    "REVENUE_BANDS",
    "REVIEW_QUEUE",
    "ROUTED_LEADS",
    "SCORED_LEADS",
    "SCORE_PARTS",
    "SENIORITIES",
    "SIZE_SEGMENTS",
    "STORE_TABLES",
    "TABLES",
    "TEXT",
    "TEXTS",
    "TIME",
    "UNKNOWN_INDUSTRY",
    "UUID",
    "VALIDATED_LEADS",
    "Column",
    "Table",
    "cast_projection",
    "pandera_schema",
]  # fmt: skip
