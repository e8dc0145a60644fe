"""What delivering to any CRM has in common: mapping, limits, rounds, chunks, poison found by halving, receipts, marks.

Belongs here: the way from parcels to receipts. Does not belong here: one CRM's requests (``salesforce``, ``hubspot``).
"""

from __future__ import annotations

import hashlib
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from resources.crm.mapping import Field, FieldMissing, Value, compared_fields, map_lead, marks_of, signature
from resources.crm.session import CrmSession
from resources.crm.verdicts import LIMIT_PAUSE_SECONDS, CallFailed, Verdict
from resources.destinations import Outcome, Parcel, Receipt
from resources.store import crm as ledger

log = logging.getLogger("resources.crm")
_FULL_SHARE = 0.995  # of the daily limit: the rest is for reading back and for people


@dataclass(frozen=True)
class Load:
    """A parcel and the record it becomes. ``is_known``: the CRM has the lead already, from an earlier delivery."""

    parcel: Parcel
    record: dict[str, Value]
    is_known: bool = False

    @property
    def lead_key(self) -> str:
        """What the CRM knows the lead by."""
        return str(self.parcel.lead_id)


@dataclass(frozen=True)
class CrmRules:
    """What is alike for all CRMs of a destination's rules.

    Attributes:
        owners: our owners -> their ids; ``owner_field`` gets it.
        daily_limit_share: from this share of the account's day on only ``reserved_for`` (priorities as numbers) go out.
    """

    fields: tuple[Field, ...]
    owner_field: str
    owners: dict[str, str]
    daily_limit_share: float = 0.8
    reserved_for: frozenset[int] = frozenset({1, 2})


class CrmDestination(ABC):
    """A destination that is a CRM. Threads may share it. See ``resources.destinations.Destination``."""

    def __init__(
        self,
        session: CrmSession,
        rules: CrmRules,
        chunk_size: int,
        wall_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._session, self._rules, self._chunk_size, self._wall_now = session, rules, chunk_size, wall_now
        self._compared = compared_fields(rules.fields)
        required = {each.name for each in rules.fields if each.is_required}
        self._ours = {each.name for each in self._compared} | required
        self._mapping_id = mapping_id(self._compared)

    @property
    def name(self) -> str:
        """As in the rules."""
        return self._session.name

    @property
    def chunk_size(self) -> int:
        """How many parcels one call of ``deliver`` takes at most."""
        return self._chunk_size

    def deliver(self, parcels: Sequence[Parcel], *, timeout_seconds: float) -> list[Receipt]:
        """One receipt per parcel, in their order.

        Raises:
            StoreUnavailable: what was sent could not be noted; sent again, it has no second effect.
        """
        deadline = time.monotonic() + timeout_seconds
        receipts: dict[UUID, Receipt] = {}
        loads = self._admitted(self._mapped(parcels, receipts), receipts)
        for each in self._send_all(loads, deadline):
            receipts[each.delivery_id] = each
        self._note(loads, receipts)
        return [receipts[parcel.delivery_id] for parcel in parcels]

    def test(self, *, timeout_seconds: float) -> Receipt:
        """Log in and look at the object and its fields, making no record."""
        try:
            self._look(time.monotonic() + timeout_seconds)
        except CallFailed as failed:
            verdict = failed.verdict
            code = "crm_mapping_wrong" if verdict.is_about_content else verdict.code
            pause = verdict.retry_after_seconds
            return Receipt(UUID(int=0), verdict.outcome, None, code, verdict.detail, pause)
        return Receipt(UUID(int=0), Outcome.DELIVERED)

    @abstractmethod
    def _look(self, deadline: float) -> None:
        """Ask for what deliveries will need, as far as that can be seen without a record.

        Raises:
            CallFailed: it isn't there.
        """

    @abstractmethod
    def _send_all(self, loads: list[Load], deadline: float) -> Iterator[Receipt]:
        """A receipt for each load."""

    def _mapped(self, parcels: Sequence[Parcel], receipts: dict[UUID, Receipt]) -> list[Load]:
        lead_ids = list({parcel.lead_id for parcel in parcels})
        known = ledger.known_records(self._session.store, self.name, lead_ids)
        loads = []
        for parcel in {each.delivery_id: each for each in parcels}.values():
            before = known.get(parcel.lead_id)
            if "topic" in parcel.body:
                verdict = Verdict(Outcome.REFUSED, "crm_refused", "a notice is no lead: a CRM has no place for it")
                receipts[parcel.delivery_id] = verdict.receipt(parcel)
                continue
            try:
                record = map_lead(parcel.body, self._rules.fields)
            except FieldMissing as missing:
                verdict = Verdict(Outcome.REFUSED, "crm_field_missing", f"the lead has nothing for {missing}")
                receipts[parcel.delivery_id] = verdict.receipt(parcel)
                continue
            if before is not None:
                # What people there may change was theirs from the first time on.
                record = {name: value for name, value in record.items() if name in self._ours}
            owner = self._rules.owners.get(str(parcel.body.get("owner")))
            if owner is not None and (before is None or before.owner_sent != owner):
                record[self._rules.owner_field] = owner
            loads.append(Load(parcel, record, before is not None))
        return loads

    def _admitted(self, loads: list[Load], receipts: dict[UUID, Receipt]) -> list[Load]:
        """Those that the account's daily limit has room for; the others wait without a call."""
        share = self._session.usage.share() if loads else None
        if share is None or share < self._rules.daily_limit_share:
            return loads
        shown = f"{share:.0%} of the day's calls are used"
        full = Verdict(Outcome.LATER, "crm_limit_reached", shown, LIMIT_PAUSE_SECONDS)
        reserved = Verdict(Outcome.LATER, "crm_limit_reserved", shown, LIMIT_PAUSE_SECONDS)
        admitted = []
        for load in loads:
            if share >= _FULL_SHARE:
                receipts[load.parcel.delivery_id] = full.receipt(load.parcel)
            elif load.parcel.priority not in self._rules.reserved_for:
                receipts[load.parcel.delivery_id] = reserved.receipt(load.parcel)
            else:
                admitted.append(load)
        return admitted

    def _note(self, loads: list[Load], receipts: dict[UUID, Receipt]) -> None:
        delivered = [
            ledger.NewRecord(
                load.parcel.lead_id,
                load.parcel.delivery_id,
                receipts[load.parcel.delivery_id].external_id,
                marks_of(load.record, self._compared),
                _text(load.record.get(self._rules.owner_field)),
            )
            for load in loads
            if receipts[load.parcel.delivery_id].outcome is Outcome.DELIVERED
        ]
        signatures = [signature(each) for each in self._compared]
        ledger.save_records(self._session.store, self.name, self._mapping_id, signatures, delivered, self._wall_now())


def mapping_id(compared: Sequence[Field]) -> str:
    """Tells one list of fields, and the ways their values are compared, from another."""
    return hashlib.sha256(";".join(map(signature, compared)).encode()).hexdigest()[:16]


def rounds(loads: Sequence[Load], size: int) -> Iterator[list[Load]]:
    """Chunks of at most ``size`` in which no lead comes twice, a lead's loads in their order."""
    waiting = list(loads)
    while waiting:
        seen: set[str] = set()
        later: list[Load] = []
        this: list[Load] = []
        for load in waiting:
            (later if load.lead_key in seen else this).append(load)
            seen.add(load.lead_key)
        for start in range(0, len(this), size):
            yield this[start : start + size]
        waiting = later


def send_chunks(chunks: Iterator[list[Load]], send: Callable[[list[Load]], list[Receipt]]) -> Iterator[Receipt]:
    """Send chunk after chunk. A chunk that one record spoils is halved until that one stands alone; where the account
    itself says no, what is left is not even tried."""
    stopped: Verdict | None = None
    for chunk in chunks:
        pending = [chunk]
        while pending:
            part = pending.pop()
            if stopped is not None:
                yield from (stopped.receipt(load.parcel) for load in part)
                continue
            try:
                yield from send(part)
            except CallFailed as failed:
                verdict = failed.verdict
                if verdict.is_about_content and len(part) > 1:
                    middle = len(part) // 2
                    pending += [part[middle:], part[:middle]]
                    continue
                log.info("%d records: %s (%s)", len(part), verdict.code, verdict.detail)
                if not verdict.is_about_content:
                    untried = Outcome.LATER if verdict.outcome is Outcome.RETRY else verdict.outcome
                    stopped = replace(verdict, outcome=untried)
                yield from (verdict.receipt(load.parcel) for load in part)


def delivered(load: Load, external_id: Any) -> Receipt:
    """The receipt of a record that the CRM has."""
    return Receipt(load.parcel.delivery_id, Outcome.DELIVERED, external_id=str(external_id)[:255])


def _text(value: Value | None) -> str | None:
    return None if value is None else str(value)
