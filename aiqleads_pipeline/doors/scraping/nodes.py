"""What pages say in schema.org terms, in one form for all three syntaxes.

Belongs here: the common form and its terms. The syntaxes are ``json_ld`` and ``markup``; what a lead is of it is
``schema_leads``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_NODES = 20_000  # of one page
MAX_DEPTH = 64
MAX_VALUE_CHARS = 20_000

_TERM = re.compile(r"(?:https?://(?:www\.)?schema\.org/|schema:)(?P<term>[A-Za-z][A-Za-z0-9]*)/?")


class UnreadablePage(Exception):
    """The page can't be read; the message is a reason code."""


@dataclass
class Room:
    """How many characters may still be taken from a page: text that lies in a thousand elements at once is taken a
    thousand times."""

    chars_left: int = 16_000_000

    def take(self, text: str) -> str:
        """The text, accounted for.

        Raises:
            UnreadablePage: there is no room for it.
        """
        self.chars_left -= len(text)
        if self.chars_left < 0:
            raise UnreadablePage("page_expands_too_much")
        return text


@dataclass(eq=False)
class Node:
    """One thing a page speaks of. Values are texts (whitespace collapsed) or further nodes."""

    types: list[str] = field(default_factory=list)
    id: str | None = None
    values: dict[str, list[str | Node]] = field(default_factory=dict)
    room: Room = field(default_factory=Room)

    def add(self, name: str, value: str | Node) -> None:
        """Add a value; an empty text says nothing."""
        if isinstance(value, str):
            value = self.room.take(collapsed(value))
        if value:
            self.values.setdefault(name, []).append(value)

    def __bool__(self) -> bool:
        return True


def schema_term(text: str) -> str | None:
    """The schema.org term that a full or prefixed name stands for; None for a name of another vocabulary."""
    found = _TERM.fullmatch(text.strip())
    return found["term"] if found else None


def collapsed(text: str) -> str:
    """A text with its runs of whitespace as one blank, cut at ``MAX_VALUE_CHARS``."""
    return " ".join(text[: 4 * MAX_VALUE_CHARS].split())[:MAX_VALUE_CHARS]
