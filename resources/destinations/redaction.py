"""What may be kept of an answer: its head, with whatever could be a person's or a secret blotted out.

Belongs here: redaction for the log of attempts. A receiver may send back what it was sent, in any form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

HEAD_CHARS = 300
_BLOT = "…"
_EMAIL = re.compile(r"[^\s\"'<>,;:=&]{1,128}(@|%40)[^\s\"'<>,;:=&]{1,255}")
_TOKENS = re.compile(r"(?i)\b(bearer|basic|token|secret|key|password|signature)([\"'\s:=]+)[^\s\"',;}]+")
_LONG_WORDS = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
_DIGITS = re.compile(r"\d(?:[\s().-]?\d){5,}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_SHORTEST_VALUE = 3


def redacted_answer(body: bytes, sent: Mapping[str, Any] | None = None) -> str | None:
    """The head of a body that was received, in one line; None of an empty one.

    Args:
        sent: what was sent: none of its texts stays readable.
    """
    if not body:
        return None
    text = _CONTROLS.sub(" ", body[: 8 * HEAD_CHARS].decode("utf-8", "replace"))
    for value in sorted(set(_texts(sent)), key=len, reverse=True):
        text = re.sub(re.escape(value), _BLOT, text, flags=re.IGNORECASE)
    for pattern, blot in ((_EMAIL, _BLOT), (_TOKENS, rf"\1\2{_BLOT}"), (_LONG_WORDS, _BLOT), (_DIGITS, _BLOT)):
        text = pattern.sub(blot, text)
    return text.strip()[:HEAD_CHARS] or None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= _SHORTEST_VALUE:
            yield value
            yield from (word for word in value.split() if len(word) >= _SHORTEST_VALUE)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name != "reasons":  # ours, of no person, and long
                yield from _texts(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _texts(inner)
