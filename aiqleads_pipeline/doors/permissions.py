"""Who may do what: one table route × role, with how far each role reaches. The tests generate every cell of it.

Belongs here: the declaration. ``gate`` enforces it: a route that is not listed does not exist (404), a role that is
not listed for it is refused (403), an object of another client does not exist for a role that reaches ``own`` (404).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from aiqleads_pipeline.settings import Settings

Role = Literal["admin", "ops", "client", "viewer"]
ROLES: tuple[Role, ...] = ("admin", "ops", "client", "viewer")

# How far a role reaches on a route. `own`: objects of the key's client. `any`: of every client. `masked`: as `own`,
# with personal data masked.
Reach = Literal["own", "any", "masked"]
_PARAMETER = re.compile(r"\{(\w+)\}")
KB = 1024
FORM_KB = 256  # what a form may hold around its file


@dataclass(frozen=True)
class Rule:
    """One route. ``path`` is the template as the router has it; each ``{parameter}`` is one segment of the path."""

    method: str
    path: str
    reach: Mapping[Role, Reach] = field(default_factory=dict)
    scope: str | None = None  # a key with scopes needs this one
    is_public: bool = False  # no key is asked for
    is_local: bool = False  # no key is asked for of callers on this host
    needs_store: bool = True  # refused at once while the database is away
    is_shed: bool = True  # counts as work: refused at once when there is too much of it
    max_body_kb: int = 0  # 0: no body is taken
    max_body_setting: str | None = None  # the setting that says so instead, in MB of a file

    def under(self, settings: Settings) -> Rule:
        """The rule as it stands under these settings."""
        if self.max_body_setting is None:
            return self
        return replace(self, max_body_kb=getattr(settings, self.max_body_setting) * KB + FORM_KB)

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
_OWNERS: Mapping[Role, Reach] = {"admin": "any", "ops": "any", "client": "own"}
_ALL: Mapping[Role, Reach] = {"admin": "own", "ops": "own", "client": "own", "viewer": "own"}
_WATCHERS: Mapping[Role, Reach] = {"admin": "any", "ops": "any", "viewer": "any"}
_KEEPERS: Mapping[Role, Reach] = {"admin": "any", "ops": "any", "client": "own"}
_OPERATORS: Mapping[Role, Reach] = {"admin": "any", "ops": "any"}

RULES: tuple[Rule, ...] = (
    Rule("GET", "/healthz", is_public=True, needs_store=False, is_shed=False),
    Rule("GET", "/readyz", is_public=True, needs_store=False, is_shed=False),
    Rule("GET", "/metrics", _WATCHERS, is_local=True, needs_store=False, is_shed=False),
    Rule("GET", "/openapi.json", is_public=True, needs_store=False),
    Rule("GET", "/problems/{code}", is_public=True, needs_store=False),
    Rule("GET", "/.well-known/jwks.json", is_public=True),
    Rule("POST", "/oauth/token", is_public=True, max_body_kb=8),
    Rule("GET", "/v1/whoami", _ALL),
    Rule("POST", "/v1/leads", _SENDERS, scope="leads:write", max_body_kb=256),
    Rule("POST", "/v1/leads/batch", _SENDERS, scope="leads:write", max_body_kb=16 * KB),
    Rule("GET", "/v1/leads/{lead_id}", _READERS, scope="leads:read"),
    Rule("POST", "/v1/leads/{lead_id}/touches", _KEEPERS, scope="leads:write", max_body_kb=8),
    Rule("POST", "/v1/uploads", _SENDERS, scope="uploads:write", max_body_setting="MAX_UPLOAD_MB"),
    Rule("POST", "/v1/uploads/preview", _SENDERS, scope="uploads:write", max_body_setting="MAX_PREVIEW_MB"),
    Rule("GET", "/v1/uploads/{batch_id}", _READERS, scope="uploads:read"),
    Rule("GET", "/v1/uploads/{batch_id}/events", _READERS, scope="uploads:read", is_shed=False),
    Rule("GET", "/v1/uploads/{batch_id}/errors.csv", _OWNERS, scope="uploads:read"),
    Rule("DELETE", "/v1/uploads/{batch_id}", _OWNERS, scope="uploads:write"),
    Rule("GET", "/", is_public=True, needs_store=False),
    Rule("GET", "/page/{file}", is_public=True, needs_store=False),
    # The signature is the credential.
    Rule("POST", "/v1/webhooks/{source}", is_public=True, max_body_kb=256),
    Rule("GET", "/v1/webhooks/{source}", is_public=True, needs_store=False),
    Rule("GET", "/v1/sources/{source}/spec", _KEEPERS, scope="sources:read", needs_store=False),
    Rule("GET", "/v1/insights/{name}", _WATCHERS, scope="insights:read", needs_store=False),
    Rule("GET", "/v1/recommendations", _OPERATORS, scope="insights:read", needs_store=False),
    Rule("POST", "/v1/scrapes", _OPERATORS, scope="scrapes:write", max_body_kb=8),
    Rule("GET", "/v1/scrapes/{scrape_id}", _OPERATORS, scope="scrapes:read"),
    Rule("POST", "/v1/destinations/{destination}/test", _OPERATORS, scope="destinations:test"),
)


class Routes:
    """The table as it is asked: whole paths by name, the others by pattern."""

    def __init__(self, rules: tuple[Rule, ...] = RULES) -> None:
        self.rules = rules
        self._whole: dict[str, dict[str, Rule]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Rule]]] = []
        for path in dict.fromkeys(rule.path for rule in rules):
            by_method = {rule.method: rule for rule in rules if rule.path == path}
            if "{" in path:
                self._patterns.append((next(iter(by_method.values())).pattern, by_method))
            else:
                self._whole[path] = by_method

    def find(self, path: str) -> Mapping[str, Rule]:
        """The rules of a path by method; empty if there is no such path."""
        found = self._whole.get(path)
        if found is not None:
            return found
        return next((rules for pattern, rules in self._patterns if pattern.fullmatch(path)), {})
