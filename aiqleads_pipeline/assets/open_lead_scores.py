"""`open_lead_scores`: what open leads are worth now, as freshness decays and signals arrive."""

import dagster as dg

from aiqleads_pipeline.assets.batch_run import BatchRuns
from aiqleads_pipeline.assets.learnt_tables import conversion_model, source_reliability
from aiqleads_pipeline.assets.specs import OWNERS
from aiqleads_pipeline.rescoring import rescore


class Rescoring(dg.Config):
    """Which open leads: all of them, or only those that something was heard of since the last time."""

    only_signalled: bool = False


@dg.asset(
    group_name="learning",
    kinds={"duckdb", "parquet"},
    owners=OWNERS,
    deps=["routed_leads", conversion_model, source_reliability],
)
def open_lead_scores(config: Rescoring, runs: dg.ResourceParam[BatchRuns]) -> dg.MaterializeResult:
    """Scores of open leads as of now: freshness decays, touches and judgements arrive. One batch each time."""
    done = rescore(runs.outside, config.only_signalled)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": done.facts["leads_count"],
            "batch": done.batch_id or "nothing was heard of any open lead",
            "facts": dg.MetadataValue.json(done.facts),
        }
    )
