"""Sources of every scheme of webhooks, their secrets, and senders who sign as each scheme asks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from aiqleads_pipeline.settings import PROJECT_DIR
from aiqleads_pipeline_tests.doors.conftest import Reply, Service

SOURCES = """
sources:
  form:
    webhook: {scheme: standard, secret: [NEW, OLD]}
  hub:
    webhook: {scheme: github, secret: HUB}
  pay:
    webhook: {scheme: stripe, secret: PAY, leads: $.data.object, fields: {last_name: $.customer.name}}
  google:
    webhook: {scheme: shared_key, secret: GOOGLE, event_id: $.lead_id}
  meta:
    webhook:
      scheme: meta
      secret: HUB
      verify_token: {secret: VERIFY}
      leads: "$.entry[*].changes[?@.field=='leadgen'].value"
  typed:
    webhook:
      scheme: typeform
      secret: HUB
      leads: $.form_response
      fields:
        email: "$.answers[?@.field.ref=='mail'].email"
        last_name: "$.answers[?@.field.ref=='name'].text"
      event_fields: {external_id: $.event_id}
  hubspot:
    webhook: {scheme: hubspot, secret: HUB, leads: "$[*]"}
  plain:
    webhook: {scheme: basic, secret: HUB, username: sender}
  open:
    webhook: {scheme: none}
  small:
    webhook: {scheme: none, client: limited}
  unset:
    webhook: {scheme: github, secret: NOBODY_SET_IT}
  no_webhook:
    label: Only by API
"""
# The published example of Standard Webhooks' libraries, and of GitHub's documentation.
STANDARD_KEY = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HUB_SECRET = "It's a Secret to Everybody"
OLD_KEY = base64.b64encode(b"the key that goes out of use").decode()
SECRETS = {
    "AIQLEADS_SECRET__NEW": f"whsec_{STANDARD_KEY}",
    "AIQLEADS_SECRET__OLD": OLD_KEY,
    "AIQLEADS_SECRET__HUB": HUB_SECRET,
    "AIQLEADS_SECRET__PAY": "whsec_test_secret",
    "AIQLEADS_SECRET__GOOGLE": "a-key-of-google",
    "AIQLEADS_SECRET__VERIFY": "a-token-of-meta",
}
Headers = dict[str, str]


def rules_in(home: Path, sources: str = SOURCES) -> Path:
    """Our rules, with sources that have webhooks."""
    rules = home / "rules"
    shutil.copytree(PROJECT_DIR / "data" / "rules", rules)
    (rules / "sources.yaml").write_text(sources, encoding="utf-8")
    return rules


def mac(key: bytes | str, signed: bytes) -> bytes:
    return hmac.digest(key.encode() if isinstance(key, str) else key, signed, hashlib.sha256)


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def standard(body: bytes, key: str = STANDARD_KEY, event_id: str | None = None, at: float | None = None) -> Headers:
    event_id = event_id or f"msg_{uuid4().hex}"
    moment = str(int(time.time() if at is None else at))
    signature = b64(mac(base64.b64decode(key), f"{event_id}.{moment}.".encode() + body))
    return {"webhook-id": event_id, "webhook-timestamp": moment, "webhook-signature": f"v1,{signature}"}


def hub(body: bytes, key: str = HUB_SECRET) -> Headers:
    return {"X-Hub-Signature-256": "sha256=" + mac(key, body).hex()}


def stripe(body: bytes, key: str = "whsec_test_secret", at: float | None = None) -> Headers:
    moment = int(time.time() if at is None else at)
    return {"Stripe-Signature": f"t={moment},v1={mac(key, b'%d.' % moment + body).hex()},v0=6ffbb59b2300aae63f272"}


def typeform(body: bytes, key: str = HUB_SECRET) -> Headers:
    return {"Typeform-Signature": f"sha256={b64(mac(key, body))}"}


def hubspot(body: bytes, url: str, key: str = HUB_SECRET, at: float | None = None) -> Headers:
    moment = str(int((time.time() if at is None else at) * 1000))
    signature = b64(mac(key, b"POST" + url.encode() + body + moment.encode()))
    return {"X-HubSpot-Request-Timestamp": moment, "X-HubSpot-Signature-v3": signature}


def basic(name: str = "sender", password: str = HUB_SECRET) -> Headers:
    return {"Authorization": "Basic " + b64(f"{name}:{password}".encode())}


def post(service: Service, source: str, body: bytes | str, headers: Headers | None = None, query: str = "") -> Reply:
    sent = {"Content-Type": "application/json", **(headers or {})}
    return service.ask("POST", f"/v1/webhooks/{source}{query}", body, sent)


def lead(**more: Any) -> bytes:
    """A lead of a person that nobody sent before."""
    return json.dumps({"email": f"{uuid4().hex[:12]}@hooks-works.com", "last_name": "Birch", **more}).encode()


def contents(service: Service, reply: Reply) -> list[dict[str, Any]]:
    """What is stored of the leads that an answer names."""
    ids = [each["lead_id"] for each in reply.json["leads"]]
    with service.store.read() as con:
        query = text("SELECT content FROM aiqleads.intake WHERE lead_id = ANY(cast(:ids AS uuid[])) ORDER BY lead_id")
        return [json.loads(content) for content in con.execute(query, {"ids": ids}).scalars()]


def leads_count(service: Service, source: str) -> int:
    with service.store.read() as con:
        query = text("SELECT count(*) FROM aiqleads.intake WHERE source = :source")
        return int(con.execute(query, {"source": source}).scalar_one())


def is_refused(reply: Reply, code: str = "invalid_signature") -> bool:
    return (reply.status, reply.code) == (401, code) and reply.headers["WWW-Authenticate"] is not None


def send_signed(service: Service, source: str, body: bytes) -> Reply:
    """An event signed as the source wants it."""
    url = f"http://127.0.0.1:{service.port}/v1/webhooks/{source}"
    headers: dict[str, Callable[[], Headers]] = {
        "form": lambda: standard(body),
        "hub": lambda: hub(body),
        "pay": lambda: stripe(body),
        "meta": lambda: hub(body),
        "typed": lambda: typeform(body),
        "hubspot": lambda: hubspot(body, url),
        "plain": basic,
    }
    return post(service, source, body, headers.get(source, dict)())
