"""The worker: a lane for each destination of the rules, woken when something is due. The same in a job and in `up`.

Belongs here: which lanes there are, waking and ending them, forgetting old attempts. Does not belong here: what a lane
does (``lane``).
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from datetime import timedelta
from types import FrameType, TracebackType

from aiqleads_pipeline.delivering.bodies import BodyReader
from aiqleads_pipeline.delivering.judging import Judge
from aiqleads_pipeline.delivering.kinds import NotBuilt, build
from aiqleads_pipeline.delivering.lane import GRACE_SECONDS, Lane
from aiqleads_pipeline.delivering.patience import Patience
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.crm import load_crm, mapping_sha256
from aiqleads_pipeline.rules.destinations import (
    DestinationRules,
    HubSpotDestination,
    SalesforceDestination,
    SentDestination,
    load_destinations,
)
from aiqleads_pipeline.rules.loading import RulesError
from resources.store import alerts, lanes
from resources.store.delivery_log import forget_attempts
from resources.store.errors import StoreError
from resources.store.leases import holder_name

log = logging.getLogger(__name__)

TICK_SECONDS = 0.2
RULES_SECONDS = 5.0
UPKEEP_SECONDS = 600.0
_BLOCKED_SECONDS = 3.0
_FORGET_ROWS = 5000


class Worker:
    """Drains the outbox until it is closed. Any number of them, in any processes, share the work."""

    def __init__(self, outside: Outside, name: str = "deliverer") -> None:
        self._outside = outside
        self._name = holder_name(name)
        self._reader = BodyReader(outside)
        self._lanes: dict[str, Lane] = {}
        self._rules: DestinationRules | None = None
        self._rules_at = self._upkeep_at = float("-inf")
        self._unusable: dict[str, str] = {}
        self._mappings: dict[str, str | None] = {}  # of each lane, as it was when it was opened
        self._faulty: dict[str, str | None] = {}  # edits that were told to be wrong

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def tick(self) -> dict[str, int]:
        """Look once: rules that changed, lanes that have something due; those, with their urgency."""
        now = time.monotonic()
        if now - self._rules_at >= RULES_SECONDS:
            self._rules_at = now
            self._follow_rules()
        if not self._lanes:
            return {}
        due = lanes.due_destinations(self._outside.store, list(self._lanes), self._outside.settings.now())
        for name, priority in due.items():
            self._lanes[name].wake(priority)
        if now - self._upkeep_at >= UPKEEP_SECONDS:
            self._upkeep_at = now
            days = timedelta(days=self._outside.settings.DELIVERY_LOG_DAYS)
            while forget_attempts(self._outside.store, self._outside.settings.now() - days) == _FORGET_ROWS:
                pass
        return due

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; the database may go away in between."""
        while not stop.is_set():
            try:
                self.tick()
            except StoreError as error:
                log.warning("the worker waits: %s", error)
                stop.wait(1.0)
            stop.wait(TICK_SECONDS)

    def drain(self, seconds: float) -> int:
        """Work until nothing is due that may be sent, or the time is over; how many deliveries were tried."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            due = self.tick()
            waiting = [name for name in due if self._lanes[name].blocked_seconds < _BLOCKED_SECONDS]
            if not waiting and all(lane.is_idle for lane in self._lanes.values()):
                break
            self._rest(TICK_SECONDS / 4)
        return sum(lane.sent_count for lane in self._lanes.values())

    def _rest(self, seconds: float) -> None:
        """Until the time is over, or the lanes have done what they had."""
        until, had_work = time.monotonic() + seconds, False
        while time.monotonic() < until:
            time.sleep(seconds / 10)
            is_idle = all(lane.is_idle for lane in self._lanes.values())
            if is_idle and had_work:
                return
            had_work |= not is_idle

    def close(self) -> None:
        """End: calls under way are waited for (a while), what was not sent is given back."""
        self._end(list(self._lanes))
        self._reader.close()
        try:
            lanes.leave(self._outside.store, self._name, self._outside.settings.now())
        except StoreError as error:  # then its slots expire
            log.warning("%s", error)

    def _follow_rules(self) -> None:
        try:
            rules = load_destinations(self._outside.settings.rules_dir)
        except RulesError as error:
            if self._rules is None:
                raise
            log.warning("the rules are wrong, the last good ones go on: %s", _first_line(error))
            return
        wanted = _deliverable(self._outside, rules)
        is_changed = self._rules is None or self._rules.sha256 != rules.sha256
        self._rules = rules
        gone = [name for name in self._lanes if is_changed and wanted.get(name) != self._lanes[name].built.rule]
        gone += [name for name in self._lanes if name not in gone and self._is_mapped_anew(wanted[name])]
        self._end(gone)
        for name, rule in wanted.items():
            if name not in self._lanes:
                self._open(rule, rules)

    def _is_mapped_anew(self, rule: SentDestination) -> bool:
        """Whether the mapping of a CRM was edited since its lane was opened, and can be used."""
        if not isinstance(rule, SalesforceDestination | HubSpotDestination):
            return False
        rules_dir = self._outside.settings.rules_dir
        mapping = mapping_sha256(rules_dir, rule)
        if mapping == self._mappings.get(rule.name):
            return False
        try:
            load_crm(rules_dir, rule.mapping or f"{rule.name}.yaml", rule.kind)
        except RulesError as error:
            if self._faulty.get(rule.name) != mapping:
                log.warning("the mapping of %s is wrong, the last good one goes on: %s", rule.name, _first_line(error))
            self._faulty[rule.name] = mapping
            return False
        return True

    def _open(self, rule: SentDestination, rules: DestinationRules) -> None:
        store, now = self._outside.store, self._outside.settings.now()
        # Read before it is built: an edit in between is then seen as one.
        mapping = None
        if isinstance(rule, SalesforceDestination | HubSpotDestination):
            mapping = mapping_sha256(self._outside.settings.rules_dir, rule)
        try:
            built = build(rule, self._outside)
        except NotBuilt as fault:
            error = _first_line(fault)
            if self._unusable.get(rule.name) != error:
                self._unusable[rule.name] = error
                log.warning("%s", error)
                alerts.raise_alert(store, "destination_unusable", rule.name, "error", error, None, now)
            return
        self._mappings[rule.name] = mapping
        if self._unusable.pop(rule.name, None) is not None:
            alerts.close_alert(store, "destination_unusable", rule.name, now)
        pipeline = self._outside.settings.pipeline
        patience = Patience(pipeline.MAX_RETRIES, float(pipeline.RETRY_DELAY), rules.waits(rule))
        judge = Judge(rule, patience, self._outside)
        self._lanes[rule.name] = Lane(built, judge, self._outside, self._reader, self._name)

    def _end(self, names: list[str]) -> None:
        ending = [self._lanes.pop(name) for name in names]
        for lane in ending:
            lane.stop()
        deadline = time.monotonic() + GRACE_SECONDS
        for lane in ending:
            lane.join(deadline)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def deliverable(outside: Outside) -> dict[str, SentDestination]:
    """The destinations that may be sent to now, by name: webhooks that are switched off by their flag queue.

    Raises:
        RulesError: destinations.yaml is wrong.
    """
    return _deliverable(outside, load_destinations(outside.settings.rules_dir))


def _deliverable(outside: Outside, rules: DestinationRules) -> dict[str, SentDestination]:
    allowed = outside.settings.flags.enableWebhooks
    return {name: rule for name, rule in rules.sent.items() if allowed or not rule.is_webhook}


def drain(outside: Outside, seconds: float) -> int:
    """Send what is due now; how many deliveries were tried."""
    with Worker(outside) as worker:
        return worker.drain(seconds)


def run_resident(outside: Outside) -> None:
    """Send until SIGTERM or SIGINT."""
    stop = threading.Event()

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    with Worker(outside) as worker:
        worker.run(stop)
