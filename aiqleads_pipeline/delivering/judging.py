"""What calls came to: delivered, tried again at a time, dead, or not tried; and what that says of the destination.

Belongs here: from receipts to marks and alerts. Does not belong here: sending (``lane``) and the marks' transaction
(``resources.store.delivery_log``).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from aiqleads_pipeline.delivering.patience import Patience
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.reasons import REASONS
from aiqleads_pipeline.rules.destinations import SentDestination
from resources.destinations import Outcome, Parcel, Receipt
from resources.store import alerts, lanes
from resources.store.deliveries import Delivery, Failure
from resources.store.delivery_log import Attempt, Marked, Marks, write_marks

# What waits for one of these is due at once when its destination is back.
OUTAGE_CODES = (
    "receiver_unreachable", "receiver_timed_out", "receiver_failed", "answer_lost", "receiver_throttled",
    "receiver_denied",
)  # fmt: skip
LATER_SECONDS = 60.0
HELD = "held_until_open"
# Waiting of single deliveries: it says nothing of the destination, and must not make the others wait.
OF_THEIR_OWN = (HELD, "crm_limit_reserved")
_DETAIL_CHARS = 500


@dataclass
class Held:
    """A delivery that this process claimed; ``good_until`` (monotonic) it is nobody else's."""

    delivery: Delivery
    good_until: float
    is_probe: bool = False
    body: Mapping[str, Any] = field(default_factory=dict)

    def with_body(self, bodies: Mapping[UUID, Mapping[str, Any]]) -> Held:
        """With what it carries."""
        return replace(self, body=bodies[self.delivery.delivery_id])


@dataclass(frozen=True)
class Call:
    """One call of a destination. ``was_made`` is false where it was known beforehand that it can't be."""

    held: Sequence[Held]
    receipts: Sequence[Receipt]
    started_at: datetime
    seconds: float
    was_made: bool = True


@dataclass
class Verdict(Marks):
    """Marks, and what a person must know."""

    dead_codes: list[str] = field(default_factory=list)
    is_gone: bool = False


def as_parcels(held: Sequence[Held]) -> list[Parcel]:
    """What the destination gets."""
    return [
        Parcel(
            each.delivery.delivery_id,
            each.delivery.lead_id,
            each.delivery.destination,
            each.delivery.attempts,
            each.delivery.priority,
            each.delivery.created_at,
            each.body,
        )
        for each in held
    ]


def missing_bodies(held: Sequence[Held], now: datetime) -> Call:
    """Deliveries of leads or notices that are nowhere: they can never be made."""
    receipts = [Receipt(each.delivery.delivery_id, Outcome.REFUSED, error_code="lead_missing") for each in held]
    return Call(held, receipts, now, 0.0, was_made=False)


class Judge:
    """Judges the calls of one destination and writes what they came to."""

    def __init__(self, rule: SentDestination, patience: Patience, outside: Outside) -> None:
        self._rule, self._patience, self._outside = rule, patience, outside
        self._chance = random.Random()  # noqa: S311 - spreads retries, guards nothing

    def judge(self, calls: Sequence[Call]) -> Verdict:
        """What a group of calls came to."""
        verdict, now = Verdict(self._rule.name), self._outside.settings.now()
        for call in calls:
            by_id = {each.delivery_id: each for each in call.receipts}
            receipts = [by_id.get(each.delivery.delivery_id) or _none(each.delivery) for each in call.held]
            for held, receipt in zip(call.held, receipts, strict=True):
                self._settle(verdict, held.delivery, receipt, now)
                verdict.attempts.append(_logged(held.delivery, receipt, call))
            if call.was_made:
                verdict.was_probe |= any(each.is_probe for each in call.held)
                _weigh(verdict, receipts, now)
        return verdict

    def write(self, marks: Marks) -> bool:
        """Write them, and tell people; whether the destination is closed by now (its breaker opened, or it is off)."""
        store, now = self._outside.store, self._outside.settings.now()
        if not marks:
            return False
        marked = write_marks(store, marks, now, OUTAGE_CODES)
        if isinstance(marks, Verdict):
            if marks.dead_codes:
                self._alert_dead(marks.dead_codes, now)
            if marks.is_gone:
                self._switch_off("receiver_gone", "it answered 410: it wants no more deliveries", now)
                return True
        if marked.has_recovered:
            alerts.close_alert(store, "destination_failing", self._rule.name, now)
        if marked.lane is None:
            return False
        return self._watch(marked, _why(marks), now) or marked.lane.is_open

    def _settle(self, verdict: Verdict, delivery: Delivery, receipt: Receipt, now: datetime) -> None:
        outcome = receipt.outcome
        code = receipt.error_code if receipt.error_code in REASONS else "delivery_failed"
        if outcome is Outcome.DELIVERED:
            verdict.delivered.append((delivery.delivery_id, receipt.external_id))
        elif outcome is Outcome.GONE:
            verdict.is_gone = True
            verdict.released.append(Failure(delivery, "receiver_gone", now))
        elif outcome is Outcome.LATER:
            later = now + timedelta(seconds=receipt.retry_after_seconds or LATER_SECONDS)
            verdict.released.append(Failure(delivery, code, later))
        else:
            wait = None
            if outcome is Outcome.RETRY:
                chance = self._chance.random()
                wait = self._patience.wait_after(delivery.attempts, receipt.retry_after_seconds, chance)
            verdict.failures.append(Failure(delivery, code, None if wait is None else now + timedelta(seconds=wait)))
            if wait is None:
                verdict.dead_codes.append(code)

    def _alert_dead(self, codes: Sequence[str], now: datetime) -> None:
        told = ", ".join(f"{codes.count(code)} x {code}" for code in sorted(set(codes)))
        what = f"{told}; `aiqleads deliveries list --state dead --destination {self._rule.name}` shows them"
        alerts.raise_alert(self._outside.store, "deliveries_dead", self._rule.name, "error", what, None, now)

    def _watch(self, marked: Marked, why: str, now: datetime) -> bool:
        """Warn of a destination that keeps failing, step by step, and switch it off at last; whether that happened."""
        lane = marked.lane
        if lane is None or lane.failing_since is None:
            return False
        days = (now - lane.failing_since) / timedelta(days=1)
        warnings = sorted(self._rule.warn_after_days)
        if lane.warnings_count < len(warnings):
            if days >= warnings[lane.warnings_count] and lanes.warn(self._outside.store, lane):
                off_at = lane.failing_since + timedelta(days=self._rule.off_after_days)
                name = self._rule.name
                what = (
                    f"it has failed for {days:.1f} days{why}; unless it answers it is switched off on "
                    f"{off_at:%Y-%m-%d %H:%M} UTC; `aiqleads deliveries test {name}` tries it"
                )
                alerts.raise_alert(self._outside.store, "destination_failing", name, "warning", what, None, now)
            return False
        if days < self._rule.off_after_days:
            return False
        self._switch_off("destination_failing", f"it failed for {days:.1f} days{why}", now, lane.failing_since)
        return True

    def _switch_off(self, reason: str, what: str, now: datetime, since: datetime | None = None) -> None:
        name = self._rule.name
        if lanes.switch(self._outside.store, name, "off", reason, now):
            again = f"replay {name} --since {since:%Y-%m-%dT%H:%M}" if since else f"retry --destination {name}"
            detail = (
                f"{what}; its deliveries wait. When it is mended: `aiqleads deliveries on {name}` sends what waits, "
                f"`aiqleads deliveries {again}` makes again what was given up"
            )
            alerts.raise_alert(self._outside.store, "destination_off", name, "error", detail, None, now)
            alerts.close_alert(self._outside.store, "destination_failing", name, now)  # it is off by now


def _why(marks: Marks) -> str:
    """What most of the failures were, in brackets."""
    codes = [each.error_code for each in marks.failures if each.error_code]
    return f" ({max(sorted(set(codes)), key=codes.count)})" if codes else ""


def _none(delivery: Delivery) -> Receipt:
    return Receipt(delivery.delivery_id, Outcome.RETRY, error_code="delivery_failed", detail="no receipt")


def _weigh(verdict: Verdict, receipts: Sequence[Receipt], now: datetime) -> None:
    """What a call says of the destination as a whole. What waits on its own says nothing."""
    receipts = [each for each in receipts if each.error_code not in OF_THEIR_OWN]
    if not receipts:
        return
    outcomes = {each.outcome for each in receipts}
    is_throttled = all(each.error_code == "receiver_throttled" for each in receipts)
    if outcomes & {Outcome.DELIVERED, Outcome.REFUSED}:
        verdict.has_success = True
    elif Outcome.RETRY in outcomes and not is_throttled:
        verdict.failed_calls_count += 1
    if len(outcomes) != 1 or outcomes & {Outcome.DELIVERED, Outcome.REFUSED}:
        return
    asked = [each.retry_after_seconds for each in receipts]
    if pauses := [each for each in asked if each]:
        if len(pauses) == len(asked):
            until = now + timedelta(seconds=min(pauses))
            verdict.paused_until = until if verdict.paused_until is None else max(verdict.paused_until, until)
    elif is_throttled:
        verdict.paused_until = now + timedelta(seconds=1)


def _logged(delivery: Delivery, receipt: Receipt, call: Call) -> Attempt:
    detail = None if receipt.detail is None else receipt.detail.replace("\0", "")[:_DETAIL_CHARS]
    return Attempt(
        delivery,
        receipt.outcome.value,
        call.started_at,
        call.seconds,
        receipt.error_code,
        receipt.status_code,
        detail,
        receipt.answer,
        receipt.sent_bytes_count,
        receipt.answer_bytes_count,
    )
