"""Tells what a column holds by its values: addresses, phone numbers, numbers.

Belongs here: guesses good enough to see that a line does not fit, or to hint at a mapping. Never used to map silently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBERLIKE = re.compile(r"[\d\s.,+\-()/:x#]+")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b.*")
_MIN_VALUES = 3
_SHARE = 0.9


def is_address(value: str) -> bool:
    """Whether a value looks like an e-mail address."""
    return _ADDRESS.fullmatch(value) is not None


def is_phone(value: str) -> bool:
    """Whether a value looks like a telephone number: digits enough, and marks as in one."""
    digits = sum(char.isdigit() for char in value)
    return (
        7 <= digits <= 20
        and not value.isdigit()
        and _NUMBERLIKE.fullmatch(value) is not None
        and _DATE.fullmatch(value) is None
    )


def is_numberlike(value: str) -> bool:
    """Whether a value consists of digits and the marks of numbers, dates and telephones."""
    return _NUMBERLIKE.fullmatch(value) is not None


TESTS: dict[str | None, Callable[[str], bool]] = {
    "is_address": is_address,
    "is_phone": is_phone,
    "is_numberlike": is_numberlike,
}


def kind_of(values: Sequence[str]) -> str | None:
    """The name of the first test that nearly all values pass; None for other text or too few values."""
    if len(values) < _MIN_VALUES:
        return None
    return next((name for name, test in TESTS.items() if name and sum(map(test, values)) >= _SHARE * len(values)), None)
