"""Whether a webhook's sender is who it says: one check per scheme of ``rules.webhooks``.

Belongs here: reading signature headers and comparing, in constant time, on the bytes of the body as they came. What is
malformed is refused like what is wrong: nothing that a sender writes into a header fails here.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from aiqleads_pipeline.doors.problems import Problem, unavailable
from aiqleads_pipeline.rules.webhooks import WebhookRules
from aiqleads_pipeline.settings import SettingsError, secret

MISSING_SECRET_SECONDS = 60.0
STANDARD_PREFIX = "whsec_"
_SECONDS = re.compile(rb"[0-9]{1,11}")
_MILLISECONDS = re.compile(rb"[0-9]{1,14}")
_STANDARD_ID = re.compile(rb"[!-\-/-~]{1,256}")  # visible ASCII without the full stop, which ends it where it is signed
# HubSpot signs the address with these decoded.
_HUBSPOT_DECODED = {
    f"%{ord(char):02x}".encode(): char.encode() for char in ":/?@!$'()*,;"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it came. ``url`` is its address as the sender wrote it; ``document`` the body's JSON, or None."""

    method: str
    url: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    document: Any = None


def secrets_of(rules: WebhookRules) -> list[bytes]:
    """The secrets that are set of those that the rules name, as keys of their scheme.

    Raises:
        Problem: 503, none is.
    """
    found = []
    for name in rules.secret:
        try:
            found.append(_key_of(rules, secret(name).get_secret_value()))
        except (SettingsError, binascii.Error, ValueError):
            continue  # while they are rotated one may be gone already
    if rules.secret and not found:
        raise unavailable("webhook_secret_missing", MISSING_SECRET_SECONDS)
    return found


def verify(rules: WebhookRules, secrets: Sequence[bytes], incoming: Incoming, now: datetime) -> str | None:
    """Check who sent a request; the event's id where the scheme signs one in a header, else None.

    Raises:
        Problem: 401, the same whether a signature is missing, malformed or wrong; another one for a right signature
            whose time is further from now than the source tolerates.
    """
    return _CHECKS[rules.scheme](rules, secrets, incoming, now)


def verify_handshake(rules: WebhookRules, query: Mapping[str, str]) -> str:
    """The challenge to give back to Meta, which asks whether the address is ours.

    Raises:
        Problem: 401, or 503: the token is not set.
    """
    if rules.verify_token is None:
        raise unavailable("webhook_secret_missing", MISSING_SECRET_SECONDS)
    try:
        expected = secret(rules.verify_token.secret).get_secret_value()
    except SettingsError:
        raise unavailable("webhook_secret_missing", MISSING_SECRET_SECONDS) from None
    given, challenge = query.get("hub.verify_token", ""), query.get("hub.challenge", "")
    fits = hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
    if not fits or query.get("hub.mode") != "subscribe" or not re.fullmatch(r"[A-Za-z0-9_.-]{1,255}", challenge):
        raise refused(rules)
    return challenge


def refused(rules: WebhookRules, code: str = "invalid_signature") -> Problem:
    """401."""
    scheme = 'Basic realm="aiqleads"' if rules.scheme == "basic" else 'Webhook realm="aiqleads"'
    return Problem(401, code, headers={"WWW-Authenticate": scheme})


def _key_of(rules: WebhookRules, text: str) -> bytes:
    if rules.scheme == "standard":
        return base64.b64decode(text.removeprefix(STANDARD_PREFIX), validate=True)
    return text.encode()


def _standard(rules: WebhookRules, secrets: Sequence[bytes], incoming: Incoming, now: datetime) -> str:
    event_id = _header(rules, incoming, b"webhook-id")
    moment = _header(rules, incoming, b"webhook-timestamp")
    if not _STANDARD_ID.fullmatch(event_id):
        raise refused(rules)
    parts = [part.partition(b",") for part in _header(rules, incoming, b"webhook-signature").split(b" ")]
    given = [signature for version, _, signature in parts if version == b"v1"]
    signed = b".".join((event_id, moment, incoming.body))
    _require(rules, given, [base64.b64encode(_mac(key, signed)) for key in secrets])
    _require_fresh(rules, moment, now)
    return event_id.decode("ascii")


def _github(rules: WebhookRules, secrets: Sequence[bytes], incoming: Incoming, _now: datetime) -> None:
    given = _after_prefix(rules, _header(rules, incoming, b"x-hub-signature-256"))
    _require(rules, [given.lower()], [_mac(key, incoming.body).hex().encode() for key in secrets])


def _stripe(rules: WebhookRules, secrets: Sequence[bytes], incoming: Incoming, now: datetime) -> None:
    parts = [part.strip().partition(b"=") for part in _header(rules, incoming, b"stripe-signature").split(b",")]
    moments = [value for name, _, value in parts if name == b"t"]
    if len(moments) != 1:
        raise refused(rules)
    given = [value for name, _, value in parts if name == b"v1"]
    signed = moments[0] + b"." + incoming.body
    _require(rules, given, [_mac(key, signed).hex().encode() for key in secrets])
    _require_fresh(rules, moments[0], now)


def _shared_key(rules: WebhookRules, secrets: Sequence[bytes], incoming: Incoming, _now: datetime) -> None:
    document = incoming.document
    given = document.get(rules.key_member) if isinstance(document, dict) else None
    if not isinstance(given, str):
        raise refused(rules)
    _require(rules, [given.encode("utf-8", "surrogatepass")], secrets)


def _typeform(rules: WebhookRules, secrets: Sequence[bytes], incoming: Incoming, _now: datetime) -> None:
    given = _after_prefix(rules, _header(rules, incoming, b"typeform-signature"))
    _require(rules, [given], [base64.b64encode(_mac(key, incoming.body)) for key in secrets])


def _hubspot(rules: WebhookRules, secrets: Sequence[bytes], incoming: Incoming, now: datetime) -> None:
    moment = _header(rules, incoming, b"x-hubspot-request-timestamp")
    given = _header(rules, incoming, b"x-hubspot-signature-v3")
    decoded = re.sub(rb"%[0-9A-Fa-f]{2}", lambda found: _HUBSPOT_DECODED.get(found[0].lower(), found[0]), incoming.url)
    signed = [incoming.method.encode() + url + incoming.body + moment for url in {decoded, incoming.url}]
    _require(rules, [given], [base64.b64encode(_mac(key, text)) for key in secrets for text in signed])
    _require_fresh(rules, moment, now, thousandths=True)


def _basic(rules: WebhookRules, secrets: Sequence[bytes], incoming: Incoming, _now: datetime) -> None:
    scheme, _, rest = _header(rules, incoming, b"authorization").partition(b" ")
    try:
        given = base64.b64decode(rest.strip(), validate=True) if scheme.lower() == b"basic" else b""
    except binascii.Error:
        given = b""
    name = (rules.username or "").encode()
    _require(rules, [given], [name + b":" + key for key in secrets])


def _none(_rules: WebhookRules, _secrets: Sequence[bytes], _incoming: Incoming, _now: datetime) -> None:
    return None


_Check = Callable[[WebhookRules, Sequence[bytes], Incoming, datetime], str | None]
_CHECKS: Mapping[str, _Check] = {
    "standard": _standard,
    "github": _github,
    "stripe": _stripe,
    "shared_key": _shared_key,
    "meta": _github,
    "typeform": _typeform,
    "hubspot": _hubspot,
    "basic": _basic,
    "none": _none,
}


def _header(rules: WebhookRules, incoming: Incoming, name: bytes) -> bytes:
    """The one header of a name: of two, who is to say which was meant."""
    found = [value for given, value in incoming.headers if given == name]
    if len(found) != 1:
        raise refused(rules)
    return found[0]


def _after_prefix(rules: WebhookRules, value: bytes) -> bytes:
    if not value.startswith(b"sha256="):
        raise refused(rules)
    return value.removeprefix(b"sha256=")


def _mac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, sha256)


def _require(rules: WebhookRules, given: Sequence[bytes], expected: Sequence[bytes]) -> None:
    """One of the given must be one of the expected; all are compared, however soon one fits."""
    fits = [hmac.compare_digest(one, other) for one in given for other in expected]
    if True not in fits:
        raise refused(rules)


def _require_fresh(rules: WebhookRules, moment: bytes, now: datetime, *, thousandths: bool = False) -> None:
    if not (_MILLISECONDS if thousandths else _SECONDS).fullmatch(moment):
        raise refused(rules)
    seconds = int(moment) / (1000 if thousandths else 1)
    if abs(now.timestamp() - seconds) > rules.tolerance_seconds:
        raise refused(rules, "signature_too_old")
