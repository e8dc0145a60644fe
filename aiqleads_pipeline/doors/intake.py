"""Takes leads in: what many requests want is decided in one transaction, and only then is anybody answered.

Belongs here: the order within the transaction - idempotency keys, limits, identities, leads, answers - and its repeats.
Does not belong here: HTTP (``leads``) and tables (``resources.store``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from psycopg.errors import DeadlockDetected, UniqueViolation
from sqlalchemy import Connection

from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.doors.quotas import rate_limited
from resources.store import idempotency
from resources.store.database import Store
from resources.store.errors import StoreUnavailable
from resources.store.idempotency import Asked, Kept
from resources.store.intake import NewLead, Repeat, take_in
from resources.store.limits import Allowance, Limit, take_many

ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is told. ``is_replayed``: it was told so before."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    is_replayed: bool = False


@dataclass(slots=True)
class Request:
    """Leads that one request brings. ``tell`` makes its answer from what each of them repeats (None: a new one)."""

    client: str
    leads: Sequence[NewLead]
    tell: Callable[[Sequence[Repeat | None]], Answer]
    asked: Asked | None = None


_UNTOLD = Answer(0, b"")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a request, or the problem, and what the store said about the client's limit (None: not asked)."""

    answer: Answer | Problem
    allowance: Allowance | None = None


def take_in_requests(store: Store, limit: Limit, requests: Sequence[Request]) -> list[Outcome]:
    """Take in what requests bring, all in one durable write; what came of each.

    Raises:
        StoreUnavailable: nothing was taken in, unless the connection broke during the commit itself.
    """
    for _ in range(ATTEMPTS):
        try:
            with store.transaction("store:take_in_leads") as con:
                outcomes = _replay(con, requests)
                _limit(con, limit, requests, outcomes)
                _take_in(con, requests, outcomes)
            return [outcome for outcome in outcomes if outcome is not None]
        except UniqueViolation:
            continue  # somebody was faster with a person: now it can be seen
        except StoreUnavailable as error:
            if not isinstance(getattr(error.__cause__, "orig", error.__cause__), DeadlockDetected):
                raise
    raise StoreUnavailable(f"{ATTEMPTS} attempts met others who brought the same people: try again")


def _replay(con: Connection, requests: Sequence[Request]) -> list[Outcome | None]:
    """Answers that were given before, and keys that others are at work on; None for the rest."""
    outcomes: list[Outcome | None] = [None] * len(requests)
    keyed = [(number, asked) for number, request in enumerate(requests) if (asked := request.asked)]
    for (number, asked), known in zip(keyed, idempotency.take_up(con, [asked for _, asked in keyed]), strict=True):
        if known is None:
            continue
        if not isinstance(known, Kept):
            outcomes[number] = Outcome(Problem(409, "idempotency_key_open", headers={"Retry-After": "1"}))
        elif known.request_sha256 != asked.request_sha256:
            outcomes[number] = Outcome(Problem(422, "idempotency_key_reused"))
        else:
            outcomes[number] = Outcome(Answer(known.status, known.body, known.headers, is_replayed=True))
    return outcomes


def _limit(con: Connection, limit: Limit, requests: Sequence[Request], outcomes: list[Outcome | None]) -> None:
    """Requests beyond their client's limit are refused; the others have their allowance from here on."""
    open_ = [(number, request) for number, request in enumerate(requests) if outcomes[number] is None]
    asks = [(request.client, len(request.leads)) for _, request in open_]
    for (number, _), allowance in zip(open_, take_many(con, asks, limit), strict=True):
        outcomes[number] = Outcome(rate_limited(allowance) if not allowance.is_granted else _UNTOLD, allowance)


def _take_in(con: Connection, requests: Sequence[Request], outcomes: list[Outcome | None]) -> None:
    """The leads of the requests that are left, and their answers; those with a key are kept."""
    left = [
        (number, outcome.allowance)
        for number, outcome in enumerate(outcomes)
        if outcome is not None and outcome.answer is _UNTOLD
    ]
    repeats = iter(take_in(con, [lead for number, _ in left for lead in requests[number].leads]))
    kept: list[tuple[Asked, Kept]] = []
    for number, allowance in left:
        request = requests[number]
        answer = request.tell([next(repeats) for _ in request.leads])
        outcomes[number] = Outcome(answer, allowance)
        if request.asked is not None:
            kept.append((request.asked, Kept(request.asked.request_sha256, answer.status, answer.headers, answer.body)))
    idempotency.keep(con, kept)
