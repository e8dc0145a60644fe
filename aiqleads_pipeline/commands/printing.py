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
        try:
            return command(*args, **kwargs)
        except _known_errors() as error:
            typer.echo(f"aiqleads: {error}", err=True)
            raise typer.Exit(1) from None

    return wrapped


def _known_errors() -> tuple[type[Exception], ...]:
    from aiqleads_pipeline.commands.lead import UnknownLead
    from aiqleads_pipeline.commands.review import UnknownOwner
    from aiqleads_pipeline.rules.loading import RulesError
    from aiqleads_pipeline.settings import SettingsError
    from aiqleads_pipeline.stages.learning import LabelUnclear, Untrainable
    from aiqleads_pipeline.stages.reading import DropRefused
    from aiqleads_pipeline.tables import UnknownTable
    from resources.bucket import BucketError
    from resources.lake import TableCorrupt, TableMissing
    from resources.models import ModelRefused
    from resources.store.errors import StoreError

    return (
        Refused, SettingsError, RulesError, StoreError, BucketError, TableMissing, TableCorrupt, UnknownTable,
        UnknownLead, UnknownOwner, LabelUnclear, Untrainable, DropRefused, ModelRefused,
    )  # fmt: skip
