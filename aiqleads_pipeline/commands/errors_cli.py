"""The command `aiqleads errors`: parsing and printing."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from aiqleads_pipeline.commands.errors import UnknownCode, list_errors


def errors(
    code: Annotated[str | None, typer.Argument(help="One code; all without it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")] = False,
) -> None:
    """Every error code: what it means, whether a retry helps, who acts, what to do."""
    try:
        rows = list_errors(code)
    except UnknownCode as error:
        typer.echo(f"aiqleads: {error}", err=True)
        raise typer.Exit(1) from None
    for row in rows:
        if as_json:
            typer.echo(json.dumps(row))
        elif code is None:
            retry = "retry" if row["retry_helps"] else ""
            typer.echo(f"{row['code']:28} {row['class']:10} {retry:6} {row['who_acts']:16} {row['message']}")
        else:
            for name, value in row.items():
                typer.echo(f"{name:12} {value if isinstance(value, str) else json.dumps(value)}")
