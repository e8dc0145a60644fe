"""A receiver of webhooks and callbacks that checks Standard Webhooks: v1 (HMAC-SHA256) and v1a (ed25519), tolerance of
time, several signatures and secrets. It is idempotent by ``webhook-id``, and says how often that was needed.

After https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections import deque
from hashlib import blake2b, sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from aiqleads_pipeline.sandbox.exchange import Double, Reply, Request, in_json, route, stamp

_SEED = sha256(b"aiqleads sandbox signing key").digest()
_KEY = Ed25519PrivateKey.from_private_bytes(_SEED)
_PUBLIC = _KEY.public_key().public_bytes_raw()
SECRET = "whsec_" + base64.b64encode(sha256(b"aiqleads sandbox webhooks").digest()).decode()
SIGNING_KEY = "whsk_" + base64.b64encode(_SEED + _PUBLIC).decode()
PUBLIC_KEY = "whpk_" + base64.b64encode(_PUBLIC).decode()
_KEPT_REFUSALS = 1000


class Webhooks(Double):
    """Any endpoint name works with the default secrets; ``endpoints`` gives some their own rules."""

    name = "webhooks"
    title = "Webhook and callback receiver"
    defaults = {"endpoints": {}, "secrets": [SECRET, PUBLIC_KEY], "tolerance": 300, "max_bytes": 20480, "status": 200}
    credentials = {"secret": SECRET, "signing_key": SIGNING_KEY, "public_key": PUBLIC_KEY}

    def forget(self) -> None:
        """No message has come."""
        self._messages: dict[tuple[str, str], dict[str, Any]] = {}
        self._refused: deque[dict[str, Any]] = deque(maxlen=_KEPT_REFUSALS)
        self._keys: dict[str, bytes | Ed25519PublicKey] = {}

    @route("POST", "/hooks/{endpoint}")
    @route("POST", "/callbacks/{endpoint}")
    def receive(self, request: Request, endpoint: str) -> Reply:
        """Take a message, once."""
        rules = {**self.settings, **self.settings["endpoints"].get(endpoint, {})}
        refused = self._check(request, rules)
        if refused is not None:
            status, why = refused
            self._refused.append({"endpoint": endpoint, "at": stamp(request.now), "status": status, "why": why})
            return in_json({"error": why}, status)
        digest = blake2b(request.body, digest_size=16).digest()
        known = self._messages.get((endpoint, request.headers["webhook-id"]))
        if known is None:
            known = {
                "id": request.headers["webhook-id"], "endpoint": endpoint, "attempts": 0, "effects": 0, "conflicts": 0,
                "first_at": request.now, "body": request.body, "digest": digest,
            }  # fmt: skip
            self._messages[(endpoint, known["id"])] = known
        known["attempts"] += 1
        known["last_at"] = request.now
        known["conflicts"] += digest != known["digest"]
        if rules["status"] >= 300:
            self._refused.append(
                {"endpoint": endpoint, "at": stamp(request.now), "status": rules["status"], "why": "set so"}
            )
            return in_json({"error": "not taken"}, rules["status"])
        if known["effects"]:
            return in_json({"status": "repeat"}, rules["status"], repeats=1)
        known["effects"] = 1
        return in_json({"status": "processed"}, rules["status"], effects=1)

    def records(self, kind: str) -> list[dict[str, Any]]:
        """``messages``: one for each endpoint and id; ``refused``: the last thousand."""
        if kind == "refused":
            return list(self._refused)
        if kind != "messages":
            raise KeyError(kind)
        return [
            {
                **{key: value for key, value in message.items() if key != "digest"},
                "first_at": stamp(message["first_at"]),
                "last_at": stamp(message["last_at"]),
                "body": message["body"].decode("utf-8", "replace"),
            }
            for message in self._messages.values()
        ]

    def facts(self) -> dict[str, Any]:
        """What the page shows."""
        return {
            "messages": len(self._messages),
            "came more than once": sum(message["attempts"] > 1 for message in self._messages.values()),
            "same id, other body": sum(message["conflicts"] > 0 for message in self._messages.values()),
        }

    def _check(self, request: Request, rules: dict[str, Any]) -> tuple[int, str] | None:
        headers = request.headers
        missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if not headers.get(name)]
        if missing:
            return 400, f"missing {', '.join(missing)}"
        if len(request.body) > rules["max_bytes"]:
            return 413, f"more than {rules['max_bytes']} bytes"
        if request.content_type != "application/json":
            return 415, "the body is to be application/json"
        if not headers["webhook-timestamp"].isascii() or not headers["webhook-timestamp"].isdigit():
            return 400, "webhook-timestamp is no count of seconds"
        age = request.now.timestamp() - int(headers["webhook-timestamp"])
        if abs(age) > rules["tolerance"]:
            return 401, "webhook-timestamp is too old" if age > 0 else "webhook-timestamp is in the future"
        if "." in headers["webhook-id"]:
            return 400, "webhook-id holds a dot"
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
        secrets = [self._key(text) for text in rules["secrets"]]
        if not any(_fits(signature, signed, secrets) for signature in headers["webhook-signature"].split(" ")):
            return 401, "no signature fits"
        return None

    def _key(self, text: str) -> bytes | Ed25519PublicKey:
        key = self._keys.get(text)
        if key is None:
            prefix, _, value = text.rpartition("_")
            raw = base64.b64decode(value, validate=True)
            key = Ed25519PublicKey.from_public_bytes(raw) if prefix == "whpk" else raw
            self._keys[text] = key
        return key


def _fits(signature: str, signed: bytes, keys: list[bytes | Ed25519PublicKey]) -> bool:
    version, _, value = signature.partition(",")
    try:
        given = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    for key in keys:
        if version == "v1" and isinstance(key, bytes):
            if hmac.compare_digest(hmac.digest(key, signed, "sha256"), given):
                return True
        elif version == "v1a" and isinstance(key, Ed25519PublicKey):
            try:
                key.verify(given, signed)
            except InvalidSignature:
                continue
            return True
    return False
