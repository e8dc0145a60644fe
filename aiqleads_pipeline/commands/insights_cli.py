"""`aiqleads insights`: what sources, providers, owners and markets were worth, and who should call whom next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aiqleads_pipeline.commands.printing import readable

if TYPE_CHECKING:
    from aiqleads_pipeline.outside import Outside

app = typer.Typer(no_args_is_help=True, help="What became of leads: sources, providers, conversion, market, advice.")
# What a terminal shows of each mart; --json shows all.
SHOWN = {
    "source_value": (
        "source", "received_count", "valid_share", "duplicate_share", "bounced_share", "returned_share", "won_share",
        "cost_per_qualified_lead_usd", "return_on_cost", "reliability_score",
    ),
    "provider_value": (
        "provider", "calls_count", "facts_count", "valid_share", "bounced_share", "won_share", "cost_usd",
        "cost_per_qualified_lead_usd",
    ),
    "conversion_rates": (
        "what", "value", "leads_count", "closed_count", "won_count", "conversion_share", "revenue_per_lead_usd",
        "cost_per_lead_usd", "return_on_cost",
    ),
    "recommended_leads": ("owner", "place", "lead_id", "priority", "lead_score", "recommendation_score", "because"),
    "market_insights": (
        "territory", "industry_name", "week_date", "leads_count", "mean_lead_score", "conversion_share", "volume_trend",
        "scarcity_share",
    ),
}  # fmt: skip


@app.command("show")
@readable
def show(
    name: Annotated[str, typer.Argument(help=", ".join(SHOWN))],
    owner: Annotated[str | None, typer.Option(help="Recommendations of one owner.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Rows on a terminal.")] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="All columns, as JSON.")] = False,
) -> None:
    """The newest version of a mart; the first one is made when it is asked for."""
    from aiqleads_pipeline.doors.insights import read_mart
    from aiqleads_pipeline.outside import open_outside

    if name not in SHOWN:
        raise typer.BadParameter(f"there is no mart {name!r}; there are: {', '.join(SHOWN)}")
    if owner is not None and name != "recommended_leads":
        raise typer.BadParameter("--owner goes with recommended_leads")
    outside = open_outside()
    if not outside.lake.batches(name):
        if not outside.lake.batches("routed_leads"):
            typer.echo("no leads were routed yet: drop a file, or run `aiqleads demo`", err=True)
            raise typer.Exit(1)
        typer.echo("no insights yet: making the first ones", err=True)
        _make(outside)
    found = read_mart(outside, outside.settings, name, owner)
    if as_json:
        typer.echo(json.dumps(found))
        return
    _print_table(SHOWN[name], found["rows"][:limit])
    typer.echo(f"{len(found['rows']):,} rows, version {found['version']}")


@app.command("renew")
@readable
def renew(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Make a new version of every mart now, instead of waiting for the night."""
    from aiqleads_pipeline.outside import open_outside

    made = _make(open_outside())
    if as_json:
        typer.echo(json.dumps(made))
    else:
        for mart, facts in made.items():
            typer.echo(f"{mart:<20}{facts['rows_count']:>8,} rows  version {facts['version']}")
    if any(facts["broken_claims"] for facts in made.values()):
        raise typer.Exit(1)


def _make(outside: Outside) -> dict[str, dict[str, Any]]:
    from aiqleads_pipeline.marts import make_marts
    from aiqleads_pipeline.stages.engine import open_engine

    made = {}
    with open_engine(outside.settings) as con:
        outside.lake.attach(con)
        for name, version, written, broken in make_marts(con, outside):
            rows = written.aggregate("count(*)").fetchall()[0][0]
            made[name] = {"version": version, "rows_count": rows, "broken_claims": broken}
            for claim in broken:
                typer.echo(
                    f"{name} breaks its claim {claim}: tell who keeps AIQLeads; the rows stand as they are", err=True
                )
    return made


def _print_table(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for line in (columns, *cells):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
