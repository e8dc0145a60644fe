"""The waterfall: for each empty field one provider after the other, until one is sure enough.

Belongs here: the order of asking and which answer wins. Does not belong here: how a provider is asked (``asking``) and
leads (subjects are leads that lack the same by the same keys).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from aiqleads_pipeline.enriching.asking import REFUSED, TIME, Results, ask_keys
from aiqleads_pipeline.enriching.desk import Desk
from aiqleads_pipeline.rules.enrichment import FieldRule

KEY_KINDS = ("company_domain", "company_name", "email", "email_domain", "phone_e164", "place")
_MOST_KEY_CHARS = 400


@dataclass(frozen=True, slots=True)
class Subject:
    """Leads that lack the same fields and may be asked about by the same keys (by kind of key)."""

    subject_id: str
    kind: str
    fields: tuple[str, ...]
    keys: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fact:
    """A value for a field of a subject, and where it comes from. ``cost_usd`` is its share of what its key cost."""

    subject_id: str
    field: str
    value: str
    provider: str
    confidence_share: float
    cost_usd: float
    answered_at: datetime


@dataclass
class Outcome:
    """What was found, and what is lacking because somebody could not be asked (subject to reason)."""

    facts: list[Fact] = field(default_factory=list)
    gaps: dict[str, str] = field(default_factory=dict)
    results: dict[str, Results] = field(default_factory=dict)  # by provider


def run_waterfall(desk: Desk, subjects: Sequence[Subject], seconds: float) -> Outcome:
    """Ask for what subjects lack, for ``seconds`` at most. Providers of one round are asked at the same time."""
    deadline = time.monotonic() + seconds
    rules = desk.rules.wanted_fields
    state = _Waterfall(desk, rules, subjects)
    for turn in range(max((len(rule.order) for rule in rules.values()), default=0)):
        asked = {name: keys for name, keys in state.wants(turn).items() if keys}
        if asked:
            with ThreadPoolExecutor(len(asked), thread_name_prefix="provider") as pool:
                running = {
                    name: pool.submit(ask_keys, desk, desk.providers[name], keys, deadline)
                    for name, keys in asked.items()
                }
                for name, each in running.items():
                    state.take(name, each.result())
        state.judge(turn)
    return state.outcome()


class _Waterfall:
    def __init__(self, desk: Desk, rules: Mapping[str, FieldRule], subjects: Sequence[Subject]) -> None:
        self._desk, self._rules, self._subjects = desk, rules, subjects
        self._results: dict[str, Results] = {}
        self._best: dict[tuple[str, str], Fact] = {}
        self._settled: set[tuple[str, str]] = set()
        self._lacking: dict[tuple[str, str], str] = {}

    def wants(self, turn: int) -> dict[str, set[str]]:
        """Keys by provider that this round asks for: those that no earlier round did."""
        wanted: dict[str, set[str]] = {}
        for subject, name, provider in self._open(turn):
            key = self._key(subject, provider)
            if provider not in self._desk.providers:
                self._lacking.setdefault((subject.subject_id, name), REFUSED)
            elif key is not None and not self._is_asked(provider, key):
                wanted.setdefault(provider, set()).add(key)
        return wanted

    def take(self, provider: str, results: Results) -> None:
        """Keep what a provider said."""
        known = self._results.setdefault(provider, Results())
        known.answers.update(results.answers)
        known.missing.update(results.missing)
        known.calls_count += results.calls_count
        known.cached_count += results.cached_count

    def judge(self, turn: int) -> None:
        """Settle the fields for which the provider of this round is sure enough."""
        for subject, name, provider in self._open(turn):
            key, at = self._key(subject, provider), (subject.subject_id, name)
            results = self._results.get(provider)
            if key is None or results is None:
                continue
            answer = results.answers.get(key)
            if answer is None:
                self._lacking.setdefault(at, results.missing.get(key, TIME))
            elif answer.state == "withheld":
                self._settled.add(at)  # who objected to one is not asked about at another
                self._best.pop(at, None)
            elif name in answer.facts and name in self._desk.providers[provider].fields:
                best = self._best.get(at)
                if best is None or answer.confidence_share > best.confidence_share:
                    self._best[at] = Fact(
                        subject.subject_id,
                        name,
                        _text(answer.facts[name]),
                        provider,
                        answer.confidence_share,
                        answer.cost_usd / len(answer.facts),
                        answer.answered_at,
                    )
                if answer.confidence_share >= self._rules[name].stop_at:
                    self._settled.add(at)

    def outcome(self) -> Outcome:
        """The best answers that are sure enough to be used, and the gaps that somebody may still fill."""
        found = Outcome(results=self._results)
        for subject in self._subjects:
            for name in subject.fields:
                at = (subject.subject_id, name)
                best = self._best.get(at)
                if best is not None and best.confidence_share >= self._rules[name].least:
                    found.facts.append(best)
                elif at in self._lacking and at not in self._settled:
                    found.gaps.setdefault(subject.subject_id, self._lacking[at])
        return found

    def _open(self, turn: int) -> list[tuple[Subject, str, str]]:
        """Subjects, fields and the provider whose turn it is, where nobody was sure enough yet."""
        return [
            (subject, name, rule.order[turn])
            for subject in self._subjects
            for name in subject.fields
            if (rule := self._rules.get(name)) is not None
            and turn < len(rule.order)
            and (subject.subject_id, name) not in self._settled
        ]

    def _key(self, subject: Subject, provider: str) -> str | None:
        made = self._desk.providers.get(provider)
        key = subject.keys.get(made.key_kind) if made else None
        return key if key and len(key) <= _MOST_KEY_CHARS else None

    def _is_asked(self, provider: str, key: str) -> bool:
        known = self._results.get(provider)
        return known is not None and (key in known.answers or key in known.missing)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
