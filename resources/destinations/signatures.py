"""Signatures of Standard Webhooks: ``v1`` (HMAC-SHA256, secrets ``whsec_...``) and ``v1a`` (ed25519, ``whsk_...``).

Belongs here: keys and headers. Does not belong here: what is signed (``webhook``) and checking those of others
(``aiqleads_pipeline.doors``). See https://www.standardwebhooks.com.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256

from pydantic import SecretStr

HMAC_PREFIX, ED25519_PREFIX = "whsec_", "whsk_"
_LEAST_BYTES, _MOST_BYTES = 24, 64
_SEED_BYTES = (32, 64)  # a seed, or a seed with its public key behind it


class UnusableSecret(Exception):
    """A secret is none of Standard Webhooks. The message does not quote it."""


class Signer:
    """Signs with each of its secrets: receivers check any of them, so that secrets can be rotated."""

    def __init__(self, secrets: Sequence[SecretStr]) -> None:
        self._sign = [_signing(each.get_secret_value()) for each in secrets]

    def headers(self, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
        """``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` of a body as it is sent."""
        moment = str(int(now.timestamp()))
        signed = b".".join((message_id.encode("ascii"), moment.encode("ascii"), body))
        return {
            "webhook-id": message_id,
            "webhook-timestamp": moment,
            "webhook-signature": " ".join(sign(signed) for sign in self._sign),
        }


def _signing(secret: str) -> Callable[[bytes], str]:
    if secret.startswith(ED25519_PREFIX):
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        seed = _decoded(secret.removeprefix(ED25519_PREFIX))
        if len(seed) not in _SEED_BYTES:
            raise UnusableSecret("a whsk_ secret must be the base64 of an ed25519 key of 32 or 64 bytes")
        key = Ed25519PrivateKey.from_private_bytes(seed[:32])
        return lambda signed: f"v1a,{base64.b64encode(key.sign(signed)).decode('ascii')}"
    shared = _decoded(secret.removeprefix(HMAC_PREFIX))
    if not _LEAST_BYTES <= len(shared) <= _MOST_BYTES:
        raise UnusableSecret(f"a whsec_ secret must be the base64 of {_LEAST_BYTES} to {_MOST_BYTES} random bytes")
    return lambda signed: f"v1,{base64.b64encode(hmac.digest(shared, signed, sha256)).decode('ascii')}"


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UnusableSecret("a webhook's secret must be base64 behind whsec_ or whsk_") from None
