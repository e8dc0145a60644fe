"""What the conversion model may know of a lead, and how it becomes a matrix of numbers.

Belongs here: names, kinds and signs of the features; coding of categories. Does not belong here: how a feature is
read from a lead (``sql/stages/conversion/features.sql``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from aiqleads_pipeline.stages.engine import run_sql, set_variables

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]

# Number -> sign: 1 where more of it never makes a lead worse, -1 where it never makes it better, 0 where nobody knows.
NUMBERS: dict[str, int] = {
    "page_views_count": 1,
    "email_opens_count": 1,
    "form_submissions_count": 1,
    "activity_days": -1,
    "created_days": -1,
    "consent_days": 0,
    "employees_log": 0,
    "revenue_log": 0,
    "budget_log": 0,
    "message_length_log": 0,
    "is_consent": 0,
    "has_product_interest": 1,
    "has_phone": 1,
    "has_email": 0,
    "has_company_domain": 0,
    "has_linkedin": 0,
}
CATEGORIES: tuple[str, ...] = (
    "source", "source_channel", "lead_source", "campaign", "email_kind", "phone_type", "country", "industry_code",
    "job_seniority", "job_function",
)  # fmt: skip
FEATURES: tuple[str, ...] = (*NUMBERS, *CATEGORIES)
MOST_CATEGORIES = 30  # the most frequent ones; all others are unknown
LEAST_LEADS = 20  # a rarer category tells nothing


def feature_rows(con: DuckDBPyConnection, leads: DuckDBPyRelation, as_of: datetime | None) -> DuckDBPyRelation:
    """Lazy: ``lead_id, closed_at, result`` and one column per feature.

    Args:
        con: a connection of ``open_engine``.
        leads: ENRICHED_LEADS; for training with ``result`` and ``closed_at``.
        as_of: what ages are counted to; None for the day each lead was received, as it was scored then.
    """
    if "closed_at" not in leads.columns:
        leads = leads.project("*, NULL::TIMESTAMPTZ AS closed_at, NULL::VARCHAR AS result")
    set_variables(con, feature_as_of=as_of)
    return run_sql(con, "stages/conversion/features", feature_leads=leads)


def fit_categories(rows: pa.Table) -> dict[str, list[str]]:
    """The categories worth a code, by feature: frequent ones first, ties by name."""
    import pyarrow.compute as pc

    fitted = {}
    for name in CATEGORIES:
        counted = pc.value_counts(rows[name].combine_chunks().drop_null()).to_pylist()
        ranked = sorted(counted, key=lambda entry: (-entry["counts"], entry["values"]))
        fitted[name] = [e["values"] for e in ranked[:MOST_CATEGORIES] if e["counts"] >= LEAST_LEADS]
    return fitted


def matrix(rows: pa.Table | pa.RecordBatch, features: Sequence[str], categories: Mapping[str, Sequence[str]]) -> Matrix:
    """Rows x features, float32; NaN is what is not known, and a category that training did not see."""
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = np.empty((rows.num_rows, len(features)), dtype=np.float32)
    for i, name in enumerate(features):
        column = rows.column(name)
        if name in categories:
            column = pc.index_in(column, value_set=pa.array(categories[name], pa.string()), skip_nulls=True)
        filled[:, i] = column.cast(pa.float32()).to_numpy(zero_copy_only=False) if rows.num_rows else 0
    return filled
