"""Pins: what a step of a batch read from a changing world, kept so that a second run of it decides the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from resources.store.database import statement

if TYPE_CHECKING:
    from resources.store.database import Store


def pin(at: Store | Connection, batch_id: str, step: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The value pinned for a step of a batch; where there is none yet, ``compute()`` (JSON) is pinned first.

    Of two who pin at once both get the value of the one that was first. Given a Connection, the pin is part of its
    transaction; given a Store, it is durable when this returns.
    """
    if not isinstance(at, Connection):
        with at.read() as con:
            found = con.execute(statement("read_pin"), {"batch_id": batch_id, "step": step}).first()
        if found is None:
            with at.transaction("store:pin") as con:
                return pin(con, batch_id, step, compute)
        return dict(found.value)
    key = {"batch_id": batch_id, "step": step}
    found = at.execute(statement("read_pin"), key).first()
    if found is None:
        value = json.dumps(compute(), allow_nan=False)
        at.execute(statement("insert_pin"), {**key, "value": value})
        found = at.execute(statement("read_pin"), key).one()
    return dict(found.value)


def find_pin(store: Store, batch_id: str, step: str) -> dict[str, Any] | None:
    """The value pinned for a step of a batch; None if there is none."""
    with store.read() as con:
        found = con.execute(statement("read_pin"), {"batch_id": batch_id, "step": step}).first()
    return None if found is None else dict(found.value)
