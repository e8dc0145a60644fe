"""`aiqleads deliveries ...`: parsing and printing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aiqleads_pipeline.commands.printing import readable

if TYPE_CHECKING:
    from aiqleads_pipeline.outside import Outside

app = typer.Typer(help="Deliveries of leads and notices: where they stand, again, and by hand.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]
Name = Annotated[str, typer.Argument(help="A destination of destinations.yaml.")]


@app.command("list")
@readable
def list_(
    state: Annotated[str | None, typer.Option(help="pending, in_flight, delivered, dead or cancelled.")] = None,
    destination: Annotated[str | None, typer.Option(help="Only to this destination.")] = None,
    lead: Annotated[str | None, typer.Option(help="Only of this lead.")] = None,
    batch: Annotated[str | None, typer.Option(help="Only of this batch; `notices` for notices.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """Deliveries, by lead."""
    from aiqleads_pipeline.commands import deliveries as commands
    from resources.store.deliveries import list_deliveries

    if state is not None and state not in commands.STATES:
        raise typer.BadParameter(f"--state is one of {', '.join(commands.STATES)}")
    lead_id = None if lead is None else commands.delivery_uuid(lead)
    for each in list_deliveries(_outside().store, lead_id, batch, state, destination, limit):
        row = commands.shown(each)
        if as_json:
            typer.echo(json.dumps(row))
        else:
            tail = row["last_error_code"] or row["external_id"] or ""
            head = f"{row['delivery_id']}  {row['priority']}  {row['state']:10} {row['attempts']:3}"
            typer.echo(f"{head}  {row['destination']:20} {tail}")


@app.command("show")
@readable
def show(delivery_id: str, as_json: AsJson = False) -> None:
    """One delivery and its attempts: request, answer, time taken."""
    from aiqleads_pipeline.commands.deliveries import show as found

    row = found(_outside(), delivery_id)
    if as_json:
        typer.echo(json.dumps(row, default=str))
        return
    attempts = row.pop("log")
    _print(row)
    for each in attempts:
        typer.echo("")
        _print(each, indent="  ")


@app.command("retry")
@readable
def retry(
    delivery_ids: Annotated[list[str] | None, typer.Argument(help="Deliveries.")] = None,
    destination: Annotated[str | None, typer.Option(help="All dead and waiting ones of a destination.")] = None,
    as_json: AsJson = False,
) -> None:
    """Try dead deliveries again, and waiting ones at once."""
    from aiqleads_pipeline.commands.deliveries import retry as again

    _say_count(again(_outside(), delivery_ids or (), destination), as_json)


@app.command("replay")
@readable
def replay(
    destination: Name,
    since: Annotated[str, typer.Option(help="Of leads routed since then: 2026-11-23T08:00 (UTC), or 36h for ago.")],
    until: Annotated[str | None, typer.Option(help="And before then.")] = None,
    as_json: AsJson = False,
) -> None:
    """Deliver again all since a time, delivered or not: receivers know the ids."""
    from aiqleads_pipeline.commands.deliveries import replay as again

    _say_count(again(_outside(), destination, since, until), as_json)


@app.command("destinations")
@readable
def destinations(as_json: AsJson = False) -> None:
    """How each destination stands: on or off, breaker, queue."""
    from resources.store.lanes import list_lanes

    for row in list_lanes(_outside().store):
        if as_json:
            typer.echo(json.dumps(row, default=str))
            continue
        counts = "  ".join(f"{state} {row[f'{state}_count']:,}" for state in ("pending", "delivered", "dead"))
        failing = f"  failing since {row['failing_since']:%Y-%m-%d %H:%M}" if row["failing_since"] else ""
        why = f" ({row['off_reason']})" if row["off_reason"] else ""
        typer.echo(f"{row['destination']:24} {row['state']:4}{why}  {counts}{failing}")


@app.command("test")
@readable
def test(destination: Name, as_json: AsJson = False) -> None:
    """Send a made-up lead at once, past the outbox; CRMs check their log-in instead."""
    from aiqleads_pipeline.commands.deliveries import test as send

    receipt = send(_outside(), destination)
    facts = {
        "destination": destination,
        "outcome": receipt.outcome.value,
        "status_code": receipt.status_code,
        "error_code": receipt.error_code,
        "detail": receipt.detail,
        "answer": receipt.answer,
    }
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        _print(facts)
    if receipt.outcome.value != "delivered":
        raise typer.Exit(1)


@app.command("on")
@readable
def on(destination: Name) -> None:
    """Switch a destination on again: its breaker closes, what waits goes out."""
    _switch(destination, "on")


@app.command("off")
@readable
def off(destination: Name) -> None:
    """Switch a destination off: its deliveries wait."""
    _switch(destination, "off")


@app.command("work", hidden=True)
@readable
def work() -> None:
    """The resident worker alone (a part of `up`)."""
    from aiqleads_pipeline.delivering.worker import run_resident

    run_resident(_outside())


def _switch(destination: str, state: str) -> None:
    from aiqleads_pipeline.commands.deliveries import switch, what_waits

    is_changed = switch(_outside(), destination, state)
    typer.echo(f"{destination} is {state}" + ("" if is_changed else " already"))
    for line in what_waits(_outside(), destination, state):
        typer.echo(line)


def _say_count(count: int, as_json: bool) -> None:
    typer.echo(json.dumps({"deliveries": count}) if as_json else f"{count:,} deliveries are due now")


def _print(row: dict[str, Any], indent: str = "") -> None:
    for name, value in row.items():
        if value is not None:
            typer.echo(f"{indent}{name:20} {value}")


def _outside() -> Outside:
    from aiqleads_pipeline.outside import open_outside

    return open_outside()
