"""Answers to requests with an idempotency key: kept in the transaction of what they tell of, given again byte for byte.

Belongs here: one answer per client and key. Who is at work on a key holds its lock until the transaction ends, so that
of equal requests at once exactly one does the work, whichever process they met.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.store.database import statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from resources.store.database import Store

KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that has a key."""

    client: str
    key: str
    request_sha256: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer. ``headers`` are those that belong to it, names in small letters."""

    request_sha256: bytes
    status: int
    headers: dict[str, str]
    body: bytes


class _Open:
    """Somebody else is at work on the key."""


OPEN = _Open()


def take_up(con: Connection, asked: Sequence[Asked]) -> list[Kept | _Open | None]:
    """For each request the answer that is kept, ``OPEN``, or None: it is this transaction's to answer (``keep``)."""
    if not asked:
        return []
    columns = {"clients": [one.client for one in asked], "keys": [one.key for one in asked]}
    mine = [row.is_mine for row in con.execute(statement("intake/lock_keys"), columns)]
    answers: list[Kept | _Open | None] = [None if is_mine else OPEN for is_mine in mine]
    seen: set[tuple[str, str]] = set()
    for number, one in enumerate(asked):  # the lock is the transaction's: of twins in it only the first is at work
        if (one.client, one.key) in seen:
            answers[number] = OPEN
        seen.add((one.client, one.key))
    # A statement of its own, after the locks: it sees what their former holders committed.
    for row in con.execute(statement("intake/find_answers"), {**columns, "kept_seconds": KEPT_SECONDS}):
        if mine[row.position - 1]:
            answers[row.position - 1] = Kept(row.request_sha256, row.status, row.headers, row.body)
    return answers


def keep(con: Connection, answers: Sequence[tuple[Asked, Kept]]) -> None:
    """Keep answers to requests that ``take_up`` gave to this transaction."""
    if answers:
        columns = {
            "clients": [asked.client for asked, _ in answers],
            "keys": [asked.key for asked, _ in answers],
            "hashes": [asked.request_sha256 for asked, _ in answers],
            "statuses": [kept.status for _, kept in answers],
            "headers": [json.dumps(kept.headers) for _, kept in answers],
            "bodies": [kept.body for _, kept in answers],
        }
        con.execute(statement("intake/keep_answers"), columns)


def replace(store: Store, asked: Asked, kept: Kept) -> None:
    """Keep another answer to a request, before anybody was told the first."""
    with store.transaction("store:replace_answer") as con:
        keep(con, [(asked, kept)])


def forget(store: Store) -> int:
    """Remove answers older than 24 hours; how many there were."""
    with store.transaction("store:forget_answers") as con:
        return con.execute(statement("intake/forget_answers"), {"kept_seconds": KEPT_SECONDS}).rowcount
