"""`validated_leads`, `rejected_leads`, `duplicate_leads`: what is wrong, what is known, what goes on."""

from collections.abc import Iterator

import dagster as dg

from aiqleads_pipeline.assets.batch_run import BatchRun, BatchRuns
from aiqleads_pipeline.assets.facts import counts_by, materialized
from aiqleads_pipeline.assets.specs import asset_spec, table_check_specs
from aiqleads_pipeline.rules.sources import SourceRules
from aiqleads_pipeline.stages import identify, validate
from resources.store import touches
from resources.store.identities import claim_identities

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
        run.write(_recognise(run, checked), "duplicate_leads")
        run.forget_temporary_tables()
        known = run.read("duplicate_leads")
        run.write(validate.split_valid(run.con, checked, known), "validated_leads")
        touches.record_repeats(run.outside.store, run.lease, run.batch_id, known, run.as_of)
        for name, by in zip(TABLES, ("source_channel", "code", "matched_on"), strict=True):
            yield materialized(run, name, run.count(name), {f"by_{by}": counts_by(run.read(name), by)})


def _policy(run: BatchRun, source: SourceRules) -> validate.Policy:
    """What a door took in was checked strictly before it was told "accepted": here it is not refused any more."""
    return "lenient" if run.batch.channel == "api" else source.policy


def _recognise(run: BatchRun, checked):  # type: ignore[no-untyped-def]
    """Claim the batch's identities in the store; the relation of those who were there before."""
    keys = identify.identity_keys(run.con, checked.filter("len(violations) = 0"))
    groups = identify.group_repeats(run.con, keys)
    held = claim_identities(run.outside.store, run.lease, identify.claims(run.con, keys, groups))
    return identify.list_duplicates(run.con, checked, groups, run.con.from_arrow(held))
