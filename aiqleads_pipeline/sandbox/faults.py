"""Faults by switch and by seed: which request meets which fault.

Belongs here: the rules and how they are decided. Does not belong here: what a fault looks like on the wire (``wire``,
``mail``). The same seed, rules and requests give the same faults: by content in any order, by count in the same order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Any

from aiqleads_pipeline.sandbox.exchange import chance

# Kind: its options and their defaults.
KINDS: dict[str, dict[str, Any]] = {
    "slow": {"seconds": 2.0},
    "hang": {"seconds": 3600.0},
    "drip": {"seconds": 0.2},
    "reset": {},
    "error": {"status": 500, "retry_after": None, "body": None},
    "throttle": {"retry_after": 1.0, "form": "seconds"},
    "partial": {"records": 0.5},
    "charset": {"charset": "utf-16"},
    "truncated": {},
    "huge": {"megabytes": 64.0},
    "html": {},
    "empty": {},
    "redirect": {"location": "http://127.0.0.1:9/"},
    "lost": {"how": "reset", "seconds": 3600.0},
    "late": {"seconds": 5.0},
}
_IDENTITIES = ("webhook-id", "idempotency-key", "x-idempotency-key")
_CHOICES = {"form": ("seconds", "date", "none"), "how": ("reset", "hang", "close"), "by": ("content", "count")}
_COMMON = ("double", "kind", "route", "share", "times", "skip", "by")


class UnknownFault(ValueError):
    """No such fault, or no such option of it."""


@dataclass
class Fault:
    """One rule. ``options`` are the kind's, all of them."""

    number: int
    double: str
    kind: str
    route: str = "*"  # glob on "METHOD /path"
    share: float = 1.0
    times: int | None = None
    skip: int = 0
    by: str = "content"
    options: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    struck: int = 0

    def fits(self, double: str, target: str) -> bool:
        """Whether it is about such a request at all."""
        return fnmatchcase(double, self.double) and (self.route == "*" or fnmatchcase(target, self.route))


class Faults:
    """All rules of a sandbox. The first that strikes is the request's fault."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._rules: list[Fault] = []
        self._numbers = 0
        self._attempts: Counter[tuple[int, bytes]] = Counter()

    def add(self, double: str, kind: str, **given: Any) -> Fault:
        """Add a rule.

        Raises:
            UnknownFault: the kind or an option is none.
        """
        if kind not in KINDS:
            raise UnknownFault(f"no fault {kind!r}; there are {', '.join(KINDS)}")
        own = {name: given.pop(name) for name in list(given) if name in KINDS[kind]}
        strange = set(given) - set(_COMMON[2:])
        if strange:
            legal = [*KINDS[kind], *_COMMON[2:]]
            raise UnknownFault(f"{kind} has no option {', '.join(sorted(strange))}; it has {', '.join(legal)}")
        for name, legal_values in _CHOICES.items():
            value = own.get(name, given.get(name, legal_values[0]))
            if value not in legal_values:
                raise UnknownFault(f"{name} is one of {', '.join(legal_values)}, not {value!r}")
        self._numbers += 1
        rule = Fault(self._numbers, double, kind, **given, options={**KINDS[kind], **own})
        self._rules.append(rule)
        return rule

    def clear(self, numbers: Iterable[int] | None = None) -> None:
        """Take rules away: these, or all, and then the count begins anew."""
        if numbers is None:
            self._rules, self._numbers = [], 0
            self._attempts.clear()
        else:
            gone = set(numbers)
            self._rules = [rule for rule in self._rules if rule.number not in gone]

    def listed(self) -> list[dict[str, Any]]:
        """All rules, as they stand."""
        return [asdict(rule) for rule in self._rules]

    def strike(
        self, double: str, target: str, headers: dict[str, str], body: bytes, *, by_name: bool = False
    ) -> Fault | None:
        """The fault that this request meets, if any.

        Args:
            target: ``METHOD /path``.
            by_name: only rules whose route says more than ``*``.
        """
        for rule in self._rules:
            if not rule.fits(double, target) or (by_name and rule.route == "*" and rule.kind != "partial"):
                continue
            rule.seen += 1
            if rule.seen <= rule.skip or (rule.times is not None and rule.struck >= rule.times):
                continue
            if rule.share >= 1 or self._chance(rule, target, headers, body) < rule.share:
                rule.struck += 1
                return rule
        return None

    def _chance(self, rule: Fault, target: str, headers: dict[str, str], body: bytes) -> float:
        if rule.by == "count":
            return chance(self.seed, rule.number, rule.seen)
        known = next((headers[name] for name in _IDENTITIES if name in headers), None)
        what = f"{target}\n{known}".encode() if known else target.encode() + b"\n" + body
        key = rule.number, blake2b(what, digest_size=8).digest()
        self._attempts[key] += 1
        return chance(self.seed, rule.number, key[1].hex(), self._attempts[key])


def parse_fault(text: str) -> dict[str, Any]:
    """``hubspot:error:status=503,share=0.2`` as the arguments of ``Faults.add``.

    Raises:
        UnknownFault: it does not read so.
    """
    double, _, rest = text.partition(":")
    kind, _, options = rest.partition(":")
    if not double or not kind:
        raise UnknownFault(f"{text!r}: a fault reads DOUBLE:KIND[:OPTION=VALUE,…], e.g. hubspot:error:status=503")
    read: dict[str, Any] = {"double": double, "kind": kind}
    for option in filter(None, options.split(",")):
        name, mark, value = option.partition("=")
        if not mark:
            raise UnknownFault(f"{text!r}: {option!r} is no OPTION=VALUE")
        read[name] = _value(value)
    return read


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None if text == "none" else text


assert set(_COMMON) <= {each.name for each in fields(Fault)}  # noqa: S101 - a rule's options are its fields
