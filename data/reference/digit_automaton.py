"""A pattern over digits, as libphonenumber writes them, that is moved one digit at a time.

Belongs here: what of regular expressions those patterns use. A pattern with anything else fails loudly.
"""

from __future__ import annotations

from functools import cache
from re import _parser as regex_parser  # the parsed form of a pattern has no public door
from typing import Any

States = frozenset[int]
DIGITS = range(10)


class Automaton:
    """A pattern over digits as a set of states that is moved one digit at a time."""

    def __init__(self, pattern: str) -> None:
        self._silent: dict[int, list[int]] = {}
        self._moves: dict[int, list[tuple[frozenset[int], int]]] = {}
        self._count = 1
        self._end = self._sequence(regex_parser.parse(pattern), 0)
        self.start = self._closure([0])
        self.step = cache(self._step)

    def accepts(self, states: States) -> bool:
        """Whether the digits so far are a whole match."""
        return self._end in states

    def _step(self, states: States, digit: int) -> States:
        return self._closure([to for at in states for digits, to in self._moves.get(at, ()) if digit in digits])

    def _closure(self, states: list[int]) -> States:
        found: set[int] = set()
        while states:
            if (state := states.pop()) not in found:
                found.add(state)
                states += self._silent.get(state, ())
        return frozenset(found)

    def _new(self) -> int:
        self._count += 1
        return self._count - 1

    def _sequence(self, items: Any, state: int) -> int:
        for name, argument in items:
            state = getattr(self, f"_{str(name).lower()}")(argument, state)
        return state

    def _move(self, digits: set[int], state: int) -> int:
        to = self._new()
        self._moves.setdefault(state, []).append((frozenset(digits), to))
        return to

    def _literal(self, code: int, state: int) -> int:
        return self._move({int(chr(code))}, state)

    def _in(self, members: Any, state: int) -> int:
        digits: set[int] = set()
        for name, argument in members:
            if str(name) == "LITERAL":
                digits.add(int(chr(argument)))
            elif str(name) == "RANGE":
                digits.update(range(int(chr(argument[0])), int(chr(argument[1])) + 1))
            else:  # a category: \d
                digits.update(DIGITS)
        return self._move(digits, state)

    def _subpattern(self, argument: Any, state: int) -> int:
        return self._sequence(argument[3], state)

    def _branch(self, argument: Any, state: int) -> int:
        return self._join([self._sequence(branch, state) for branch in argument[1]])

    def _max_repeat(self, argument: Any, state: int) -> int:
        at_least, at_most, items = argument
        for _ in range(at_least):
            state = self._sequence(items, state)
        ends = [state]
        for _ in range(min(int(at_most), 20) - at_least):  # no number is longer than 17 digits
            ends.append(self._sequence(items, ends[-1]))
        return self._join(ends)

    def _join(self, ends: list[int]) -> int:
        to = self._new()
        for end in ends:
            self._silent.setdefault(end, []).append(to)
        return to
