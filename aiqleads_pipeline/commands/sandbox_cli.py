"""The command line of ``aiqleads sandbox``: parsing only."""

from __future__ import annotations

from typing import Annotated

import typer


def sandbox(
    port: Annotated[int, typer.Option(help="Port of the page; the doubles take the next ones. 0: free ports.")] = 8900,
    seed: Annotated[int, typer.Option(help="Decides which requests fail, and facts of companies.")] = 0,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="DOUBLE:KIND[:OPTION=VALUE,…], e.g. hubspot:error:status=503,share=0.2; may be repeated."),
    ] = None,
    receiver: Annotated[
        list[str] | None, typer.Option(help="A further receiver of webhooks, by name; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print ports and credentials as JSON.")] = False,
) -> None:
    """Stateful doubles of CRMs, providers and receivers on loopback, with faults; Ctrl-C ends them."""
    from aiqleads_pipeline.commands.sandbox import run_sandbox
    from aiqleads_pipeline.sandbox.faults import UnknownFault

    try:
        run_sandbox(port, seed, fault or (), receiver or (), typer.echo, as_json=as_json)
    except (UnknownFault, OSError, ValueError) as error:
        typer.echo(f"aiqleads: {error}", err=True)
        raise typer.Exit(1) from None
