"""A lane: all that one process does for one destination, in threads of its own, so that no other waits for it.

Belongs here: claiming ahead, sending by the most urgent first, holding on to claims, stopping. Does not belong here:
what an attempt means (``judging``), budgets (``resources.store.lanes``), which lanes there are (``worker``).
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiqleads_pipeline.delivering.bodies import BodyReader
from aiqleads_pipeline.delivering.judging import Call, Held, Judge, as_parcels, missing_bodies
from aiqleads_pipeline.delivering.kinds import Built
from aiqleads_pipeline.delivering.pace import Pace
from aiqleads_pipeline.outside import Outside
from resources.destinations import Outcome, Receipt
from resources.store import deliveries, lanes
from resources.store.deliveries import Failure
from resources.store.delivery_log import Marks
from resources.store.errors import StoreError

log = logging.getLogger(__name__)

HOLD_SECONDS = 30.0
MARK_SECONDS = 0.05  # that marks wait for others of their group
MARK_COUNT = 200
GRACE_SECONDS = 8.0
_AGAIN_SECONDS = 1.0


@dataclass(order=True)
class _Waiting:
    priority: int
    number: int
    held: Held = field(compare=False)


class Lane:
    """Sends to one destination until it is stopped."""

    def __init__(self, built: Built, judge: Judge, outside: Outside, reader: BodyReader, worker: str) -> None:
        self.built, self._judge, self._outside, self._reader, self._worker = built, judge, outside, reader, worker
        rule = built.rule
        self.name = rule.name
        self._chunk_size = min(rule.chunk_size, built.destination.chunk_size)
        self._budget = lanes.Budget(rule.name, self._chunk_size, rule.concurrency, rule.rate_per_second)
        self._timeout = rule.timeout_seconds or float(outside.settings.pipeline.DELIVERY_TIMEOUT)
        self._changed = threading.Condition()
        self._work = threading.Event()
        self._queue: list[_Waiting] = []
        self._running: dict[int, list[Held]] = {}
        self._calls: list[Call] = []
        self._slots, self._number, self._failed_in_row = 0, 0, 0
        self._pace = Pace()
        self._is_stopping = self._is_at_work = False
        self._due_priority: int | None = None  # of the most urgent that is due, as far as is known
        self._not_before = 0.0  # monotonic: nothing may be claimed until then
        self._per_second, self._marked_at = 0.0, time.monotonic()
        self.sent_count = 0
        self._senders: list[threading.Thread] = []
        self._keeper = threading.Thread(target=self._keep, name=f"lane {rule.name}", daemon=True)
        self._keeper.start()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is claimed, being sent or to be marked."""
        with self._changed:
            has_work = self._queue or self._running or self._calls
            return not (has_work or self._work.is_set() or self._is_at_work)

    @property
    def blocked_seconds(self) -> float:
        """How long its budgets, its breaker or a pause allow nothing."""
        return max(0.0, self._not_before - time.monotonic())

    def wake(self, priority: int) -> None:
        """Something of that urgency is due."""
        self._due_priority = priority
        if self.blocked_seconds == 0:
            self._work.set()

    def stop(self) -> None:
        """Begin to end: nothing new is claimed or sent."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        self._work.set()

    def join(self, deadline: float) -> None:
        """Wait for calls under way until ``deadline`` (monotonic), give back what was not sent, close."""
        for thread in (*self._senders, self._keeper):
            thread.join(max(0.0, deadline - time.monotonic()))
        if not self._keeper.is_alive():
            self._mark()
            with self._changed:
                left, self._queue = [each.held for each in self._queue], []
            self._release(left)
        self.built.close()

    # the keeper: claims, holds, marks

    def _keep(self) -> None:
        while not self._is_stopping:
            with self._changed:
                is_busy = bool(self._queue or self._running or self._calls)
            self._work.wait(MARK_SECONDS if is_busy else None)
            self._is_at_work = True
            self._work.clear()
            try:
                self._mark()
                self._extend()
                self._refill()
                self._rouse()
            except StoreError as error:
                log.warning("lane %s: %s", self.name, error)
                time.sleep(_AGAIN_SECONDS)
            except Exception:  # a lane that died in silence would be found by nobody
                log.exception("lane %s", self.name)
                time.sleep(_AGAIN_SECONDS)
            finally:
                self._is_at_work = False

    def _refill(self) -> None:
        """Claim ahead what is sent within about a second; what is more urgent than all that waits here at once."""
        with self._changed:
            have, head = len(self._queue), self._queue[0].priority if self._queue else 5
            running = len(self._running)
        due, window = self._due_priority, self._window()
        if self._is_stopping or due is None or self.blocked_seconds > 0:
            return
        is_hot = have > 0 and due < head
        if have > window // 2 and not is_hot:
            return
        now = self._outside.settings.now()
        priorities = self._priorities(now)
        limit = max(self._chunk_size, window - have)
        if is_hot:
            priorities = tuple(each for each in priorities if each < head)
        if not priorities:
            self._not_before = time.monotonic() + _AGAIN_SECONDS
            return
        taken_at = time.monotonic()
        grant = lanes.claim(
            self._outside.store, self._budget, self._worker, running, limit, now, HOLD_SECONDS, priorities
        )
        if grant.wait_seconds is not None:
            self._not_before = time.monotonic() + min(grant.wait_seconds, 5.0)
        if len(grant.deliveries) < limit:
            self._due_priority = None
            if grant.wait_seconds is None and not grant.deliveries:
                self._not_before = time.monotonic() + MARK_SECONDS
        held = [Held(each, taken_at + HOLD_SECONDS, grant.is_probe) for each in grant.deliveries]
        self._enqueue(held, grant.slots_count)

    def _enqueue(self, held: list[Held], slots: int) -> None:
        if held:
            try:
                bodies = self._reader.read(self.built.rule, [each.delivery for each in held])
            except Exception as error:  # whatever it is, it is no fault of these deliveries
                log.warning("lane %s: bodies can't be read (%s)", self.name, type(error).__name__)
                self._release(held, "lead_unreadable", seconds=60.0)
                return
            lost = [each for each in held if each.delivery.delivery_id not in bodies]
            held = [each.with_body(bodies) for each in held if each.delivery.delivery_id in bodies]
        else:
            lost = []
        with self._changed:
            if lost:
                self._calls.append(missing_bodies(lost, self._outside.settings.now()))
            self._slots = slots or self._slots
            for each in held:
                self._number += 1
                heapq.heappush(self._queue, _Waiting(each.delivery.priority, self._number, each))
            self._changed.notify_all()
        wanted = min(self._slots, max(1, len(self._queue))) if held else 0
        while len(self._senders) < wanted:
            number = len(self._senders)
            thread = threading.Thread(
                target=self._send_all, args=(number,), name=f"send {self.name} {number}", daemon=True
            )
            self._senders.append(thread)
            thread.start()

    def _priorities(self, now: datetime) -> tuple[int, ...]:
        quiet = self.built.rule.quiet_hours
        return quiet.priorities if quiet is not None and quiet.contain(now) else lanes.ALL_PRIORITIES

    def _window(self) -> int:
        least = max(self._slots, 1) * self._chunk_size * 2
        most = max(self._outside.settings.pipeline.MAX_BATCH_SIZE, self._chunk_size)
        return min(max(int(self._per_second), least), most)

    def _extend(self) -> None:
        """Go on holding what waits or is being sent; what somebody else holds by now is dropped."""
        now = time.monotonic()
        with self._changed:
            held = [each.held for each in self._queue] + [each for some in self._running.values() for each in some]
        old = [each for each in held if each.good_until - now < HOLD_SECONDS * 2 / 3]
        if not old:
            return
        at = self._outside.settings.now()
        until = at + timedelta(seconds=HOLD_SECONDS)
        kept = deliveries.extend_holds(self._outside.store, [each.delivery for each in old], until)
        lanes.keep_slots(self._outside.store, self.name, self._worker, self._slots, at)
        for each in old:
            each.good_until = now + HOLD_SECONDS if each.delivery.delivery_id in kept else 0.0

    def _mark(self) -> None:
        """Tell the store what calls came to, a group of them at once."""
        with self._changed:
            calls = self._calls[:]
        if not calls:
            return
        verdict = self._judge.judge(calls)
        lane_is_closed = self._judge.write(verdict)
        now = time.monotonic()
        with self._changed:
            del self._calls[: len(calls)]
            if self._failed_in_row >= lanes.BREAKER_THRESHOLD and not self._calls:
                self._failed_in_row = 0  # the store decides
            count = sum(len(each.held) for each in calls)
            self.sent_count += count
            recent = count / max(now - self._marked_at, MARK_SECONDS)
            self._per_second, self._marked_at = 0.7 * self._per_second + 0.3 * recent, now
            left = [each.held for each in self._queue] if lane_is_closed else []
            if lane_is_closed:
                self._queue = []
            self._changed.notify_all()
        self._release(left)

    def _release(self, held: Sequence[Held], code: str | None = None, seconds: float = 0.0) -> None:
        """Give back what was not tried, in its old order."""
        if not held:
            return
        now = self._outside.settings.now()
        marks = Marks(self.name)
        for each in held:
            first = each.delivery.created_at if each.delivery.attempts == 1 and not seconds else now
            marks.released.append(Failure(each.delivery, code, first + timedelta(seconds=seconds)))
        try:
            self._judge.write(marks)
        except StoreError as error:  # then their holds run out
            log.warning("lane %s: %s", self.name, error)

    def _rouse(self) -> None:
        """Let further senders begin where calls turn out to be slow."""
        with self._changed:
            if self._queue and len(self._running) < self._pace.senders(time.monotonic()):
                self._changed.notify_all()

    # the senders

    def _send_all(self, number: int) -> None:
        while True:
            with self._changed:
                while not self._is_stopping and not self._may_send(number):
                    self._changed.wait()
                if self._is_stopping:
                    return
                chunk = self._take_chunk()
                if not chunk:
                    continue
                self._running[number] = chunk
                self._pace.begins(number, time.monotonic())
            call = self._call(chunk)
            with self._changed:
                del self._running[number]
                if self._pace.ends(number, time.monotonic()):
                    self._changed.notify_all()
                self._calls.append(call)
                failed = all(each.outcome in (Outcome.RETRY, Outcome.GONE) for each in call.receipts)
                self._failed_in_row = self._failed_in_row + 1 if failed else 0
                is_low = not self._may_send(number) or len(self._queue) == self._window() // 2
                if is_low or len(self._calls) >= MARK_COUNT:
                    self._work.set()

    def _may_send(self, number: int) -> bool:
        """After some failures in a row the marks come first: they open the breaker for all processes."""
        if not self._queue or self._failed_in_row >= lanes.BREAKER_THRESHOLD:
            return False
        return number < self._slots and number < self._pace.senders(time.monotonic())

    def _take_chunk(self) -> list[Held]:
        chunk: list[Held] = []
        now = time.monotonic()
        while self._queue and len(chunk) < self._chunk_size:
            held = heapq.heappop(self._queue).held
            if held.good_until > now:  # else somebody else has it: this process slept
                chunk.append(held)
        return chunk

    def _call(self, chunk: list[Held]) -> Call:
        started_at, began = self._outside.settings.now(), time.monotonic()
        try:
            receipts = self.built.destination.deliver(as_parcels(chunk), timeout_seconds=self._timeout)
        except Exception as error:  # a fault of the destination's code: its lane must go on
            log.exception("lane %s", self.name)
            detail = type(error).__name__
            receipts = [
                Receipt(each.delivery.delivery_id, Outcome.RETRY, error_code="delivery_failed", detail=detail)
                for each in chunk
            ]
        return Call(chunk, receipts, started_at, time.monotonic() - began)
