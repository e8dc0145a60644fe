"""Why a model gave a lead its probability: the facts that moved it most, in points of ``lead_score``.

Belongs here: splitting a model's log odds into what each feature added. Does not belong here: the words
(``sql/stages/score/conversion_reasons.sql``) and predicting (``stages.conversion``).

The conversion part is 100 x (1 / (1 + exp(-d))), where d is the log odds above the usual ones and 0 is worth 50. It is
split in proportion to what each feature adds to d, by the mean slope between 0 and d: so the parts add up, and stay
small where they cancel each other.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from aiqleads_pipeline.stages.conversion.features import feature_rows
from aiqleads_pipeline.stages.engine import run_sql

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

    from aiqleads_pipeline.stages.conversion import ConversionModel

Numbers = np.ndarray[Any, np.dtype[np.float64]]

EXACT_ROWS = 2_000  # exact shares of a feature cost 0.1 ms a lead, approximate ones a hundredth of it
BATCH_ROWS = 65_536
TOLD_FEATURES = 3


def conversion_reasons(
    con: DuckDBPyConnection,
    enriched: DuckDBPyRelation,
    scored: DuckDBPyRelation,
    model: ConversionModel,
    as_of: datetime,
) -> DuckDBPyRelation:
    """``lead_id, conversion_reasons`` (JSON list of feature, effect, text; their effects add up to the conversion
    part's) for each lead of ``enriched``; computed at once, except for the words.

    Args:
        enriched: ENRICHED_LEADS of the leads to explain.
        scored: SCORED_LEADS that holds those leads, scored by the model.
        as_of: what the leads were scored at.

    Raises:
        Exception: whatever a model that can't be explained raises; the scores don't depend on it.
    """
    answers = contributions(con, enriched, model, as_of)
    con.from_arrow(answers).create_view("contribution_answers", replace=True)
    con.execute("CREATE OR REPLACE TEMP TABLE contributions AS FROM contribution_answers")
    return run_sql(
        con,
        "stages/score/conversion_reasons",
        explained_leads=feature_rows(con, enriched, as_of),
        explained_scores=scored,
        explained_parts=con.table("contributions"),
    )


def contributions(
    con: DuckDBPyConnection, enriched: DuckDBPyRelation, model: ConversionModel, as_of: datetime
) -> pa.Table:
    """``lead_id``, the strongest features ``feature_1`` to ``_3``, their points of 100 ``share_1`` to ``_3``, and
    ``share_rest``."""
    import pyarrow as pa

    is_exact = enriched.aggregate("count(*)").fetchall()[0][0] <= EXACT_ROWS
    names = list(model.document["features"])
    wanted = ", ".join(f'"{name}"' for name in ("lead_id", *names))
    con.execute("SET arrow_lossless_conversion = true")
    tables = []
    try:
        for batch in feature_rows(con, enriched, as_of).project(wanted).to_arrow_reader(BATCH_ROWS):
            shares = shares_of(model, batch, is_exact)
            tables.append(_strongest(batch.column("lead_id"), names, shares))
    finally:
        con.execute("RESET arrow_lossless_conversion")
    if not tables:
        return _strongest(pa.array([], pa.uuid()), names, np.empty((0, len(names) + 1)))
    return pa.concat_tables(tables)


def shares_of(model: ConversionModel, rows: pa.Table | pa.RecordBatch, is_exact: bool) -> Numbers:
    """Rows x (features, then all that is no feature): points of 100 above or below the usual lead's 50."""
    added = model.added(rows, is_exact)
    usual = float(model.usual_prob)
    added[:, -1] -= np.log(usual / (1 - usual))
    above = np.clip(added.sum(axis=1), -60, 60)
    near = np.abs(above) < 1e-6
    safe = np.where(near, 1.0, above)
    slope = np.where(near, 0.25, (1 / (1 + np.exp(-safe)) - 0.5) / safe)
    shares: Numbers = added * (100 * slope)[:, None]
    return shares


def _strongest(lead_ids: Any, names: list[str], shares: Numbers) -> pa.Table:
    import pyarrow as pa

    count = min(TOLD_FEATURES, len(names))
    rows = np.arange(len(shares))[:, None]
    order = np.argsort(-np.abs(shares[:, :-1]), axis=1, kind="stable")[:, :count]
    chosen = shares[rows, order]
    columns: dict[str, Any] = {"lead_id": lead_ids}
    dictionary = pa.array(names, pa.string())
    for i in range(TOLD_FEATURES):
        known = i < count
        index = pa.array(order[:, i], pa.int32()) if known else pa.nulls(len(shares), pa.int32())
        columns[f"feature_{i + 1}"] = dictionary.take(index)
        columns[f"share_{i + 1}"] = chosen[:, i] if known else np.zeros(len(shares))
    columns["share_rest"] = shares.sum(axis=1) - chosen.sum(axis=1)
    return pa.table(columns)
