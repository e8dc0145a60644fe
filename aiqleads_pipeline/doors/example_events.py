"""Examples for posting specifications: an event with one lead as a source's paths have it, and lines that sign it.

Belongs here: worked examples, true by construction: what a path finds is put where it looks. Does not belong here: the
page (``posting_specs``).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from aiqleads_pipeline.contract import NAMED_BY, REACHABLE_BY
from aiqleads_pipeline.rules.webhooks import WebhookRules

VALUES: Mapping[str, str] = {
    "external_id": "lead-1001",
    "first_name": "Ann",
    "last_name": "Birch",
    "full_name": "Ann Birch",
    "email": "ann.birch@example-works.com",
    "phone": "+1 415 555 2671",
    "company_name": "Example Works",
    "country": "US",
    "job_title": "Head of Purchasing",
    "message": "Please call me about your larger plan.",
}
_USUAL = ("external_id", "first_name", "last_name", "email", "phone", "company_name", "country")
_STEP = re.compile(
    r"\.(?P<name>[^\W\d]\w*)|\['(?P<quoted>[^'\\]*)'\]|\[(?P<index>\*|0)\]"
    r"|\[\?\s*@(?P<where>(?:\.[^\W\d]\w*)+)\s*==\s*(?P<mark>['\"])(?P<value>[^'\"\\]*)(?P=mark)\s*\]"
)
_Step = re.Match[str]


def example_event(webhook: WebhookRules) -> dict[str, Any] | list[Any]:
    """An event with one lead; what stands at a path too involved to be turned round is left out."""
    lead: Any = {}
    mapped = webhook.fields.keys() | webhook.event_fields.keys()
    own_names = {name: f"$.{name}" for name in _USUAL if name not in mapped}
    is_whole = not mapped.isdisjoint(REACHABLE_BY) and not mapped.isdisjoint(NAMED_BY)
    for column, path in () if is_whole else own_names.items():
        lead = _put(lead, path, VALUES[column])
    for column, path in webhook.fields.items():
        lead = _put(lead, path, VALUES.get(column, ""))
    event: Any = lead if webhook.leads is None else _put({}, webhook.leads, lead)
    for column, path in webhook.event_fields.items():
        event = _put(event, path, VALUES.get(column, "example"))
    if webhook.event_id_path is not None and webhook.scheme != "standard":
        event = _put(event, webhook.event_id_path, "event-1001")
    found: dict[str, Any] | list[Any] = event
    return found


def example_lines(webhook: WebhookRules, url: str) -> str:
    """Lines for a shell that sign the example and send it; the sender puts its secret into the first."""
    event = example_event(webhook)
    lines = {
        "standard": _STANDARD,
        "github": _HUB,
        "meta": _HUB,
        "stripe": _STRIPE,
        "typeform": _TYPEFORM,
        "hubspot": _HUBSPOT,
        "shared_key": (),
        "basic": (),
        "none": (),
    }[webhook.scheme]
    headers = {
        "standard": ("webhook-id: $ID", "webhook-timestamp: $NOW", "webhook-signature: v1,$SIGNATURE"),
        "github": ("X-Hub-Signature-256: sha256=$SIGNATURE",),
        "meta": ("X-Hub-Signature-256: sha256=$SIGNATURE",),
        "stripe": ("Stripe-Signature: t=$NOW,v1=$SIGNATURE",),
        "typeform": ("Typeform-Signature: sha256=$SIGNATURE",),
        "hubspot": ("X-HubSpot-Request-Timestamp: $NOW", "X-HubSpot-Signature-v3: $SIGNATURE"),
    }.get(webhook.scheme, ())
    begin = [] if webhook.scheme == "none" else ["SECRET='the secret you were given'"]
    begin.append(f"URL={shlex.quote(url)}")
    body = shlex.quote(json.dumps(event, ensure_ascii=False))
    if webhook.scheme == "shared_key" and isinstance(event, dict):
        keyed = json.dumps({webhook.key_member: "SECRET", **event}, ensure_ascii=False)
        body = shlex.quote(keyed).replace("SECRET", "'\"$SECRET\"'", 1)
    begin.append(f"BODY={body}")
    call = ['curl -sS -X POST "$URL" \\', "  -H 'Content-Type: application/json' \\"]
    call += [f'  -H "{header}" \\' for header in headers]
    if webhook.scheme == "basic":
        call.append(f'  --user {shlex.quote(webhook.username or "")}:"$SECRET" \\')
    return "\n".join([*begin, *lines, *call, '  --data-binary "$BODY"'])


_HEX = """hex() { od -An -vtx1 | tr -d ' \\n'; }"""
_STANDARD = (
    _HEX,
    'ID="msg_$(openssl rand -hex 12)"',
    "NOW=$(date +%s)",
    'KEY=$(printf %s "${SECRET#whsec_}" | base64 -d | hex)',
    'SIGNATURE=$(printf %s "$ID.$NOW.$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64)',
)
_KEY = 'KEY=$(printf %s "$SECRET" | hex)'
_SIGN = 'openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary'
_HUB = (_HEX, _KEY, f'SIGNATURE=$(printf %s "$BODY" | {_SIGN} | hex)')
_STRIPE = (_HEX, _KEY, "NOW=$(date +%s)", f'SIGNATURE=$(printf %s "$NOW.$BODY" | {_SIGN} | hex)')
_TYPEFORM = (_HEX, _KEY, f'SIGNATURE=$(printf %s "$BODY" | {_SIGN} | base64)')
_HUBSPOT = (
    _HEX,
    _KEY,
    "NOW=$(date +%s)000  # milliseconds",
    f'SIGNATURE=$(printf %s "POST$URL$BODY$NOW" | {_SIGN} | base64)',
)


def _put(document: Any, path: str, value: Any) -> Any:
    """``document`` with a value at a path; as it was if the path can't be turned round."""
    steps, at = [], 1
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            return document
        steps.append(step)
        at = step.end()
    return _built(document, steps, value)


def _built(here: Any, steps: list[_Step], value: Any) -> Any:
    if not steps:
        return {**here, **value} if isinstance(here, dict) and isinstance(value, dict) else value
    step, rest = steps[0], steps[1:]
    name = step["name"] if step["name"] is not None else step["quoted"]
    if name is not None:
        members = here if isinstance(here, dict) else {}
        return {**members, name: _built(members.get(name), rest, value)}
    items = list(here) if isinstance(here, list) else []
    if step["index"] is not None:
        return [_built(items[0] if items else None, rest, value), *items[1:]]
    where = step["where"][1:].split(".")
    for number, item in enumerate(items):
        if _member(item, where) == step["value"]:
            items[number] = _built(item, rest, value)
            return items
    return [*items, _built(_nested(where, step["value"]), rest, value)]


def _member(item: Any, names: list[str]) -> Any:
    for name in names:
        item = item.get(name) if isinstance(item, dict) else None
    return item


def _nested(names: list[str], value: str) -> Any:
    found: Any = value
    for name in reversed(names):
        found = {name: found}
    return found
