"""`score_drift`: whether leads, scores and probabilities still are what they were: a warning, an alert, a rung down."""

import base64

import dagster as dg
from duckdb import DuckDBPyConnection

from aiqleads_pipeline.assets.batch_run import BatchRuns
from aiqleads_pipeline.assets.facts import markdown_table
from aiqleads_pipeline.assets.specs import OWNERS
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.stages.drift import ALERT, USUAL, Drift, calibration_drift, feature_drifts
from aiqleads_pipeline.stages.engine import open_engine, run_sql, set_variables
from aiqleads_pipeline.tables import all_batches, store_relation
from resources.store import alerts, drift

WINDOW_DAYS, REFERENCE_DAYS, OUTCOME_DAYS = 7, 97, 30
CHECKS = {
    "features_are_stable": "What leads are like has not moved: population stability of each feature below 0.25",
    "scores_are_stable": "The distribution of the score has not moved: population stability below 0.25",
    "probabilities_hold": "As many leads are won as was foretold when they came",
}
OUTCOME_COLUMNS = {"lead_id": "UUID", "result": "VARCHAR", "closed_at": "TIMESTAMPTZ"}


@dg.asset(
    group_name="learning",
    kinds={"duckdb"},
    owners=OWNERS,
    deps=["scored_leads", "outcomes"],
    check_specs=[dg.AssetCheckSpec(name, asset="score_drift", description=what) for name, what in CHECKS.items()],
)
def score_drift(runs: dg.ResourceParam[BatchRuns]) -> dg.MaterializeResult:
    """The last week's leads against the three months before; the last month's outcomes against what was foretold."""
    outside = runs.outside
    with open_engine(outside.settings) as con:
        outside.lake.attach(con)
        found, bands = measure(con, outside)
    for each in found:
        _tell(outside, each)
    features = [each for each in found if each.subject.startswith("feature:")]
    score = [each for each in found if each.subject == "score"]
    calibration = [each for each in found if each.subject == "calibration"]
    rows = [(each.subject, each.level, each.value, each.detail) for each in found]
    table = markdown_table(("what", "level", "value", "detail"), rows)
    metadata = {
        "drift": dg.MetadataValue.md(table),
        "stability": picture({d.subject.removeprefix("feature:"): d.value for d in (*score, *features)}),
        "calibration": picture(
            {
                f"{band['band'] * 10} % {side}": band[name] / band["leads_count"]
                for band in bands
                for side, name in (("foretold", "expected_count"), ("won", "won_count"))
            }
        ),
    }
    checks = (("features_are_stable", features), ("scores_are_stable", score), ("probabilities_hold", calibration))
    return dg.MaterializeResult(metadata=metadata, check_results=[_check(name, drifts) for name, drifts in checks])


def measure(con: DuckDBPyConnection, outside: Outside) -> tuple[list[Drift], list[dict[str, float]]]:
    """Every drift there may be, and the bands of the calibration."""
    set_variables(
        con,
        drift_now=outside.settings.now(),
        drift_window_days=WINDOW_DAYS,
        drift_reference_days=REFERENCE_DAYS,
        drift_outcome_days=OUTCOME_DAYS,
    )
    scored = all_batches(con, outside, "scored_leads")
    enriched = all_batches(con, outside, "enriched_leads")
    leads = run_sql(con, "marts/drift_leads", enriched_leads=enriched, scored_leads=scored)
    outcomes = store_relation(con, outside, "outcomes", OUTCOME_COLUMNS)
    foretold = run_sql(con, "marts/foretold", scored_leads=scored, outcomes=outcomes)
    calibration, bands = calibration_drift(con, foretold)
    return [calibration, *feature_drifts(con, leads)], bands


def picture(values: dict[str, float]) -> dg.MarkdownMetadataValue:
    """Named numbers from 0 on as lying bars (SVG in Markdown)."""
    top = max([*values.values(), 1e-9])
    bars = [
        f'<rect x="170" y="{8 + 22 * i}" width="{max(340 * value / top, 0):.1f}" height="15" fill="#4f46e5"/>'
        f'<text x="162" y="{20 + 22 * i}" text-anchor="end">{_text(name)}</text>'
        f'<text x="{176 + max(340 * value / top, 0):.1f}" y="{20 + 22 * i}">{value:,.3g}</text>'
        for i, (name, value) in enumerate(values.items())
    ]
    size = f'width="620" height="{16 + 22 * max(len(values), 1)}"'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">{"".join(bars)}</svg>'
    )
    return dg.MetadataValue.md(f"![picture](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})")


def _tell(outside: Outside, found: Drift) -> None:
    store, now = outside.store, outside.settings.now()
    times = drift.record(store, found.subject, found.level, found.value, found.detail, now)
    if found.level == USUAL:
        alerts.close_alert(store, "scores_drifted", found.subject, now)
        return
    severity = "error" if found.level == ALERT else "warning"
    detail = f"{found.detail}; seen {times} times in a row"
    alerts.raise_alert(store, "scores_drifted", found.subject, severity, detail, None, now)


def _check(name: str, drifts: list[Drift]) -> dg.AssetCheckResult:
    worst = max((each.level for each in drifts), default=USUAL)
    severity = dg.AssetCheckSeverity.ERROR if worst == ALERT else dg.AssetCheckSeverity.WARN
    facts = {each.subject: each.detail for each in drifts if each.level == worst}
    return dg.AssetCheckResult(passed=worst == USUAL, check_name=name, severity=severity, metadata=facts)


def _text(name: str) -> str:
    return name.replace("&", "&amp;").replace("<", "&lt;")
