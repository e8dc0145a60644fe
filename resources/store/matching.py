"""Who is whom: what a chunk of identity claims comes to against the index. Arithmetic only, whole columns at a time.

Belongs here: the rules of the index. Does not belong here: reading and writing it (``identities``).

A claim is a key (64-bit hash of a rule and a value), a tag (hash of the last name for phones, else 0) and a lead. Two
claims of one key match if their tags are equal or one of them is 0 (a nameless lead). The index holds no two rows that
match each other, and its primary key alone is what guarantees that:
- the first who claims a key gets the row of the key itself, its *anchor*, with its tag;
- whoever comes later with another name gets a row under ``further_key(key, tag)``;
- a nameless lead, or one that meets a nameless anchor, matches the anchor. The anchor never changes.
So two leads that would match always want the same row, and only one of them can insert it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]
REPEAT = np.dtype([("lead", "V16"), ("existing", "V16"), ("kind", "u1")])


@dataclass(frozen=True)
class Claims:
    """Claims in the order of ``lead, key, tag``; ``lead`` is 16 bytes (``V16``), ``kind`` the rule's rank."""

    lead: Values
    key: Values
    tag: Values
    kind: Values

    def __len__(self) -> int:
        return len(self.key)

    def take(self, rows: Values | slice) -> Claims:
        """Some rows, by mask, positions or slice."""
        return Claims(self.lead[rows], self.key[rows], self.tag[rows], self.kind[rows])

    def ordered(self) -> Claims:
        """In the order of ``lead, key, tag``."""
        high, low = halves(self.lead)
        return self.take(np.lexsort((self.tag, self.key, low, high)))

    def is_ordered(self) -> bool:
        """Whether no lead stands before a smaller one."""
        high, low = halves(self.lead)
        return bool(np.all((high[:-1] < high[1:]) | ((high[:-1] == high[1:]) & (low[:-1] <= low[1:]))))

    def followed_by(self, others: Claims) -> Claims:
        """These and then the others."""
        if not len(self):
            return others
        pairs = ((self.lead, others.lead), (self.key, others.key), (self.tag, others.tag), (self.kind, others.kind))
        return Claims(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True)
class IndexRows:
    """Rows of the index."""

    key: Values
    tag: Values
    lead: Values


@dataclass(frozen=True)
class Settled:
    """What a chunk comes to: rows to insert (by ascending key), leads that repeat others, claims to settle after."""

    inserts: IndexRows
    repeats: Values
    later: Claims


LookUp = Callable[[Values], IndexRows]  # ascending distinct keys -> the rows that exist, by ascending key


def settle(claims: Claims, look_up: LookUp) -> Settled:
    """Decide for each lead, all of its keys at once, whether it is new or repeats another.

    A lead that holds a row already is (and stays) itself. Otherwise, if others hold some of its keys, it repeats the
    holder with the lowest kind (ties: the smallest lead), and its free keys go to that holder. Leads that match an
    earlier lead of the same chunk, neither of them indexed yet, come back as ``later``, to be settled when the rows of
    the earlier ones are there: the smallest lead never does, so repeating this ends.
    """
    is_idle = _own_nameless(claims)
    claims = claims.take(~is_idle) if is_idle.any() else claims
    number = _numbered(claims.lead)
    order = np.argsort(claims.key, kind="stable")  # by key, then by lead: sorted once, for sorting is what costs here
    holder, is_held, slot, is_anchored = _find_holders(claims, order, look_up)
    free = order[~is_held[order]]
    slot, waits = _share_out(claims, number, free, slot, is_anchored)
    is_ready = ~waits[number]
    target, repeats = _decide(claims, number, holder, is_held & is_ready)
    free = free[is_ready[free]]
    if (slot[free] != claims.key[free]).any():
        free = free[np.argsort(slot[free], kind="stable")]
    inserts = IndexRows(slot[free], claims.tag[free], target[number[free]])
    return Settled(inserts, repeats, claims.take(~is_ready))


def further_key(key: Values, tag: Values) -> Values:
    """The key under which a further name of a key is indexed: both mixed (splitmix64) to 64 bits."""
    with np.errstate(over="ignore"):
        x = key.view(np.uint64) + (tag.astype(np.int64).view(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: Values = (x ^ (x >> np.uint64(31))).view(np.int64)
    return mixed


def starts_of_leads(lead: Values) -> Values:
    """Where each lead's rows begin, for rows whose leads stand together."""
    return np.flatnonzero(np.diff(_numbered(lead), prepend=-1))


def in_order(repeats: Values) -> Values:
    """Repeats by lead."""
    high, low = halves(repeats["lead"])
    return repeats[np.lexsort((low, high))]


def halves(lead: Values) -> tuple[Values, Values]:
    """The 16 bytes as two unsigned numbers, which order as the bytes do."""
    pair = np.ascontiguousarray(lead).view(">u8").reshape(-1, 2).astype(np.uint64)
    return pair[:, 0], pair[:, 1]


def _own_nameless(claims: Claims) -> Values:
    """Claims without a name of leads that claim the same key with one: the named claim says it all."""
    number = _numbered(claims.lead)
    is_new = np.ones(len(claims), bool)
    is_new[1:] = (number[1:] != number[:-1]) | (claims.key[1:] != claims.key[:-1])
    group = np.cumsum(is_new) - 1
    has_name = np.bincount(group, claims.tag != 0) > 0 if len(claims) else np.zeros(0, bool)
    is_idle: Values = (claims.tag == 0) & has_name[group]
    return is_idle


def _numbered(lead: Values) -> Values:
    """The number of each row's lead, from 0, for rows whose leads stand together."""
    high, low = halves(lead)
    is_new = np.zeros(len(lead), np.int64)
    is_new[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    return np.cumsum(is_new)


def _find_holders(claims: Claims, order: Values, look_up: LookUp) -> tuple[Values, Values, Values, Values]:
    """Per claim: the holder, whether there is one, the row it would take, whether its key has an anchor."""
    anchors, found, at = _look_up_ordered(claims.key, order, look_up)
    is_anchored = np.zeros(len(claims), bool)
    is_anchored[found] = True
    anchor_tag, tag = anchors.tag[at], claims.tag[found]
    matches = (anchor_tag == 0) | (anchor_tag == tag) | (tag == 0)
    holder, is_held = np.zeros(len(claims), "V16"), np.zeros(len(claims), bool)
    holder[found[matches]], is_held[found[matches]] = anchors.lead[at[matches]], True
    slot, others = claims.key.copy(), found[~matches]
    if len(others):
        slot[others] = further_key(claims.key[others], claims.tag[others])
        further, found, at = _look_up_ordered(slot, others[np.argsort(slot[others])], look_up)
        holder[found], is_held[found] = further.lead[at], True
    return holder, is_held, slot, is_anchored


def _look_up_ordered(values: Values, order: Values, look_up: LookUp) -> tuple[IndexRows, Values, Values]:
    """Look up the values at some positions, given in the values' order.

    Returns the rows, the positions whose value was found, and for each of these where in the rows.
    """
    wanted = values[order]
    rows = look_up(distinct(wanted))
    if not len(rows.key):
        return rows, order[:0], order[:0]
    at = np.minimum(np.searchsorted(rows.key, wanted), len(rows.key) - 1)
    is_there = rows.key[at] == wanted
    return rows, order[is_there], at[is_there]


def _share_out(
    claims: Claims, number: Values, free: Values, slot: Values, is_anchored: Values
) -> tuple[Values, Values]:
    """Give each free claim a row of its own; leads that match an earlier lead of the chunk must wait.

    Returns the rows' keys by claim, and by lead whether it waits.
    """
    waits = np.zeros(int(number[-1]) + 1 if len(number) else 0, bool)
    fresh = free[~is_anchored[free]]
    first = _first_of_run(claims.key[fresh])
    is_first = first == np.arange(len(fresh))
    if not is_first.all():
        tag, first_tag = claims.tag[fresh], claims.tag[fresh][first]
        matches = (tag == 0) | (first_tag == 0) | (tag == first_tag)
        waits[number[fresh[matches & (number[fresh] != number[fresh[first]])]]] = True
        slot[fresh] = np.where(is_first, claims.key[fresh], further_key(claims.key[fresh], tag))
    wanted = free[slot[free] != claims.key[free]]
    wanted = wanted[np.lexsort((number[wanted], slot[wanted]))]
    waits[number[wanted[_first_of_run(slot[wanted]) != np.arange(len(wanted))]]] = True  # the first of equals goes on
    if waits.any():
        # An anchor whose lead waits goes to the next lead of its key that does not.
        ready = fresh[~waits[number[fresh]]]
        leading = ready[_first_of_run(claims.key[ready]) == np.arange(len(ready))]
        slot[leading] = claims.key[leading]
    return slot, waits


def _decide(claims: Claims, number: Values, holder: Values, is_held: Values) -> tuple[Values, Values]:
    """By lead: whom its rows go to; and the leads that repeat others, with the best match each."""
    leads = int(number[-1]) + 1 if len(number) else 0
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    target = claims.lead[starts].copy()
    held = np.flatnonzero(is_held)
    is_itself = np.zeros(leads, bool)
    is_itself[number[held[_equal(holder[held], claims.lead[held])]]] = True
    held = held[~is_itself[number[held]]]
    high, low = halves(holder[held])
    held = held[np.lexsort((low, high, claims.kind[held], number[held]))]
    best = held[np.flatnonzero(np.diff(number[held], prepend=-1))]
    target[number[best]] = holder[best]
    repeats = np.empty(len(best), REPEAT)
    repeats["lead"], repeats["existing"], repeats["kind"] = claims.lead[best], holder[best], claims.kind[best]
    return target, repeats


def _equal(some: Values, others: Values) -> Values:
    (some_high, some_low), (other_high, other_low) = halves(some), halves(others)
    same: Values = (some_high == other_high) & (some_low == other_low)
    return same


def distinct(ordered: Values) -> Values:
    """Each value of an ordered array once (NumPy's ``unique`` hashes, which is ten times slower here)."""
    once: Values = ordered[_first_of_run(ordered) == np.arange(len(ordered))]
    return once


def _first_of_run(values: Values) -> Values:
    """For each position of an ordered array, the first position that has the same value."""
    is_new = np.ones(len(values), bool)
    is_new[1:] = values[1:] != values[:-1]
    return np.maximum.accumulate(np.where(is_new, np.arange(len(values)), 0))
