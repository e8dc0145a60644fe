"""When a JSON value would grow out of proportion by being made flat (``flatten``).

Belongs here: the limits, and one look before the work. Each value has its whole path as a header, so that long names
over many values multiply: a quarter of a megabyte cost a gigabyte.
"""

from __future__ import annotations

from typing import Any

MOST_LEAVES = 10_000  # of a document of many leads
MOST_LEAD_LEAVES = 2_000
MOST_PATH_CHARS = 4 << 20  # of all headers of a row together
MOST_HEADER_CHARS = 65_536


class OutOfProportion(Exception):
    """A value's headers are longer than anything that tells of a lead."""


def is_unwieldy(document: Any, most_leaves: int = MOST_LEAD_LEAVES) -> bool:
    """Whether a JSON value has too many values or too long paths; one pass, no recursion."""
    leaves = path_chars = 0
    left = [(document, 0)]
    while left:
        value, length = left.pop()
        if isinstance(value, dict):
            left += ((member, length + len(name) + 1) for name, member in value.items())
        elif isinstance(value, list):
            left += ((member, length) for member in value)
        else:
            leaves, path_chars = leaves + 1, path_chars + length
            if leaves > most_leaves or path_chars > MOST_PATH_CHARS:
                return True
    return False
