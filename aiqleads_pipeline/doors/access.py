"""Who calls: API keys and tokens become a ``Caller``. What a caller may do is declared in ``permissions``.

Belongs here: reading credentials, trusting them for a moment, slowing whoever guesses. A verified credential is trusted
for ``AIQLEADS_API_TRUST_SECONDS`` without asking the store: a revoked key stops working within that time everywhere.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from aiqleads_pipeline.doors.permissions import ROLES, Reach, Rule
from aiqleads_pipeline.doors.problems import Problem, Scope
from resources.store import keys

if TYPE_CHECKING:
    from aiqleads_pipeline.doors.tokens import Tokens
    from aiqleads_pipeline.doors.workers import Workers
    from aiqleads_pipeline.outside import Outside

# A credential that was good from this address lately is not held up by failures of others behind the same address.
KNOWN_SECONDS = 3600.0
MAX_KNOWN_COUNT = 20_000
MAX_CREDENTIAL_CHARS = 8_192
ADMISSION = "aiqleads.admission"  # where a request's scope holds what `gate` admitted


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and from where. ``scopes`` empty: all that the role may. ``key_id`` is None for an outside token."""

    client: str
    role: str
    scopes: frozenset[str]
    key_id: str | None
    ip: str


@dataclass(frozen=True, slots=True)
class Admission:
    """A caller on a route: what ``gate`` found, under ``scope[ADMISSION]``."""

    caller: Caller
    reach: Reach

    @property
    def is_masked(self) -> bool:
        """Whether personal data must go through ``masking``."""
        return self.reach == "masked"

    def require_own(self, client: str) -> None:
        """Raise the 404 that another client's object is to this caller."""
        if self.reach != "any" and client != self.caller.client:
            raise Problem(404, "not_found")


@dataclass(slots=True)
class _Known:
    caller: Caller
    trusted_until: float
    known_until: float


class Authenticator:
    """Turns the credentials of a request into a ``Caller``."""

    def __init__(self, outside: Outside, workers: Workers, tokens: Tokens) -> None:
        self._outside, self._workers, self._tokens = outside, workers, tokens
        self._trust_seconds = outside.settings.API_TRUST_SECONDS
        self._known: dict[tuple[bytes, str], _Known] = {}
        self._blocked: dict[str, float] = {}
        self.used_keys: set[str] = set()

    async def authenticate(self, scope: Scope) -> Caller:
        """The caller of a request.

        Raises:
            Problem: 401, 403 (a key from another address than it may be used from), 429 (too many failures), 503.
        """
        ip = address_of(scope)
        credential = read_credential(scope["headers"])
        name = (hashlib.sha256(credential.encode()).digest(), ip)
        known = self._known.get(name)
        now = time.monotonic()
        if known is not None and now < known.trusted_until:
            return known.caller
        return await self._verify(credential, ip, is_known=known is not None and now < known.known_until)

    async def verify_api_key(self, api_key: str, ip: str) -> Caller:
        """The caller of an API key that came another way than as a credential of the request; never a token."""
        if keys.split_key(api_key) is None:
            raise not_authenticated()
        return await self._verify(api_key, ip, is_known=False)

    async def _verify(self, credential: str, ip: str, is_known: bool) -> Caller:
        """Ask the store, or the issuer's keys, whether a credential is good from this address; remember if it is."""
        now = time.monotonic()
        if not is_known and self._blocked.get(ip, 0.0) > now:
            raise too_many_failures(self._blocked[ip] - now)
        split = keys.split_key(credential)
        if split is not None:
            caller, seconds = await self._workers.run(self._verify_key, *split, ip, is_known)
        else:
            caller, seconds = await self._workers.run(self._verify_token, credential, ip, is_known)
        self._remember((hashlib.sha256(credential.encode()).digest(), ip), caller, seconds)
        return caller

    def _verify_key(self, key_id: str, secret: str, ip: str, is_known: bool) -> tuple[Caller, float]:
        """In a thread: ``(caller, seconds for which it may be trusted at most)``."""
        store, now = self._outside.store, self._outside.settings.now()
        subjects = [f"ip:{ip}", f"key:{key_id}"]
        self._refuse_blocked(subjects, ip, is_known)
        key = keys.find_key(store, key_id)
        # An unknown key costs the same comparison as a known one.
        fits = keys.hash_matches(secret, key.secret_sha256 if key else bytes(32))
        if key is None or not fits:
            keys.note_failure(store, subjects if key is not None else subjects[:1])
            raise not_authenticated()
        if not key.is_good(now):  # nobody guessed it: who goes on sending an old key is not held up
            raise not_authenticated()
        return self._admit(key, key.scopes, ip, now)

    def _verify_token(self, token: str, ip: str, is_known: bool) -> tuple[Caller, float]:
        """In a thread. A token of ours speaks for its key, which must still be good; one from outside for itself."""
        self._refuse_blocked([f"ip:{ip}"], ip, is_known)
        store, now = self._outside.store, self._outside.settings.now()
        claims = self._tokens.verify(token, now)
        if claims is None:
            keys.note_failure(store, [f"ip:{ip}"])
            raise not_authenticated()
        if claims.key_id is None:
            return Caller(claims.client, claims.role, claims.scopes, None, ip), claims.seconds
        key = keys.find_key(store, claims.key_id)
        if key is None or not key.is_good(now):
            raise not_authenticated()
        caller, seconds = self._admit(key, tuple(claims.scopes) or key.scopes, ip, now)
        return caller, min(seconds, claims.seconds)

    def _admit(self, key: keys.Key, scopes: Sequence[str], ip: str, now: datetime) -> tuple[Caller, float]:
        if not key.allows_address(ip):
            raise Problem(403, "address_not_allowed")
        self.used_keys.add(key.key_id)
        seconds = (key.expires_at - now).total_seconds() if key.expires_at else self._trust_seconds
        return Caller(key.client, key.role, frozenset(scopes), key.key_id, ip), seconds

    def _refuse_blocked(self, subjects: list[str], ip: str, is_known: bool) -> None:
        if is_known:
            return
        seconds = keys.blocked_seconds(self._outside.store, subjects)
        if seconds is not None:
            if len(self._blocked) > MAX_KNOWN_COUNT:
                self._blocked.clear()
            self._blocked[ip] = time.monotonic() + min(seconds, self._trust_seconds)
            raise too_many_failures(seconds)

    def _remember(self, name: tuple[bytes, str], caller: Caller, seconds: float) -> None:
        now = time.monotonic()
        self._known.pop(name, None)
        while len(self._known) >= MAX_KNOWN_COUNT:
            del self._known[next(iter(self._known))]
        self._known[name] = _Known(caller, now + min(seconds, self._trust_seconds), now + KNOWN_SECONDS)


def admit(caller: Caller, rule: Rule) -> Admission:
    """The caller on a route.

    Raises:
        Problem: 403, its role or its scopes don't allow the route.
    """
    reach = next((rule.reach[role] for role in ROLES if role == caller.role and role in rule.reach), None)
    if reach is None or (caller.scopes and rule.scope is not None and rule.scope not in caller.scopes):
        raise Problem(403, "not_allowed")
    return Admission(caller, reach)


def read_credential(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """The one credential of a request.

    Raises:
        Problem: 401, there is none, or more than one.
    """
    found = [value for name, value in headers if name == b"x-api-key"]
    for name, value in headers:
        if name == b"authorization":
            scheme, _, rest = value.partition(b" ")
            found.append(rest.strip() if scheme.lower() == b"bearer" else b"")
    if len(found) != 1 or not found[0] or len(found[0]) > MAX_CREDENTIAL_CHARS:
        raise not_authenticated()
    try:
        return found[0].decode("ascii")
    except UnicodeDecodeError:
        raise not_authenticated() from None


def address_of(scope: Scope) -> str:
    """The address of the other end; behind a trusted proxy, what that says."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def not_authenticated() -> Problem:
    """401, the same for every cause."""
    return Problem(401, "not_authenticated", headers={"WWW-Authenticate": 'Bearer realm="aiqleads"'})


def too_many_failures(seconds: float) -> Problem:
    """429 for a log-in that must wait."""
    return Problem(429, "too_many_failures", headers={"Retry-After": str(max(1, int(seconds) + 1))})
