"""Whose turn it is: the fair order of a pool of owners, and who takes the next n leads of a team.

Belongs here: arithmetic on owners, weights, turns and room. It never sees a lead, only how many there are. Does not
belong here: which team a lead goes to, and what is written about it (``route``).

A *pool* is a team's owners that can take a lead right now, with their weights. Its rota is a fixed sequence of period
W (the sum of the weights): Tijdeman's answer to the chairman assignment problem, by which after any number of turns
each owner has had less than one turn more or less than his weighted share. So all that must be remembered of a pool
is how many turns have passed, and it makes no difference how leads are cut into batches. When somebody gets full, is
absent or joins, it is another pool, with a rota and a count of its own: the promise holds for each pool, and nobody who
comes back is flooded to make up for what he missed.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache
from math import gcd


@dataclass(frozen=True)
class Pool:
    """A team's owners that take turns; ``shares`` is ``(owner, weight)``, sorted, without common factor."""

    team: str
    shares: tuple[tuple[str, int], ...]

    @cached_property
    def id(self) -> str:
        """Stays the same for the same team, owners and proportions, whatever their order in the file."""
        return hashlib.sha256(json.dumps([self.team, self.shares]).encode()).hexdigest()[:16]

    @cached_property
    def sequence(self) -> tuple[str, ...]:
        """Whose turn it is, for each turn of one period."""
        return _fair_sequence(self.id, self.shares)

    @cached_property
    def _turns_of(self) -> dict[str, list[int]]:
        turns: dict[str, list[int]] = {owner: [] for owner, _ in self.shares}
        for turn, owner in enumerate(self.sequence):
            turns[owner].append(turn)
        return turns

    def owner_at(self, turn: int) -> str:
        """Whose turn it is after ``turn`` turns have passed."""
        return self.sequence[turn % len(self.sequence)]

    def turns_before(self, turn: int, owner: str) -> int:
        """How many of the first ``turn`` turns are the owner's."""
        cycles, rest = divmod(turn, len(self.sequence))
        return cycles * len(self._turns_of[owner]) + bisect_left(self._turns_of[owner], rest)

    def turn_of(self, owner: str, nth: int) -> int:
        """The turn (from 0) that is the owner's ``nth`` (from 0)."""
        cycles, rest = divmod(nth, len(self._turns_of[owner]))
        return cycles * len(self.sequence) + self._turns_of[owner][rest]


@lru_cache(maxsize=4096)
def make_pool(team: str, shares: tuple[tuple[str, int], ...]) -> Pool:
    """The pool of these owners and weights (whole numbers from 1; common factors and order make no difference)."""
    divisor = gcd(*(weight for _, weight in shares))
    return Pool(team, tuple(sorted((owner, weight // divisor) for owner, weight in shares)))


def _fair_sequence(seed: str, shares: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    """One period of Tijdeman's sequence; equal claims are decided by a hash of pool and owner, never by rank.

    With k owners and shares s, an owner who had c turns may have the n-th turn once n*s - c >= 1/(2k-2), and must
    have had it by (c + 1 - 1/(2k-2)) / s. Each turn goes to the nearest deadline among those who may. Whole numbers
    and fractions only: the order is the same on every machine.
    """
    if len(shares) == 1:
        return (shares[0][0],)
    period = sum(weight for _, weight in shares)
    slack = 2 * len(shares) - 2
    ties = {owner: hashlib.sha256(f"{seed}\n{owner}".encode()).digest() for owner, _ in shares}
    weights = dict(shares)

    def claim(owner: str, had: int) -> tuple[int, tuple[Fraction, bytes, str, int]]:
        scale = slack * weights[owner]
        opens = -(-period * (had * slack + 1) // scale)
        return opens, (Fraction(period * ((had + 1) * slack - 1), scale), ties[owner], owner, had)

    waiting = [claim(owner, 0) for owner, _ in shares]
    heapq.heapify(waiting)
    ready: list[tuple[Fraction, bytes, str, int]] = []
    sequence = []
    for turn in range(1, period + 1):
        while waiting and waiting[0][0] <= turn:
            heapq.heappush(ready, heapq.heappop(waiting)[1])
        _, _, owner, had = heapq.heappop(ready)
        sequence.append(owner)
        heapq.heappush(waiting, claim(owner, had + 1))
    return tuple(sequence)


@dataclass(frozen=True)
class Stretch:
    """Consecutive leads of one team that one pool takes turns on.

    ``first_lead`` counts the team's leads from 0, ``first_turn`` the pool's turns from 0. ``full`` names the owners of
    the team that had no room left. With ``is_over`` nobody had: the pool is that of a suggestion, no turn is used.
    """

    pool: Pool
    first_lead: int
    leads_count: int
    first_turn: int
    full: tuple[str, ...] = ()
    is_over: bool = False


@dataclass
class Ledger:
    """What changes while turns are given: turns passed by pool id, and room by owner (absent from it: no limit)."""

    turns: dict[str, int] = field(default_factory=dict)
    room: dict[str, int] = field(default_factory=dict)

    def has_room(self, owner: str) -> bool:
        """Whether the owner can take one more."""
        return self.room.get(owner, 1) > 0

    def take(self, owner: str, count: int) -> int:
        """Give the owner up to ``count`` leads outside of any rota; the number that he has room for."""
        taken = min(count, max(self.room.get(owner, count), 0))
        if owner in self.room:
            self.room[owner] -= taken
        return taken


def give_turns(team: str, weights: Mapping[str, int], leads_count: int, ledger: Ledger) -> list[Stretch]:
    """Share out a team's next leads among its owners, in turns and within their room; the ledger is brought forward.

    A stretch ends when an owner gets full: there are at most as many as owners, and one for what finds nobody.
    """
    stretches: list[Stretch] = []
    given = 0
    while given < leads_count:
        free = tuple(sorted((owner, weight) for owner, weight in weights.items() if ledger.has_room(owner)))
        full = tuple(sorted(set(weights) - {owner for owner, _ in free}))
        if not free:
            everybody = make_pool(team, tuple(sorted(weights.items())))
            start = ledger.turns.get(everybody.id, 0)
            stretches.append(Stretch(everybody, given, leads_count - given, start, full, is_over=True))
            break
        pool = make_pool(team, free)
        start = ledger.turns.get(pool.id, 0)
        count = min([leads_count - given, *(_turns_until_full(pool, start, o, ledger) for o, _ in free)])
        stretches.append(Stretch(pool, given, count, start, full))
        ledger.turns[pool.id] = start + count
        for owner, taken in taken_by_owner(stretches[-1]).items():
            ledger.take(owner, taken)
        given += count
    return stretches


def taken_by_owner(stretch: Stretch) -> dict[str, int]:
    """How many leads of the stretch each owner of its pool gets."""
    pool, start, end = stretch.pool, stretch.first_turn, stretch.first_turn + stretch.leads_count
    return {owner: pool.turns_before(end, owner) - pool.turns_before(start, owner) for owner, _ in pool.shares}


def _turns_until_full(pool: Pool, start: int, owner: str, ledger: Ledger) -> int:
    if owner not in ledger.room:
        return 1 << 62
    last = pool.turns_before(start, owner) + ledger.room[owner] - 1
    return pool.turn_of(owner, last) - start + 1
