"""Asks one provider about many keys: cache first, then one process for each key, within rate, money and breaker.

Belongs here: the way of a key from "wanted" to an answer or the reason why there is none. Does not belong here: which
provider is asked for what (``waterfall``).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiqleads_pipeline.enriching.desk import Desk
from resources.durable import crash_point
from resources.enrichment import Answers, EnrichmentProvider, Found, LookupRefused, LookupUnavailable
from resources.store import enrichment_cache as cache
from resources.store import provider_permits as permits

UNAVAILABLE, REFUSED, BUDGET, TIME = (
    "provider_unavailable", "provider_refused", "provider_budget_spent", "provider_out_of_time",
)  # fmt: skip
_KEYS_AT_ONCE = 5000
_POLL_SECONDS = (0.05, 1.0)
_CLAIM_MARGIN_SECONDS = 10.0
_LEAST_CALL_SECONDS = 0.05


@dataclass
class Results:
    """Answers by key, and why there is none for the others. ``paid_keys``: those that were not in the cache."""

    answers: dict[str, cache.Answer] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    calls_count: int = 0
    cached_count: int = 0


def ask_keys(desk: Desk, provider: EnrichmentProvider, keys: Iterable[str], deadline: float) -> Results:
    """Everything a provider says about distinct keys, until ``deadline`` (monotonic seconds).

    What is answered is in the cache, durable, when this returns: asked again it says the same.
    """
    asking = _Asking(desk, provider, deadline)
    wanted = sorted(set(keys))
    asking.read_cache(wanted)
    asking.results.cached_count = len(asking.results.answers)
    left = [key for key in wanted if key not in asking.results.answers]
    pause = _POLL_SECONDS[0]
    while left:
        others = asking.ask(left)
        if not others:
            break
        # Somebody else asks for these just now: what they are told counts for us too.
        if asking.stopped_by or time.monotonic() + pause >= deadline:
            asking.miss(others, asking.stopped_by or TIME)
            break
        time.sleep(pause)
        pause = min(2 * pause, _POLL_SECONDS[1])
        asking.read_cache(others)
        left = [key for key in others if key not in asking.results.answers]
    return asking.results


class _Asking:
    """One provider, one time. Threads share it; what they add is under the lock."""

    def __init__(self, desk: Desk, provider: EnrichmentProvider, deadline: float) -> None:
        self._desk, self._provider, self._deadline = desk, provider, deadline
        self._rule = desk.rules.content.providers[provider.name]
        self._caps, self._breaking = desk.caps(provider.name), desk.breaking(provider.name)
        self._timeout = float(desk.settings.pipeline.ENRICHMENT_TIMEOUT)
        self._lock = threading.Lock()
        self._hashes: dict[str, bytes] = {}
        self.results = Results()
        self.stopped_by: str | None = None

    def read_cache(self, keys: Sequence[str]) -> None:
        """Take what is known and fresh."""
        now, rules = self._desk.now(), self._desk.rules
        known = now - timedelta(days=rules.keep_days(self._provider.name))
        unknown = now - timedelta(days=rules.content.keep_days.unknown)
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            some = {self._hash(key): key for key in keys[start : start + _KEYS_AT_ONCE]}
            found = cache.read_answers(self._desk.store, self._provider.name, list(some), known, unknown)
            self.results.answers.update({some[each]: answer for each, answer in found.items()})

    def ask(self, keys: Sequence[str]) -> list[str]:
        """Ask for keys, several calls at once; returns those that somebody else asks for."""
        size = self._provider.terms.keys_per_call
        chunks = deque(keys[start : start + size] for start in range(0, len(keys), size))
        others: list[str] = []

        def work() -> None:
            while True:
                with self._lock:
                    if not chunks:
                        return
                    chunk = chunks.popleft()
                    stopped_by = self.stopped_by
                if stopped_by:
                    self.miss(chunk, stopped_by)
                    self._count_wanted(stopped_by)
                    continue
                held = self._ask_chunk(chunk)
                with self._lock:
                    others.extend(held)

        threads = min(self._rule.calls_at_once, len(chunks))
        if threads == 1:
            work()
        else:
            with ThreadPoolExecutor(threads, thread_name_prefix=f"ask {self._provider.name}") as pool:
                for done in [pool.submit(work) for _ in range(threads)]:
                    done.result()
        self._tell_wanted()
        return others

    def miss(self, keys: Iterable[str], reason: str) -> None:
        """Note that keys have no answer."""
        with self._lock:
            self.results.missing.update(dict.fromkeys(keys, reason))

    def _ask_chunk(self, chunk: Sequence[str]) -> list[str]:
        """One call for those of a chunk that nobody else asks for; returns the others."""
        left = self._deadline - time.monotonic()
        if left <= _LEAST_CALL_SECONDS:
            self._stop(TIME)
            self.miss(chunk, TIME)
            return []
        store, name = self._desk.store, self._provider.name
        hashes = {self._hash(key): key for key in chunk}
        seconds = min(left, self._timeout) + left + _CLAIM_MARGIN_SECONDS
        mine = cache.claim_keys(store, name, hashes, self._desk.holder, seconds)
        others = [key for each, key in hashes.items() if each not in mine]
        try:
            # Between our look at the cache and our claim somebody else may have been told.
            claimed = [hashes[each] for each in sorted(mine)]
            self.read_cache(claimed)
            asked: Sequence[str] = [key for key in claimed if key not in self.results.answers]
            while asked:
                asked = self._permitted_call(asked)
        finally:
            cache.release_claims(store, name, mine, self._desk.holder)
        return others

    def _permitted_call(self, keys: Sequence[str]) -> Sequence[str]:
        """One call if it may be made; returns the keys that are still to be asked for (money was short for all)."""
        terms, left = self._provider.terms, self._deadline - time.monotonic()
        wanted = permits.Ask(
            self._provider.name,
            terms.cost_usd_per_key * len(keys),
            terms.calls_per_second,
            self._rule.burst_calls,
            longest_wait_seconds=max(left - _LEAST_CALL_SECONDS, 0.0),
            timeout_seconds=min(self._timeout, max(left, 0.0)),
            caps=self._caps,
            today=self._desk.now().date(),
        )
        permit = permits.ask(self._desk.store, wanted)
        if isinstance(permit, permits.Denied):
            if permit.why == "budget" and len(keys) > 1:
                half = len(keys) // 2
                rest: Sequence[str] = keys[:half]
                while rest:
                    rest = self._permitted_call(rest)
                if self.stopped_by:
                    self.miss(keys[half:], self.stopped_by)
                    return []
                return keys[half:]
            reason = {"breaker": UNAVAILABLE, "budget": BUDGET, "rate": TIME}[permit.why]
            self._stop(reason)
            self.miss(keys, reason)
            return []
        time.sleep(permit.wait_seconds)
        self._call(keys, permit)
        return []

    def _call(self, keys: Sequence[str], permit: permits.Permit) -> None:
        provider = self._provider
        left = max(self._deadline - time.monotonic(), _LEAST_CALL_SECONDS)
        started = time.monotonic()
        code, pause, outcome = None, None, "answered"
        answers = Answers()
        try:
            answers = provider.lookup(keys, timeout_seconds=min(self._timeout, left))
        except LookupUnavailable as error:
            code, pause, outcome = error.code, error.pause_seconds, "failed"
        except LookupRefused as error:
            code, outcome = error.code, "refused"
        except Exception as error:
            # An adapter stumbled over what came: its answer is worth nothing, and it counts against the provider.
            code, outcome = f"adapter_{type(error).__name__}", "failed"
        seconds = time.monotonic() - started
        crash_point("enrichment:answered")
        now = self._desk.now()
        kept = self._kept(keys, answers, now) if outcome == "answered" else {}
        cost = sum(answer.cost_usd for answer in kept.values())
        # Answers first: a process that dies in between has paid for what is kept.
        cache.save_answers(
            self._desk.store, provider.name, {self._hash(key): each for key, each in kept.items()},
            self._desk.holder, now,
        )  # fmt: skip
        call = permits.Call(
            kind=provider.kind,
            seconds=seconds,
            outcome=outcome,  # type: ignore[arg-type]
            keys_count=len(keys),
            error_code=code,
            pause_seconds=pause,
            known_count=sum(each.state == "found" for each in kept.values()),
            facts_count=sum(len(each.facts) for each in kept.values()),
            refused_facts_count=sum(each.refused_count for each in answers.found.values()),
            cost_usd=cost,
        )
        permits.settle(self._desk.store, permit, call, self._breaking)
        with self._lock:
            self.results.calls_count += 1
            self.results.answers.update(kept)
        reason = REFUSED if outcome == "refused" else UNAVAILABLE
        self.miss([key for key in keys if key not in kept], reason)
        if outcome == "refused":
            self._stop(REFUSED)

    def _kept(self, keys: Sequence[str], answers: Answers, now: datetime) -> Mapping[str, cache.Answer]:
        """What goes into the cache: found, unknown and withheld keys; those that are not answered yet don't."""
        terms = self._provider.terms
        kept = {}
        for key in keys:
            known = answers.found.get(key)
            if known is not None and known.facts:
                kept[key] = _answer("found", known, terms.cost_usd_per_key, now)
            elif key in answers.withheld:
                kept[key] = _answer("withheld", None, 0.0, now)
            elif key not in answers.later:
                cost = terms.cost_usd_per_key if terms.charges_unknown or known is not None else 0.0
                kept[key] = _answer("unknown", None, cost, now)
        return kept

    def _stop(self, reason: str) -> None:
        with self._lock:
            self.stopped_by = self.stopped_by or reason

    _wanted_count = 0

    def _count_wanted(self, stopped_by: str) -> None:
        if stopped_by == UNAVAILABLE:
            with self._lock:
                self._wanted_count += 1

    def _tell_wanted(self) -> None:
        permits.count_wanted(self._desk.store, self._provider.name, self._wanted_count)
        self._wanted_count = 0

    def _hash(self, key: str) -> bytes:
        known = self._hashes.get(key)
        if known is None:
            known = self._hashes[key] = cache.key_sha256(self._provider.key_kind, key)
        return known


def _answer(state: str, found: Found | None, cost_usd: float, now: datetime) -> cache.Answer:
    return cache.Answer(
        state,  # type: ignore[arg-type]
        dict(found.facts) if found else {},
        found.confidence_share if found else 0.0,
        cost_usd,
        now,
    )
