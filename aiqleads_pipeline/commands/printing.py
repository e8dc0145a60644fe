"""What groups of commands share: errors in one readable line.

Belongs here: nothing but how a command ends. What it prints is its own business.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import typer

P = ParamSpec("P")
R = TypeVar("R")


class Refused(Exception):
    """What was asked for can't be done as asked; the message says why and what to do."""


def readable(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the errors that a person can act on into one line and exit status 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from aiqleads_pipeline.cli import readable_errors

        try:
            return readable_errors(command)(*args, **kwargs)
        except Refused as error:
            typer.echo(f"aiqleads: {error}", err=True)
            raise typer.Exit(1) from None

    return wrapped
