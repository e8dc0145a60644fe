"""What a reason code is: its kind, and what is usual for that kind. The codes themselves are in the areas beside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["row", "drop", "lead", "review", "alert", "request", "scrape", "delivery"]
ErrorClass = Literal["input", "processing", "delivery", "system"]
Actor = Literal["sender", "sales operations", "team lead", "operator", "nobody"]

# Of each kind, unless the reason says otherwise: its class, whether a retry helps, who acts.
_USUAL: dict[Kind, tuple[ErrorClass, bool, Actor]] = {
    "row": ("input", False, "sender"),
    "drop": ("input", False, "sender"),
    "request": ("input", False, "sender"),
    "lead": ("processing", True, "operator"),
    "review": ("processing", False, "sales operations"),
    "scrape": ("processing", True, "operator"),
    "delivery": ("delivery", True, "operator"),
    "alert": ("system", False, "operator"),
}


@dataclass(frozen=True)
class Reason:
    """One code: what it means for people and what they can do about it. What is None is as usual for its kind."""

    code: str
    kind: Kind
    message: str
    how_to_fix: str
    of_class: ErrorClass | None = None
    is_retryable: bool | None = None
    actor: Actor | None = None

    @property
    def error_class(self) -> ErrorClass:
        """Where it goes wrong: in what came, in the work, on the way out, or underneath."""
        return self.of_class or _USUAL[self.kind][0]

    @property
    def retry_helps(self) -> bool:
        """Whether the same thing tried again can end well without anybody changing it."""
        return _USUAL[self.kind][1] if self.is_retryable is None else self.is_retryable

    @property
    def who_acts(self) -> Actor:
        """Who can do something about it; ``nobody`` where nothing needs to be done."""
        return self.actor or _USUAL[self.kind][2]
