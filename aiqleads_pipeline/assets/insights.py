"""`source_value`, `provider_value`, `conversion_rates`, `recommended_leads`, `market_insights`: what became of leads.

Belongs here: the marts as assets, with their pictures and checks. Does not belong here: making them (``marts``) and
arithmetic (``sql/marts``).
"""

from collections.abc import Iterator

import dagster as dg
from duckdb import DuckDBPyRelation

from aiqleads_pipeline.assets.batch_run import BatchRuns
from aiqleads_pipeline.assets.facts import markdown_table
from aiqleads_pipeline.assets.score_drift import picture
from aiqleads_pipeline.assets.specs import OWNERS
from aiqleads_pipeline.marts import CLAIMS, MARTS, claim_in_words, make_marts
from aiqleads_pipeline.stages.engine import open_engine

PREVIEW_ROWS = 12
MOST, BY_NAME = "number DESC, name", "name"
# Pictures by mart: what is shown -> name of a bar, its number (an aggregate), which rows, the order of the bars.
_BY_SOURCE = {
    share: ("source", f"max({share})", f"{share} IS NOT NULL", MOST)
    for share in (
        "won_share", "valid_share", "duplicate_share", "bounced_share", "returned_share", "reliability_score",
        "cost_per_qualified_lead_usd", "return_on_cost",
    )
}  # fmt: skip
_BY_PROVIDER = {
    share: ("provider", f"max({share})", f"{share} IS NOT NULL", MOST)
    for share in ("won_share", "valid_share", "bounced_share", "returned_share", "cost_per_qualified_lead_usd")
}
_CONVERSION = {
    **{
        f"conversion_by_{what}": ("value", "max(conversion_share)", f"what = '{what}'", order)
        for what, order in (("score_band", BY_NAME), ("source", MOST), ("owner", MOST), ("rule", MOST))
    },
    **{
        f"{money}_by_{what}": ("value", f"max({money})", f"what = '{what}' AND {money} IS NOT NULL", MOST)
        for money in ("revenue_per_lead_usd", "cost_per_lead_usd", "return_on_cost")
        for what in ("source", "owner")
    },
}
PICTURES = {
    "source_value": _BY_SOURCE,
    "provider_value": _BY_PROVIDER,
    "conversion_rates": _CONVERSION,
    "recommended_leads": {
        "best_of_owners": ("owner || ' ' || place", "max(recommendation_score)", "place <= 3", BY_NAME),
    },
    "market_insights": {
        "leads_by_market": ("territory || ' ' || industry_name", "sum(leads_count)", "true", MOST),
        "leads_by_week": ("week_date::VARCHAR", "sum(leads_count)", "true", "name DESC"),
        "won_by_week": ("week_date::VARCHAR", "sum(won_count)", "true", "name DESC"),
        "scarcity_now": ("territory || ' ' || industry_name", "arg_max(scarcity_share, week_date)", "true", MOST),
    },
}


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            name,
            deps=["routed_leads", "outcomes", "open_lead_scores"],
            group_name="insights",
            kinds={"duckdb"},
            owners=OWNERS,
        )
        for name in MARTS
    ],
    check_specs=[
        dg.AssetCheckSpec(claim, asset=mart, description=claim_in_words(claim)) for claim, mart in CLAIMS.items()
    ],
    name="insights",
)
def insights(runs: dg.ResourceParam[BatchRuns]) -> Iterator[dg.MaterializeResult]:
    """All marts from the same reading of leads and outcomes."""
    outside = runs.outside
    with open_engine(outside.settings) as con:
        outside.lake.attach(con)
        for name, version, written, broken in make_marts(con, outside):
            rows = written.limit(PREVIEW_ROWS)
            yield dg.MaterializeResult(
                asset_key=name,
                metadata={
                    "dagster/row_count": written.aggregate("count(*)").fetchall()[0][0],
                    "version": version,
                    "preview": dg.MetadataValue.md(markdown_table(rows.columns, rows.fetchall())),
                    **pictures(name, written),
                },
                check_results=[
                    dg.AssetCheckResult(passed=claim not in broken, asset_key=name, check_name=claim)
                    for claim, mart in CLAIMS.items()
                    if mart == name
                ],
            )


def pictures(name: str, mart: DuckDBPyRelation) -> dict[str, dg.MarkdownMetadataValue]:
    """The pictures of a mart, by what they show; of many bars the first dozen."""
    found = {}
    for shown, (label, number, where, order) in PICTURES[name].items():
        named = mart.filter(where).project(f"*, {label} AS name")
        bars = named.aggregate(f"name, {number} AS number", "name").order(order).limit(PREVIEW_ROWS)
        values = {str(bar): float(size) for bar, size in bars.fetchall()}
        if values:
            found[f"picture_{shown}"] = picture(values)
    return found
