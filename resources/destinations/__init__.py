"""Destinations: what each place that leads and notices are delivered to must be able to do.

Belongs here: the interface, and one module per destination that is neither a CRM (``resources/crm``) nor a way to reach
a person (``resources/notify``). All are held to one contract suite in the tests. Does not belong here: which deliveries
are due, retries across attempts, budgets and dead letters: the worker that drains the outbox decides those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable
from uuid import UUID


@dataclass(frozen=True)
class Parcel:
    """One delivery on its way. ``delivery_id`` stays the same over all attempts: it is what receivers know it by."""

    delivery_id: UUID
    lead_id: UUID  # of a notice: the notice's id
    destination: str
    attempt: int  # 1 is the first
    priority: int  # 1 is the most urgent
    created_at: datetime
    body: Mapping[str, Any]  # a lead as in a line of a `file` destination; a notice as it was posted


class Outcome(StrEnum):
    """What an attempt came to."""

    DELIVERED = "delivered"
    RETRY = "retry"  # nothing is known to have happened; a later attempt may help
    REFUSED = "refused"  # the receiver will never take this one
    GONE = "gone"  # the receiver wants no more deliveries at all (410)
    LATER = "later"  # not tried, for a cause that is not this delivery's (a limit, no log-in): uses up no attempt


@dataclass(frozen=True)
class Receipt:
    """What an attempt of one delivery came to."""

    delivery_id: UUID
    outcome: Outcome
    external_id: str | None = None  # the record's id at the destination, where there is one
    error_code: str | None = None  # a reason code, where it was not delivered
    detail: str | None = None  # one line without personal data
    retry_after_seconds: float | None = None  # what the receiver asked for
    # For the log of attempts, where there was a call:
    status_code: int | None = None
    sent_bytes_count: int | None = None
    answer_bytes_count: int | None = None
    answer: str | None = None  # the head of what was answered, nothing of a person in it (`answers.redacted_answer`)


@runtime_checkable
class Destination(Protocol):
    """Delivers many parcels at once.

    An implementation talks through ``resources.http`` (or dials with its address check) and takes credentials as a
    ``SecretStr``. A parcel that was delivered before (its answer was lost) must have no second effect.
    """

    @property
    def name(self) -> str:
        """As in the rules."""
        ...

    @property
    def chunk_size(self) -> int:
        """How many parcels one call of ``deliver`` takes at most."""
        ...

    def deliver(self, parcels: Sequence[Parcel], *, timeout_seconds: float) -> list[Receipt]:
        """One receipt per parcel, within the time given. A failure of the whole call gives each parcel its receipt too:
        this never raises for what a receiver does."""
        ...
