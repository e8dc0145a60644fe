"""`audit`: a weekly Great Expectations audit of how the pipeline has been working, with HTML Data Docs.

Belongs here: expectations about operations over time (batches, queues, waiting). Does not belong here: what each row
must be; pandera checks that on every batch from the contract.
"""

import logging
import os
from typing import Any

import dagster as dg
import pandas as pd

from aiqleads_pipeline.assets.batch_run import BatchRuns
from aiqleads_pipeline.assets.specs import OWNERS
from resources.store.database import Store, statement

LONGEST_WAIT_HOURS = 24
LONGEST_REVIEW_DAYS = 14


@dg.asset(
    group_name="operations",
    kinds={"postgres", "greatexpectations"},
    owners=OWNERS,
    deps=["routed_leads", "review_queue", "deliveries"],
    check_specs=[
        dg.AssetCheckSpec(
            "every_expectation_is_met", asset="audit", description="The Great Expectations audit found nothing"
        )
    ],
)
def audit(runs: dg.ResourceParam[BatchRuns]) -> dg.MaterializeResult:
    """Run the expectations on the store and write the Data Docs under the home."""
    outside = runs.outside
    folder = outside.settings.home / "audit"
    folder.mkdir(parents=True, exist_ok=True)
    frames = {name: _frame(outside.store, f"audit_{name}") for name in ("batches", "deliveries", "reviews")}
    statistics = run_audit(str(folder), frames)
    broken = sum(each["unsuccessful_expectations"] for each in statistics.values())
    return dg.MaterializeResult(
        metadata={
            "data_docs": dg.MetadataValue.path(f"{folder}/gx/uncommitted/data_docs/local_site/index.html"),
            "expectations": sum(each["evaluated_expectations"] for each in statistics.values()),
            "broken": broken,
            "statistics": dg.MetadataValue.json(statistics),
        },
        check_results=[
            dg.AssetCheckResult(
                passed=broken == 0,
                check_name="every_expectation_is_met",
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"broken": broken},
            )
        ],
    )


def run_audit(folder: str, frames: dict[str, pd.DataFrame]) -> dict[str, dict[str, Any]]:
    """Validate the frames by name; returns the statistics of each and writes the Data Docs under ``folder``.

    Great Expectations takes seconds and 230 MB to import: nothing else of the pipeline pays for it.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    context = gx.get_context(mode="file", project_root_dir=folder)
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    source = context.data_sources.add_or_update_pandas("store")
    statistics = {}
    for name, expectations in _expectations().items():
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
        suite = context.suites.add_or_update(gx.ExpectationSuite(name, expectations=expectations))
        validation = context.validation_definitions.add_or_update(
            gx.ValidationDefinition(name=name, data=batch, suite=suite)
        )
        docs = gx.checkpoint.UpdateDataDocsAction(name="data_docs")
        checkpoint = context.checkpoints.add_or_update(
            gx.Checkpoint(name=name, validation_definitions=[validation], actions=[docs])
        )
        result = checkpoint.run(batch_parameters={"dataframe": frames[name]})
        statistics[name] = dict(next(iter(result.run_results.values()))["statistics"])
    return statistics


def _expectations() -> dict[str, list[Any]]:
    from great_expectations import expectations as expect

    return {
        "batches": [
            expect.ExpectColumnValuesToBeUnique(column="batch_id"),
            expect.ExpectColumnValuesToBeBetween(
                column="astray_count",
                min_value=0,
                max_value=0,
                row_condition='state=="done"',
                condition_parser="pandas",
            ),
            expect.ExpectColumnValuesToBeBetween(
                column="review_gap_count",
                min_value=0,
                max_value=0,
                row_condition='state=="done"',
                condition_parser="pandas",
            ),
            expect.ExpectColumnValuesToBeBetween(
                column="age_hours",
                max_value=LONGEST_WAIT_HOURS,
                row_condition='state not in ["done", "quarantined"]',
                condition_parser="pandas",
            ),
        ],
        "deliveries": [
            expect.ExpectColumnValuesToBeBetween(column="dead_count", max_value=0),
            expect.ExpectColumnValuesToBeBetween(column="oldest_hours", max_value=LONGEST_WAIT_HOURS, mostly=0.9),
        ],
        "reviews": [
            expect.ExpectColumnValuesToBeBetween(column="waiting_days", max_value=LONGEST_REVIEW_DAYS, mostly=0.95)
        ],
    }


def _frame(store: Store, name: str) -> pd.DataFrame:
    with store.read() as con:
        result = con.execute(statement(name))
        names = list(result.keys())
        return pd.DataFrame([tuple(row) for row in result], columns=names).astype(
            {column: float for column in names if column.endswith(("_hours", "_count", "_days"))}
        )
