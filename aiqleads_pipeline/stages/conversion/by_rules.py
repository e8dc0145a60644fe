"""What the scoring rules would have said of closed leads: the baseline that a model must beat.

Belongs here: scoring each closed lead by rules as on the day it was received. Does not belong here: the rules' own
arithmetic (``stages.score``) and the comparison (``stages.learning``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from aiqleads_pipeline.stages.engine import run_sql, set_variables
from aiqleads_pipeline.stages.learning.types import Numbers
from aiqleads_pipeline.stages.score import score_leads, source_reliability

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

    from aiqleads_pipeline.rules.scoring import ScoringRules

AS_OF = datetime(2000, 1, 1, tzinfo=UTC)  # all dates are moved to it: only ages count
NO_HISTORY = "SELECT NULL::VARCHAR AS source, NULL::BIGINT AS received_count, NULL::BIGINT AS rejected_count LIMIT 0"


def rules_probabilities(
    con: DuckDBPyConnection, closed: DuckDBPyRelation, lead_ids: pa.ChunkedArray, rules: ScoringRules, border: int
) -> Numbers:
    """The probability by rules of each of ``lead_ids``, in their order.

    What became of each source's leads before ``border`` is known to the rules for the leads from there on, as it would
    have been; the leads before it are scored without any history, so that none is scored by its own outcome.

    Args:
        con: a connection of ``open_engine``.
        closed: ENRICHED_LEADS of closed leads with ``result`` and ``closed_at``.
        lead_ids: which of them, in the order they were closed.
        rules: of ``load_scoring``.
        border: the first row of ``lead_ids`` that models of the earlier ones are judged on.
    """
    import pyarrow as pa

    places = con.from_arrow(pa.table({"lead_id": lead_ids, "place": np.arange(len(lead_ids))}))
    places = places.project("lead_id::UUID AS lead_id, place")
    set_variables(con, ruled_as_of=AS_OF)
    moved = run_sql(con, "stages/conversion/as_received", ruled_leads=closed, ruled_places=places)
    moved.query("_", "CREATE OR REPLACE TEMP TABLE ruled_as_received AS FROM _")
    leads = con.table("ruled_as_received")
    early, late = leads.filter(f"place < {border:d}"), leads.filter(f"place >= {border:d}")
    learnt = source_reliability(con, con.sql(NO_HISTORY), early, rules)
    answers: Numbers = np.full(len(lead_ids), np.nan)
    for part, reliability in ((early, None), (late, learnt)):
        scored = score_leads(
            con, part, rules, as_of=AS_OF, reliability=reliability, method_reason="no_model: the baseline of a training"
        )
        found = scored.project("lead_id, conversion_prob").join(places, "lead_id").project("place, conversion_prob")
        told = found.fetchnumpy()
        answers[told["place"]] = told["conversion_prob"]
    con.execute("DROP TABLE ruled_as_received")
    return answers
