"""`aiqleads review ...`: parsing and printing; what it does is in ``commands.review``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from aiqleads_pipeline.commands.printing import readable

app = typer.Typer(help="Leads that wait for a person.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]


@app.command("list")
@readable
def review_list(as_json: AsJson = False, limit: int = 50) -> None:
    """Leads that wait for a person, the oldest first."""
    from aiqleads_pipeline.outside import open_outside
    from resources.store import reviews

    for row in reviews.list_open(open_outside().store, limit=limit):
        if as_json:
            typer.echo(json.dumps(row, default=str))
        else:
            hint = row["suggestion"]
            typer.echo(f"{row['lead_id']}  {row['opened_at']:%Y-%m-%d %H:%M}  {row['reason_code']:16}  {hint}")


@app.command("assign")
@readable
def review_assign(
    lead_id: str,
    owner: Annotated[str, typer.Option(help="Owner id from teams.yaml.")],
    by: Annotated[str, typer.Option(help="Who decides.", envvar="USER")] = "operator",
) -> None:
    """Give a waiting lead to an owner; its deliveries are written in the same transaction."""
    from aiqleads_pipeline.commands.review import assign
    from aiqleads_pipeline.outside import open_outside

    typer.echo(assign(open_outside(), lead_id, owner, by))
