"""`aiqleads providers`: who is asked for enrichment, how they do, and what is forgotten on request."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from aiqleads_pipeline.commands.printing import readable

app = typer.Typer(no_args_is_help=True, help="Providers of enrichment: how they do, and erasing what they said.")


@app.command("list")
@readable
def list_providers(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """The scoreboard: hits, cost per fact, p95, breaker; and leads that wait for completion."""
    from aiqleads_pipeline.outside import open_outside
    from aiqleads_pipeline.rules.enrichment import load_enrichment
    from resources.store.enrichment_gaps import count_gaps
    from resources.store.provider_permits import scoreboard

    outside = open_outside()
    rules = load_enrichment(outside.settings.rules_dir)
    scores = {row["provider"]: row for row in scoreboard(outside.store)}
    rows = [
        {"provider": name, "kind": each.kind, "is_enabled": name in rules.enabled_providers, **scores.get(name, {})}
        for name, each in rules.content.providers.items()
    ]
    waiting = count_gaps(outside.store)
    if as_json:
        typer.echo(json.dumps({"providers": rows, "waiting": waiting}, default=str))
        return
    typer.echo(f"{'provider':<20}{'kind':<10}{'on':<5}{'calls':>8}{'hits':>8}{'$/fact':>10}{'p95 s':>8}  breaker")
    for row in rows:
        hits, cost, p95 = row.get("hit_share"), row.get("cost_per_fact_usd"), row.get("p95_seconds")
        typer.echo(
            f"{row['provider']:<20}{row['kind']:<10}{'yes' if row['is_enabled'] else 'no':<5}"
            f"{row.get('calls_count', 0):>8}{f'{hits:.0%}' if hits is not None else '-':>8}"
            f"{f'{cost:.4f}' if cost is not None else '-':>10}{f'{p95:.2f}' if p95 is not None else '-':>8}"
            f"  {row.get('breaker', 'closed')}"
        )
    for row in waiting:
        typer.echo(f"{row['leads_count']:,} leads wait for {row['kind']}: {row['reason_code']}")


@app.command("erase")
@readable
def erase(
    email: Annotated[str | None, typer.Option(help="Address of the person.")] = None,
    phone: Annotated[str | None, typer.Option(help="Number of the person, E.164.")] = None,
    lead: Annotated[str | None, typer.Option(help="Lead id: what was added to it later.")] = None,
) -> None:
    """Erase what providers said about a person from the cache shared by all workers."""
    from uuid import UUID

    from aiqleads_pipeline.outside import open_outside
    from resources.store import enrichment_cache

    keys = [("email", email.strip().lower())] if email else []
    keys += [("phone_e164", phone.strip())] if phone else []
    if not keys and not lead:
        raise typer.BadParameter("name the person: --email, --phone or --lead")
    try:
        leads = [UUID(lead)] if lead else []
    except ValueError:
        raise typer.BadParameter("--lead is no lead id") from None
    count = enrichment_cache.erase(open_outside().store, keys, leads)
    typer.echo(f"{count:,} rows erased")
