"""The outside issuer of JWTs that the settings name: its keys by JWKS, its claims as ours.

Belongs here: whom to believe, and how far. It may grant no more than ``AIQLEADS_OUTSIDE_ROLES``.
"""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from aiqleads_pipeline.settings import Settings, SettingsError
from resources.http import HttpClient, HttpError, Limits

# Asymmetric signatures only: with HS256 our public copy of a key would be the key to sign with.
ALLOWED_ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "Ed448"}
)
LEEWAY_SECONDS = 5
# Keys are asked for anew after their time, and at an unknown `kid`, but not more often than each _AT_MOST_EVERY.
FRESH_SECONDS, AT_MOST_EVERY_SECONDS, STALE_SECONDS = 300.0, 15.0, 86_400.0
_LIMITS = Limits(connect_seconds=3, read_seconds=3, total_seconds=5, max_body_bytes=1 << 20, max_retries=0)


class OutsideIssuer:
    """One issuer. Threads may share it; a fetch blocks at most five seconds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._algorithms = _listed(settings.OUTSIDE_ALGORITHMS)
        self._roles = _listed(settings.OUTSIDE_ROLES)
        if not settings.OUTSIDE_JWKS:
            raise SettingsError("AIQLEADS_OUTSIDE_JWKS: expected a URL or a file, since AIQLEADS_OUTSIDE_ISSUER is set")
        if not set(self._algorithms) <= ALLOWED_ALGORITHMS:
            legal = ", ".join(sorted(ALLOWED_ALGORITHMS))
            raise SettingsError(f"AIQLEADS_OUTSIDE_ALGORITHMS: expected a list of {legal}")
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._fetched_at = self._asked_at = float("-inf")

    def verify(self, token: str, now: datetime) -> dict[str, Any] | None:
        """The claims of a good token of this issuer; None if its key is unknown.

        Raises:
            JoseError, ValueError, KeyError: it is not good.
        """
        kid = jws.extract_compact(token.encode("ascii")).headers().get("kid")
        found = self._find_keys(kid)
        if found is None:
            return None
        claims = jwt.decode(token, found, algorithms=self._algorithms).claims
        check_claims(claims, self._settings.OUTSIDE_ISSUER, self._settings.OUTSIDE_AUDIENCE, now)
        return claims

    def client_of(self, claims: dict[str, Any]) -> str:
        """The client a token speaks for: ``client_id`` (RFC 9068), else ``azp``, else ``sub``."""
        found = next((claims[name] for name in ("client_id", "azp", "sub") if claims.get(name)), None)
        if not isinstance(found, str) or len(found) > 200:
            raise ValueError("the token names no client")
        return found

    def role_of(self, claims: dict[str, Any]) -> str:
        """Its ``role``, or the first of its ``roles`` that this issuer may grant."""
        named = claims.get("role", claims.get("roles", "client"))
        for role in [named] if isinstance(named, str) else list(named):
            if role in self._roles:
                return str(role)
        raise ValueError("the token names no role that its issuer may grant")

    def _find_keys(self, kid: object) -> KeySet | None:
        """The issuer's keys if this one is among them. They are asked for anew if they are old or lack it; meanwhile,
        and for a day after a fetch that failed, those that are known count."""
        is_due = not (_has(self._keys, kid) and time.monotonic() - self._fetched_at < FRESH_SECONDS)
        # Who has keys to go by doesn't wait for somebody else's fetch.
        if is_due and self._lock.acquire(blocking=self._keys is None):
            try:
                self._refresh()
            finally:
                self._lock.release()
        return self._keys if _has(self._keys, kid) else None

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._asked_at <= AT_MOST_EVERY_SECONDS:
            return
        self._asked_at = now
        try:
            self._keys, self._fetched_at = self._fetch(), now
        except (HttpError, OSError, JoseError, ValueError, TypeError, KeyError):
            if now - self._fetched_at > STALE_SECONDS:
                self._keys = None

    def _fetch(self) -> KeySet:
        place = self._settings.OUTSIDE_JWKS
        if place.startswith(("https://", "http://")):
            with HttpClient(allow_loopback=self._settings.EGRESS_ALLOW_LOOPBACK, limits=_LIMITS) as client:
                return KeySet.import_key_set(client.call("GET", place).json())
        return KeySet.import_key_set(json.loads(Path(place).read_text(encoding="utf-8")))


def check_claims(claims: dict[str, Any], issuer: str, audience: str, now: datetime) -> None:
    """Raise if a token is not from whom, not for whom or not of the time it must be."""
    registry = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
    )
    registry.validate(claims)


def seconds_left(claims: dict[str, Any], now: datetime) -> float:
    """For how long a token is still good."""
    return max(0.0, float(claims["exp"]) + LEEWAY_SECONDS - now.timestamp())


def scopes_of(claims: dict[str, Any]) -> frozenset[str]:
    """The scopes of an outside token; none named is all that the role may."""
    scope = claims.get("scope") or claims.get("scp") or ""
    return frozenset(scope.split() if isinstance(scope, str) else map(str, scope))


def _has(found: KeySet | None, kid: object) -> bool:
    return found is not None and any(key.kid == kid for key in found.keys)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
