"""Reading back: what a CRM holds of the records that were sent, and how the leads ended there.

Belongs here: what both CRMs' readers give. Does not belong here: comparing, repairing and what outcomes are for
(``assets.crm_read_back``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Protocol
from uuid import UUID

from resources.store.crm import SentRecord


@dataclass(frozen=True)
class OutcomeTerms:
    """What of theirs ends a lead: statuses, and (``has_deals``) the deal it became."""

    status_field: str
    result_by_status: Mapping[str, str]
    has_deals: bool = True


@dataclass(frozen=True)
class Ending:
    """How a lead ended. ``result``: won, lost, returned."""

    result: str
    closed_at: datetime
    revenue_usd: float | None = None

    @property
    def mark(self) -> str:
        """Tells one ending from another."""
        return (
            f"{self.result} {self.closed_at:%Y-%m-%d} {'' if self.revenue_usd is None else f'{self.revenue_usd:.2f}'}"
        )


@dataclass(frozen=True)
class Held:
    """A record as the CRM has it. ``values`` by the names of their fields; ``is_there`` False: it has none."""

    lead_id: UUID
    is_there: bool
    values: Mapping[str, Any] = field(default_factory=dict)
    owner: str | None = None
    ending: Ending | None = None


class CrmReader(Protocol):
    """Reads one account back."""

    @property
    def page_size(self) -> int:
        """How many records one ``read`` takes at most."""
        ...

    def read(self, sent: Sequence[SentRecord], deadline: float) -> list[Held]:
        """What is held of records that were sent, in their order.

        Raises:
            CallFailed.
        """
        ...

    def count(self, deadline: float) -> int | None:
        """How many records of ours the CRM has; None where it doesn't tell."""
        ...

    def usage(self, deadline: float) -> tuple[int, int] | None:
        """(used, limit) of the account's day; None where it doesn't tell."""
        ...


def day_of(value: Any, latest: datetime) -> datetime:
    """A date or time of theirs as a point in time, never later than ``latest`` (deals are planned to close)."""
    text = str(value or "")
    try:
        if text.isdigit() and len(text) > 10:
            moment = datetime.fromtimestamp(int(text[:14]) / 1000, UTC)
        elif len(text) == 10:
            moment = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        else:
            moment = datetime.fromisoformat(text)
    except ValueError:
        return latest
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(moment, latest)


def amount_of(value: Any) -> float | None:
    """An amount of theirs."""
    try:
        amount = float(value)
    except (TypeError, ValueError):
        return None
    return amount if 0 <= amount < 1e15 else None
