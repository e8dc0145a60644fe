"""`aiqleads keys ...`: parsing and printing; what it does is in ``commands.keys`` and the store."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from aiqleads_pipeline.commands.printing import readable

app = typer.Typer(help="API keys of the doors.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]


@app.command("create")
@readable
def keys_create(
    client: Annotated[str, typer.Option(help="Whose key it is: leads and limits belong to a client.")],
    role: Annotated[str, typer.Option(help="admin, ops, client or viewer.")],
    scope: Annotated[list[str] | None, typer.Option(help="Only this, e.g. leads:write; may be repeated.")] = None,
    network: Annotated[list[str] | None, typer.Option(help="Only from here, e.g. 203.0.113.0/24.")] = None,
    days: Annotated[float | None, typer.Option(min=0, help="Days until it ends; for ever by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """A new key. It is shown this once."""
    from aiqleads_pipeline.commands.keys import expiry
    from aiqleads_pipeline.outside import open_outside
    from resources.store import keys

    place = open_outside()
    now, ends = place.settings.now(), expiry(place, days)
    new = keys.create_key(place.store, client, role, now, scope or (), network or (), ends)
    _print_new_key(new.__dict__, as_json)


@app.command("list")
@readable
def keys_list(
    client: Annotated[str | None, typer.Option(help="Only of this client.")] = None, as_json: AsJson = False
) -> None:
    """All keys, without their secrets."""
    from aiqleads_pipeline.commands.keys import describe_keys
    from aiqleads_pipeline.outside import open_outside

    for row in describe_keys(open_outside(), client):
        if as_json:
            typer.echo(json.dumps(row))
        else:
            used = row["last_used_at"] or "never used"
            typer.echo(f"{row['key_id']}  {row['state']:8} {row['role']:7} {row['client']:24} {used}")


@app.command("rotate")
@readable
def keys_rotate(
    key_id: str,
    hours: Annotated[float, typer.Option(min=0, help="Hours for which the old key goes on.")] = 24,
    as_json: AsJson = False,
) -> None:
    """A new key with the rights of an old one, which goes on for a while."""
    from datetime import timedelta

    from aiqleads_pipeline.outside import open_outside
    from resources.store import keys

    place = open_outside()
    new = keys.rotate_key(place.store, key_id, place.settings.now(), timedelta(hours=hours))
    _print_new_key(new.__dict__, as_json)


@app.command("revoke")
@readable
def keys_revoke(key_id: str) -> None:
    """End a key for good, within five seconds in every process."""
    from aiqleads_pipeline.outside import open_outside
    from resources.store import keys

    place = open_outside()
    keys.revoke_key(place.store, key_id, place.settings.now())
    typer.echo(f"{key_id} is revoked")


@app.command("limit")
@readable
def keys_limit(
    client: Annotated[str, typer.Option(help="Whose limit.")],
    leads: Annotated[
        int | None, typer.Option(min=0, help="Leads a window; without it the setting counts again.")
    ] = None,
) -> None:
    """Give a client a limit of its own instead of PIPELINE_CONFIG__RATE_LIMIT_MAX."""
    from aiqleads_pipeline.outside import open_outside
    from resources.store import limits

    limits.set_max(open_outside().store, client, leads)
    typer.echo(f"{client}: {'the usual limit' if leads is None else f'{leads:,} leads a window'}")


def _print_new_key(new: dict[str, str], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(new))
    else:
        typer.echo(f"key_id   {new['key_id']}")
        typer.echo(f"api_key  {new['api_key']}")
        typer.echo("Keep the api_key now: it can't be shown again.", err=True)
