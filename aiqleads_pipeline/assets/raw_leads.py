"""`raw_leads`: the drop as it was received."""

import dagster as dg

from aiqleads_pipeline.assets.batch_run import BatchRuns
from aiqleads_pipeline.assets.facts import mapping_table, materialized
from aiqleads_pipeline.assets.specs import asset_spec, table_check_specs
from aiqleads_pipeline.stages.reading import DropFile, read_drops
from resources.store import drops, uploads


@dg.multi_asset(specs=[asset_spec("raw_leads")], check_specs=table_check_specs("raw_leads"), name="raw_leads")
def raw_leads(context: dg.AssetExecutionContext, runs: dg.ResourceParam[BatchRuns]) -> dg.MaterializeResult:
    """Read the batch's drops, whatever their format, into text columns of the contract."""
    with runs.step(context) as run:
        drops.mark_running(run.outside.store, run.batch_id, run.run_id, lease=run.lease)
        files = [
            DropFile(run.outside.bucket.local_path(drop.archive_uri, run.workdir), drop.content_sha256, drop.name)
            for drop in drops.drops_of(run.outside.store, run.batch_id)
        ]
        source = run.rules.sources.for_name(run.batch.source)
        mapping = uploads.mapping_of(run.outside.store, run.batch_id)  # what the sender of the file said
        result = read_drops(
            run.con,
            files,
            source.model_copy(update={"columns": source.columns | mapping}),
            batch_id=run.batch_id,
            channel=run.batch.channel,
            received_at=run.as_of,
            settings=run.settings,
            workdir=run.workdir,
        )
        rows = run.write(result.relation, "raw_leads")
        return materialized(
            run,
            "raw_leads",
            rows,
            {
                "source": run.batch.source,
                "files": [file.name for file in files],
                "mapping": mapping_table(result.facts),
                "time_limit_seconds": run.time_limit_seconds,
            },
        )
