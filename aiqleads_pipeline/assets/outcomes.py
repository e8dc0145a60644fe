"""`outcomes`: how leads ended, from files dropped under ``uploads/outcomes/``, to the leads they speak of."""

import dagster as dg
import pyarrow as pa
from duckdb import DuckDBPyRelation

from aiqleads_pipeline.assets.batch_run import BatchRun, BatchRuns
from aiqleads_pipeline.assets.facts import counts_by, markdown_table
from aiqleads_pipeline.assets.specs import OWNERS, outcome_batches
from aiqleads_pipeline.stages.conversion.outcomes import NoOutcomes, meaning_of_outcome, parse_outcomes
from aiqleads_pipeline.stages.engine import run_sql
from aiqleads_pipeline.stages.identify import identity_keys
from aiqleads_pipeline.stages.reading import DropFile, DropRefused, read_table
from aiqleads_pipeline.tables import all_batches
from resources.store import alerts, drops
from resources.store.identities import find_leads
from resources.store.outcomes import record_outcomes

OUTCOMES_SOURCE = "outcomes"


@dg.asset(
    partitions_def=outcome_batches,
    group_name="learning",
    kinds={"postgres"},
    owners=OWNERS,
    deps=["routed_leads"],
    description="How leads ended: won, lost or returned, when, and what they brought. The last word counts.",
)
def outcomes(context: dg.AssetExecutionContext, runs: dg.ResourceParam[BatchRuns]) -> dg.MaterializeResult:
    """Read an outcomes file, find its leads in the identity index, record how they ended, close their owners' loads."""
    with runs.step(context) as run:
        store = run.outside.store
        drops.mark_running(store, run.batch_id, run.run_id, lease=run.lease)
        (drop,) = drops.drops_of(store, run.batch_id)
        path = run.outside.bucket.local_path(drop.archive_uri, run.workdir)
        file = DropFile(path, drop.content_sha256, drop.name)
        table = read_table(run.con, file, run.settings, run.workdir, knows=meaning_of_outcome)
        try:
            parsed = parse_outcomes(run.con, table.relation, table.headers, as_of=run.as_of)
        except NoOutcomes as error:
            raise DropRefused(error.code, str(error)) from None
        of_leads = _outcomes_of_leads(run, parsed.accepted)
        recorded = record_outcomes(store, of_leads, run.batch_id, lease=run.lease)
        problems = parsed.problems.filter("is_rejected").aggregate("count(DISTINCT row_number)").fetchall()[0][0]
        counts = {"received": table.rows, "rejected": problems, "outcomes": recorded}
        facts = {**counts, "seconds": round(run.elapsed_seconds, 3)}
        drops.mark_finished(store, run.batch_id, facts, lease=run.lease, now=run.settings.now())
        alerts.close_alert(store, code="drop_quarantined", subject=run.batch_id, now=run.settings.now())
        mapping = markdown_table(("meaning", "header"), list(parsed.mapping.items()))
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": recorded,
                "rows_without_a_known_lead": max(table.rows - problems - recorded, 0),
                "by_result": counts_by(of_leads, "result"),
                "problems_by_code": counts_by(parsed.problems, "code"),
                "mapping": dg.MetadataValue.md(mapping),
                **counts,
            }
        )


def _outcomes_of_leads(run: BatchRun, accepted: DuckDBPyRelation) -> DuckDBPyRelation:
    """``lead_id, result, closed_at, revenue_usd, owner`` of the leads that are known."""
    names = [source for source, *_ in drops.source_totals(run.outside.store)]
    sources = run.con.from_arrow(pa.table({"source": pa.array(names, pa.string())}))
    references = run_sql(run.con, "marts/outcome_references", outcomes=accepted, sources=sources)
    keys = run.spool(identity_keys(run.con, references), "outcome_keys")
    with run.outside.store.read() as con:
        found = run.con.from_arrow(find_leads(con, keys.project("key").to_arrow_table()["key"]))
    routed = all_batches(run.con, run.outside, "routed_leads")
    relation = run_sql(run.con, "marts/outcomes_of_leads", outcomes=accepted, keys=keys, found=found, routed=routed)
    return run.spool(relation, "outcomes_of_leads")
