"""Whether this process was told to end: answers that would go on for long end then by themselves.

Belongs here: the one flag. ``protocol`` raises it when the server begins to close its connections.
"""

from __future__ import annotations

_told = [False]


def note_stopping() -> None:
    """The server takes no more connections."""
    _told[0] = True


def is_stopping() -> bool:
    """Whether it was noted."""
    return _told[0]
