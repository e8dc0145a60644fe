"""`aiqleads alerts ...` and `aiqleads slas ...`: parsing and printing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from aiqleads_pipeline.commands.printing import readable

if TYPE_CHECKING:
    from aiqleads_pipeline.outside import Outside

app = typer.Typer(help="What a person must see.", no_args_is_help=True)
slas_app = typer.Typer(help="The clock of first touches.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]


@app.command("list")
@readable
def list_(limit: Annotated[int, typer.Option(min=1)] = 50, as_json: AsJson = False) -> None:
    """Open alerts, errors first."""
    from resources.store import alerts

    for row in alerts.open_alerts(_outside().store, limit):
        if as_json:
            typer.echo(json.dumps(row, default=str))
        else:
            mark = typer.style(row["severity"], fg="red" if row["severity"] == "error" else "yellow")
            typer.echo(
                f"{mark:18} {row['code']:20} {row['subject']}  {row['opened_at']:%Y-%m-%d %H:%M}  {row['detail']}"
            )


@app.command("watch", hidden=True)
@readable
def watch() -> None:
    """The watchman alone (a part of `up`)."""
    from aiqleads_pipeline.alerting.watchman import dagster_heartbeats, run_watchman
    from aiqleads_pipeline.automation.instance import open_instance

    outside = _outside()
    with open_instance(outside) as instance:
        run_watchman(outside, dagster_heartbeats(instance), say=lambda line: typer.echo(line, err=True))


@slas_app.command("list")
@readable
def slas_list(
    team: Annotated[str | None, typer.Option(help="Only of this team.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """Leads that wait for their first touch, the latest first."""
    from resources.store import slas

    for row in slas.list_clocks(_outside().store, team, limit=limit):
        if as_json:
            typer.echo(json.dumps(row, default=str))
        else:
            late = "LATE" if row["breached_at"] else "    "
            had = " < ".join(reversed(row["had_owners"]))
            typer.echo(
                f"{late} {row['priority']} {row['lead_id']}  due {row['due_at']:%Y-%m-%d %H:%M}  {row['team']}: {had}"
            )


def _outside() -> Outside:
    from aiqleads_pipeline.outside import open_outside

    return open_outside()
