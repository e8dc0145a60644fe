"""`aiqleads score ...`: parsing and printing."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from aiqleads_pipeline.commands.printing import readable

app = typer.Typer(help="Scores: why they are what they are, and what persons say instead.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]


@app.command("explain")
@readable
def explain(lead_id: str, as_json: AsJson = False) -> None:
    """Every part of a lead's score as of now, in numbers and words."""
    from aiqleads_pipeline.commands.score import explain_score
    from aiqleads_pipeline.outside import open_outside

    found = explain_score(open_outside(), lead_id)
    if as_json:
        typer.echo(json.dumps(found.__dict__, default=str))
        return
    now = found.now
    typer.secho(f"{'part':20} {'score':>6} {'weight':>7} {'points':>7} {'effect':>7}", bold=True)
    for part in now["parts"]:
        score = "" if part["score"] is None else f"{part['score']:.1f}"
        numbers = f"{score:>6} {part['weight']:7.3f} {part['points']:7.2f} {part['effect']:+7.1f}"
        typer.echo(f"{part['part']:20} {numbers}  {part['text']}")
    typer.secho(f"{'lead_score':20} {'':6} {'':7} {now['lead_score']:7.2f}", bold=True)
    for why in now["conversion_reasons"]:
        typer.echo(f"  {why['effect']:+5.1f}  {why['text']}")
    likely = f"{100 * now['conversion_prob']:.1f} % likely to convert, by {now['model_version'] or now['score_method']}"
    fit = f"fit {now['fit_score']:.0f} · interest {now['interest_score']:.0f}"
    typer.echo(f"{fit} · {likely} · weights: {now['weights_code']}")
    if now.get("score_method_reason"):
        typer.echo(f"no model: {now['score_method_reason']}")
    if found.override:
        typer.echo(f"{found.override['set_by']} says {found.override['priority']}: {found.override['reason']}")
    typer.echo(f"when it came: {found.then.get('lead_score')}")


@app.command("override")
@readable
def override(
    lead_id: str,
    priority: Annotated[str, typer.Option(help="P1 to P4.")],
    reason: Annotated[str, typer.Option(help="Why, for the next person.")],
    days: Annotated[float, typer.Option(help="Days until the rules count again.")] = 30,
    by: Annotated[str, typer.Option(help="Who says so.", envvar="USER")] = "operator",
) -> None:
    """Let a person's priority count for a lead, for some days. What is learnt from outcomes never sees it."""
    from aiqleads_pipeline.commands import score
    from aiqleads_pipeline.outside import open_outside

    said = score.override(open_outside(), lead_id, priority, reason, days, by)
    typer.echo(f"{said.lead_id} is {said.priority} until {said.expires_at:%Y-%m-%d %H:%M} UTC")


@app.command("end-override")
@readable
def end_override(lead_id: str) -> None:
    """Let the rules count again for a lead."""
    from aiqleads_pipeline.commands import score
    from aiqleads_pipeline.outside import open_outside

    ended = score.end_override(open_outside(), lead_id)
    typer.echo("the rules count again" if ended else "nothing was said that still holds")


@app.command("overrides")
@readable
def overrides(as_json: AsJson = False) -> None:
    """What persons say of leads now."""
    from aiqleads_pipeline.outside import open_outside
    from resources.store.rescorings import overrides_in_force

    place = open_outside()
    for said in overrides_in_force(place.store, place.settings.now()):
        if as_json:
            typer.echo(json.dumps(said.__dict__, default=str))
        else:
            typer.echo(
                f"{said.lead_id}  {said.priority}  until {said.expires_at:%Y-%m-%d}  {said.set_by}: {said.reason}"
            )


@app.command("rescore")
@readable
def rescore(
    only_signalled: Annotated[
        bool, typer.Option("--signalled", help="Only leads that something was heard of.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """New scores of all open leads, now."""
    from aiqleads_pipeline.outside import open_outside
    from aiqleads_pipeline.rescoring import rescore as rescore_open

    done = rescore_open(open_outside(), only_signalled)
    if as_json:
        typer.echo(json.dumps({"batch_id": done.batch_id, **done.facts}))
    else:
        typer.echo(
            f"{done.facts['leads_count']:,} open leads scored"
            + (f" in {done.facts['seconds']} s" if done.batch_id else "")
        )
