"""Access tokens: short-lived JWTs of ours, and those of one outside issuer that the settings name.

Belongs here: signing and checking. Signing keys lie in the store, so that every worker of every host knows them; a new
one is made when the last has signed for its time, and verifies until the last token it signed is over.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from aiqleads_pipeline.doors.issuers import OutsideIssuer, check_claims, scopes_of, seconds_left
from aiqleads_pipeline.outside import Outside
from resources.store import signing

ALGORITHM = "ES256"
AUDIENCE = "aiqleads"
SIGNS_FOR = timedelta(days=7)


@dataclass(frozen=True)
class Claims:
    """What a good token says. ``seconds``: how long it is still good."""

    client: str
    role: str
    scopes: frozenset[str]
    key_id: str | None
    seconds: float


class Tokens:
    """Issues and checks tokens. Blocking: called in worker threads."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._keys: list[signing.SigningKey] = []
        self._issuer = OutsideIssuer(outside.settings) if outside.settings.OUTSIDE_ISSUER else None

    def issue(self, client: str, role: str, key_id: str, scopes: Sequence[str], now: datetime) -> tuple[str, int]:
        """A token for a key and the seconds it lives."""
        settings = self._outside.settings
        key = signing.signing_key(self._outside.store, now, SIGNS_FOR, timedelta(seconds=settings.TOKEN_SECONDS), _new)
        issued_at = int(now.timestamp())
        claims = {
            "iss": settings.TOKEN_ISSUER,
            "aud": AUDIENCE,
            "sub": client,
            "client_id": key_id,
            "role": role,
            "scope": " ".join(scopes),
            "iat": issued_at,
            "nbf": issued_at,
            "exp": issued_at + settings.TOKEN_SECONDS,
            "jti": secrets.token_urlsafe(12),
        }
        header = {"alg": ALGORITHM, "kid": key.kid, "typ": "at+jwt"}
        private = ECKey.import_key(key.private_jwk)
        return jwt.encode(header, claims, private, algorithms=[ALGORITHM]), settings.TOKEN_SECONDS

    def verify(self, token: str, now: datetime) -> Claims | None:
        """What a token says, or None if it is not good: whatever is wrong with it, the answer is the same."""
        if token.count(".") != 2:
            return None
        try:
            kid = jws.extract_compact(token.encode("ascii")).headers().get("kid")
            if isinstance(kid, str) and self._is_ours(kid, now):
                return self._verify_ours(token, now)
            return self._verify_outside(token, now)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError, OverflowError):
            return None

    def public_keys(self, now: datetime) -> dict[str, Any]:
        """Our JWKS: every key that verifies at this time."""
        self._keys = signing.verifying_keys(self._outside.store, now)
        return {"keys": [_public(key) for key in self._keys]}

    def _is_ours(self, kid: str, now: datetime) -> bool:
        if not kid.startswith(signing.KID_PREFIX):
            return False
        if all(key.kid != kid for key in self._keys):
            self._keys = signing.verifying_keys(self._outside.store, now)
        return any(key.kid == kid and now < key.verifies_until for key in self._keys)

    def _verify_ours(self, token: str, now: datetime) -> Claims:
        found = KeySet([ECKey.import_key(key.private_jwk) for key in self._keys])
        claims = jwt.decode(token, found, algorithms=[ALGORITHM]).claims
        check_claims(claims, self._outside.settings.TOKEN_ISSUER, AUDIENCE, now)
        scopes = frozenset(str(claims["scope"]).split())
        return Claims(
            str(claims["sub"]), str(claims["role"]), scopes, str(claims["client_id"]), seconds_left(claims, now)
        )

    def _verify_outside(self, token: str, now: datetime) -> Claims | None:
        issuer = self._issuer
        said = issuer.verify(token, now) if issuer is not None else None
        if issuer is None or said is None:
            return None
        return Claims(issuer.client_of(said), issuer.role_of(said), scopes_of(said), None, seconds_left(said, now))


def _new(kid: str) -> dict[str, Any]:
    return dict(ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": ALGORITHM}).as_dict(private=True))


def _public(key: signing.SigningKey) -> dict[str, Any]:
    return dict(ECKey.import_key(key.private_jwk).as_dict(private=False))
