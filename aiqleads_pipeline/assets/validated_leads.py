"""`validated_leads`, `rejected_leads`, `duplicate_leads`: what is wrong, what is known, what goes on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
from duckdb import DuckDBPyRelation

from aiqleads_pipeline.assets.batch_run import BatchRun, BatchRuns
from aiqleads_pipeline.assets.facts import counts_by, materialized
from aiqleads_pipeline.assets.specs import asset_spec, table_check_specs
from aiqleads_pipeline.contract import cast_projection
from aiqleads_pipeline.rules.sources import SourceRules
from aiqleads_pipeline.stages import identify, validate
from aiqleads_pipeline.stages.engine import open_beside
from resources.store import touches
from resources.store.identities import claim_identities

LARGE_ROWS = 100_000  # from here on the store takes long enough for something else to be done beside it
TABLES = ("validated_leads", "rejected_leads", "duplicate_leads")


@dg.multi_asset(
    specs=[asset_spec(name) for name in TABLES], check_specs=table_check_specs(*TABLES), name="validated_leads"
)
def validated_leads(
    context: dg.AssetExecutionContext, runs: dg.ResourceParam[BatchRuns]
) -> Iterator[dg.MaterializeResult]:
    """Validate every row, claim the identities of the good ones, and part the three ways."""
    with runs.step(context) as run:
        source = run.rules.sources.for_name(run.batch.source)
        raw = run.read("raw_leads")
        checked = run.spool(
            validate.check_leads(
                run.con,
                raw,
                default_country=source.default_country,
                currency=source.currency,
                policy=_policy(run, source),
                date_order=source.date_order,
                timezone=source.timezone,
                as_of=run.as_of,
            ),
            "checked",
        )
        run.forget_temporary_tables()  # what each part keeps is memory that the next one needs
        run.write(validate.list_rejections(run.con, raw, checked), "rejected_leads")
        likely = _recognise(run, checked)
        run.forget_temporary_tables()
        known = run.read("duplicate_leads")
        if likely is not None:
            run.outside.lake.publish(likely, "validated_leads", run.batch_id, guard=run.lease.check)
        else:
            run.write(validate.split_valid(run.con, checked, known), "validated_leads")
        touches.record_repeats(run.outside.store, run.lease, run.batch_id, known, run.as_of)
        for name, by in zip(TABLES, ("source_channel", "code", "matched_on"), strict=True):
            yield materialized(run, name, run.count(name), {f"by_{by}": counts_by(run.read(name), by)})


def _policy(run: BatchRun, source: SourceRules) -> validate.Policy:
    """What a door took in was checked strictly before it was told "accepted": here it is not refused any more."""
    return "lenient" if run.batch.channel == "api" else source.policy


def _recognise(run: BatchRun, checked: DuckDBPyRelation) -> Path | None:
    """Claim the batch's identities in the store and write `duplicate_leads`: who was there before.

    While the store thinks about many leads, half of the machine is idle: `validated_leads` is staged as if none of them
    was known to it. Returns that file if none was.
    """
    keys = run.spool(identify.identity_keys(run.con, checked.filter("len(violations) = 0")), "identity_keys")
    repeats = run.spool(identify.group_repeats(run.con, keys), "repeats")
    claims = run.spool(identify.claims(run.con, keys, repeats), "claims")  # sorted, which takes much memory, only here
    run.forget_temporary_tables()

    def stage_likely() -> Path:
        with open_beside(run.con) as con:
            rows, repeated = (con.read_parquet(str(run.spooled(name))) for name in ("checked", "repeats"))
            valid = validate.split_valid(con, rows, repeated).project(cast_projection("validated_leads"))
            staged = run.outside.lake.stage(valid, "validated_leads", run.batch_id)
        run.closing.callback(staged.unlink, missing_ok=True)
        return staged

    with ThreadPoolExecutor(1) as pool:
        is_large = run.outside.lake.is_local and run.count("raw_leads") >= LARGE_ROWS
        staging = pool.submit(stage_likely) if is_large else None
        held = claim_identities(run.outside.store, run.lease, claims)
        likely = staging.result() if staging else None
    run.write(identify.list_duplicates(run.con, checked, repeats, run.con.from_arrow(held)), "duplicate_leads")
    return likely if held.num_rows == 0 else None
