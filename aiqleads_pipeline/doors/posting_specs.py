"""`GET /v1/sources/{source}/spec`: how leads of a source are sent, as a plain page made from its configuration.

Belongs here: words about what is configured. Nothing on the page is secret, yet only who keeps the source sees it.
Every text goes through ``_text``: what stands in the rules is no HTML.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence

from fastapi import APIRouter, Request, Response

from aiqleads_pipeline.contract import LEAD_COLUMNS
from aiqleads_pipeline.doors.access import ADMISSION, Admission
from aiqleads_pipeline.doors.desk import LEADS_PATH
from aiqleads_pipeline.doors.doors import Doors
from aiqleads_pipeline.doors.example_events import VALUES, example_lines
from aiqleads_pipeline.doors.permissions import RULES
from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.doors.source_terms import SourceTerms
from aiqleads_pipeline.reasons import REASONS
from aiqleads_pipeline.rules.sources import SourceRules
from aiqleads_pipeline.rules.webhooks import WebhookRules
from aiqleads_pipeline.settings import Settings
from resources.bucket import legal_source

router = APIRouter(tags=["sources"])
UNKNOWN_URL = "https://YOUR-HOST"
_SIGNED = {
    "standard": "Standard Webhooks 1.0: base64 of HMAC-SHA256 over `id.timestamp.body`, in `webhook-signature` behind "
    "`v1,`. The key is what the secret holds behind `whsec_`, base64-decoded. The id stays the same when you repeat "
    "an event.",
    "github": "Hex of HMAC-SHA256 over the body, in `X-Hub-Signature-256` behind `sha256=`.",
    "meta": "Hex of HMAC-SHA256 over the body with the app's secret, in `X-Hub-Signature-256` behind `sha256=`. The "
    "handshake (GET with `hub.challenge`) is answered for the verify token that you were given.",
    "stripe": "Hex of HMAC-SHA256 over `timestamp.body`, in `Stripe-Signature: t=timestamp,v1=signature`.",
    "typeform": "Base64 of HMAC-SHA256 over the body, in `Typeform-Signature` behind `sha256=`.",
    "hubspot": "Base64 of HMAC-SHA256 over method, address, body and timestamp (milliseconds), one behind the other, "
    "in `X-HubSpot-Signature-v3`, with `X-HubSpot-Request-Timestamp`.",
    "shared_key": "The key that you were given is a member of the body.",
    "basic": "Basic authentication with the name and password that you were given.",
    "none": "This source asks for no proof: anybody who knows the address can send.",
}
_TIMED = ("standard", "stripe", "hubspot")
_WEBHOOK_ANSWERS = (
    ("202", "Taken in, durably: `leads` names each lead of the event. What becomes of one is told at its link."),
    ("200", "The event is known: nothing was done again; `leads` are those it brought when it came first."),
    ("401", REASONS["invalid_signature"].message + " Repeating it as it is won't help."),
    ("413", "The body is larger than is taken, or holds more leads than are taken at once."),
    ("415", "The body is compressed: send it as it is."),
    ("429", "More leads than the limit: send again after the seconds in `Retry-After`."),
    ("503", "Not now: nothing was taken. Send again after the seconds in `Retry-After`."),
)
_API_ANSWERS = (
    ("202", "Taken in, durably, under `lead_id`."),
    ("400", "Refused: `errors` and `missing` list everything that is wrong."),
    ("401, 403", "No valid key, or one that may not send leads."),
    ("409", "The lead is known: `existing_lead_id` names it."),
    ("429, 503", "Not now: send again after the seconds in `Retry-After`."),
)


@router.get(
    "/v1/sources/{source}/spec",
    summary="How leads of a source are sent",
    response_class=Response,
    openapi_extra={"responses": {"200": {"description": "A page", "content": {"text/html": {}}}}},
)
async def show_spec(source: str, request: Request) -> Response:
    """A page for the people who set a sender up."""
    doors: Doors = request.app.state.doors
    admission: Admission = request.scope[ADMISSION]
    if SourceTerms not in doors.parts:
        doors.parts[SourceTerms] = SourceTerms(doors.settings.rules_dir)
    terms: SourceTerms = doors.parts[SourceTerms]
    rules = terms.listed(source)
    if rules is None:
        # A source that is not listed works too: each client has one of its own name.
        own = legal_source(admission.caller.client)
        if source != own and (admission.reach != "any" or source != legal_source(source)):
            raise Problem(404, "not_found")
        rules = terms.of_client(source)
    else:
        admission.require_own(client_of(rules))
    return Response(render_spec(rules, doors.settings), media_type="text/html; charset=utf-8")


def client_of(rules: SourceRules) -> str:
    """Whose leads those of a listed source are."""
    return (rules.webhook.client if rules.webhook else None) or rules.name


def render_spec(rules: SourceRules, settings: Settings) -> str:
    """The page as HTML."""
    base = settings.PUBLIC_URL.rstrip("/") or UNKNOWN_URL
    parts = [f"<h1>{_text(rules.label or rules.name)}</h1>", f"<p>Source: <code>{_text(rules.name)}</code></p>"]
    if rules.webhook is not None:
        parts += _webhook(rules, rules.webhook, base, settings)
    parts += _api(rules, base)
    parts += _fields(rules)
    title = _text(f"{rules.label or rules.name}: how to send leads")
    head = f'<head><meta charset="utf-8"><title>{title}</title></head>'
    return "\n".join(["<!DOCTYPE html>", '<html lang="en">', head, "<body>", *parts, "</body>", "</html>", ""])


def _webhook(rules: SourceRules, webhook: WebhookRules, base: str, settings: Settings) -> list[str]:
    path = f"/v1/webhooks/{rules.name}"
    [rule] = [rule for rule in RULES if (rule.method, rule.path) == ("POST", "/v1/webhooks/{source}")]
    parts = ["<h2>By webhook</h2>", f"<p><code>POST {_text(base + path)}</code></p>"]
    parts += [f"<p>{_prose(_SIGNED[webhook.scheme])}</p>"]
    if webhook.scheme == "shared_key":
        parts.append(f"<p>The member is <code>{_text(webhook.key_member)}</code>.</p>")
    if webhook.scheme in _TIMED:
        seconds = webhook.tolerance_seconds
        parts.append(
            f"<p>A signature is good for {seconds} seconds before and after its time: sign again to repeat.</p>"
        )
    limits = f"The body is JSON in UTF-8, at most {rule.max_body_kb} KiB and {settings.pipeline.MAX_BATCH_SIZE} leads."
    parts += [f"<p>{_text(limits)} An event is known again for {settings.WEBHOOK_MEMORY_DAYS} days.</p>"]
    parts += [_code(example_lines(webhook, base + path))]
    if webhook.leads is not None:
        parts.append(f"<p>The leads of an event are at <code>{_text(webhook.leads)}</code>.</p>")
    if webhook.event_id_path is not None and webhook.scheme != "standard":
        parts.append(f"<p>An event is told from others by <code>{_text(webhook.event_id_path)}</code>.</p>")
    return [*parts, _table(("Answer", "Meaning"), _WEBHOOK_ANSWERS)]


def _api(rules: SourceRules, base: str) -> list[str]:
    lead = {"source": rules.name, **{name: VALUES[name] for name in ("first_name", "last_name", "email", "country")}}
    lines = [
        f"curl -sS -X POST {base}{LEADS_PATH} \\",
        '  -H "Authorization: Bearer $API_KEY" \\',
        "  -H 'Content-Type: application/json' \\",
        f"  --data '{json.dumps(lead)}'",
    ]
    intro = "With an API key, one lead at a time, or several at once at <code>/v1/leads/batch</code>:"
    parts = ["<h2>By API</h2>", f"<p>{intro}</p>", _code("\n".join(lines))]
    return [*parts, _table(("Answer", "Meaning"), _API_ANSWERS)]


def _fields(rules: SourceRules) -> list[str]:
    webhook = rules.webhook
    rows = []
    for column in LEAD_COLUMNS:
        found = []
        if webhook is not None and column.name in webhook.fields:
            found.append(f"webhook: `{webhook.fields[column.name]}`" + (" of the lead" if webhook.leads else ""))
        if webhook is not None and column.name in webhook.event_fields:
            found.append(f"webhook: `{webhook.event_fields[column.name]}` of the event")
        found += [f"header or member `{header}`" for header, name in rules.columns.items() if name == column.name]
        if column.name in rules.defaults:
            found.append(f"if left out: `{rules.defaults[column.name]}`")
        rows.append((f"`{column.name}`", column.description, "; ".join(found)))
    need = "A lead needs one way to reach it (email or phone) and one name (last_name, full_name or company_name)."
    known = "Members of other names are kept with the lead; usual names of these fields are understood as well."
    table = _table(("Field", "Meaning", "Where it comes from"), rows)
    return ["<h2>Fields</h2>", f"<p>{_text(need)} {_text(known)}</p>", table]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{_text(cell)}</th>" for cell in header)
    body = "\n".join("<tr>" + "".join(f"<td>{_prose(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>\n<tr>{head}</tr>\n{body}\n</table>"


def _code(text: str) -> str:
    return f"<pre>{_text(text)}</pre>"


def _prose(text: str) -> str:
    """Text in which what stands between backticks is code."""
    parts = [_text(part) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return _text(text)
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def _text(text: str) -> str:
    return html.escape(text, quote=True)
