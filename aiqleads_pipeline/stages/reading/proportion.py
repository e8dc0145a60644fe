"""Whether a document would grow out of proportion when it is made flat (``flatten``).

Belongs here: this one look, before the work. Each value has its whole path as a header, so that long names over many
values multiply; and equal headers are told apart one by one. A quarter of a megabyte cost a gigabyte, or ten seconds.
"""

from __future__ import annotations

from typing import Any

from aiqleads_pipeline.stages.reading.flatten import _name_and_value as name_and_value

MOST_LEAVES = 10_000  # of a document of many leads
MOST_LEAD_LEAVES = 2_000
MOST_PAIRS = 500  # of questions with their answers in one list
MOST_PATH_CHARS = 4 << 20


def is_unwieldy(document: Any, most_leaves: int = MOST_LEAD_LEAVES) -> bool:
    """Whether a JSON value has too many values, too long paths, or too long a list of pairs; one pass, no recursion."""
    leaves = path_chars = 0
    left = [(document, 0)]
    while left:
        value, length = left.pop()
        if isinstance(value, dict):
            left += ((member, length + len(name) + 1) for name, member in value.items())
        elif isinstance(value, list):
            if len(value) > MOST_PAIRS and all(map(name_and_value, value)):
                return True
            left += ((member, length) for member in value)
        else:
            leaves, path_chars = leaves + 1, path_chars + length
            if leaves > most_leaves or path_chars > MOST_PATH_CHARS:
                return True
    return False
