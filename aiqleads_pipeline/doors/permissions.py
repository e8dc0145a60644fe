"""Who may do what: one table route × role, with how far each role reaches. The tests generate every cell of it.

Belongs here: the declaration. ``gate`` enforces it: a route that is not listed does not exist (404), a role that is
not listed for it is refused (403), an object of another client does not exist for a role that reaches ``own`` (404).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Role = Literal["admin", "ops", "client", "viewer"]
ROLES: tuple[Role, ...] = ("admin", "ops", "client", "viewer")

# How far a role reaches on a route. `own`: objects of the key's client. `any`: of every client. `masked`: as `own`, with
# personal data masked.
Reach = Literal["own", "any", "masked"]
_PARAMETER = re.compile(r"\{(\w+)\}")
KB = 1024


@dataclass(frozen=True)
class Rule:
    """One route. ``path`` is the template as the router has it; each ``{parameter}`` is one segment of the path."""

    method: str
    path: str
    reach: Mapping[Role, Reach] = field(default_factory=dict)
    scope: str | None = None  # a key with scopes needs this one
    is_public: bool = False  # no key is asked for
    needs_store: bool = True  # refused at once while the database is away
    is_shed: bool = True  # counts as work: refused at once when there is too much of it
    max_body_kb: int = 0  # 0: no body is taken
    body_seconds: float | None = None  # None: the setting; a streamed upload has its own measure

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What a path must match."""
        parts = _PARAMETER.split(self.path)
        return re.compile("".join(f"(?P<{p}>[^/]+)" if i % 2 else re.escape(p) for i, p in enumerate(parts)))

    @property
    def has_parameters(self) -> bool:
        """Whether the path names an object."""
        return "{" in self.path


_SENDERS: Mapping[Role, Reach] = {"admin": "own", "ops": "own", "client": "own"}
_READERS: Mapping[Role, Reach] = {"admin": "any", "ops": "any", "client": "own", "viewer": "masked"}
_OPERATORS: Mapping[Role, Reach] = {"admin": "any", "ops": "any"}

RULES: tuple[Rule, ...] = (
    Rule("GET", "/healthz", is_public=True, needs_store=False, is_shed=False),
    Rule("GET", "/readyz", is_public=True, needs_store=False, is_shed=False),
    Rule("GET", "/metrics", is_public=True, needs_store=False, is_shed=False),
    Rule("GET", "/openapi.json", is_public=True, needs_store=False),
    Rule("GET", "/problems/{code}", is_public=True, needs_store=False),
    Rule("GET", "/.well-known/jwks.json", is_public=True),
    Rule("POST", "/oauth/token", is_public=True, max_body_kb=8),
    Rule("POST", "/v1/leads", _SENDERS, scope="leads:write", max_body_kb=256),
    Rule("POST", "/v1/leads/batch", _SENDERS, scope="leads:write", max_body_kb=16 * KB),
    Rule("GET", "/v1/leads/{lead_id}", _READERS, scope="leads:read"),
)
