"""`POST /v1/webhooks/{source}`: events that other services send on their own; open to the world, for the signature is
the credential.

Belongs here: HTTP and the order of things - source, secret, signature, leads, one durable write, answer. An event whose
sender proved who it is gets lost under no circumstances: what is no lead in it is kept and rejected in its batch, with
its reasons. Does not belong here: signatures (``webhook_signatures``) and reading (``stages.reading.events``).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from aiqleads_pipeline.doors.doors import Doors
from aiqleads_pipeline.doors.gathering import Gatherer
from aiqleads_pipeline.doors.problems import Problem, unavailable
from aiqleads_pipeline.doors.source_terms import SourceTerms
from aiqleads_pipeline.doors.webhook_intake import Event, Taken, take_in_events
from aiqleads_pipeline.doors.webhook_signatures import Incoming, secrets_of, verify, verify_handshake
from aiqleads_pipeline.rules.sources import SourceRules
from aiqleads_pipeline.rules.webhooks import WebhookRules
from aiqleads_pipeline.stages.reading.events import EventLead, find_text, parse_event, read_event, unreadable_event
from resources.store import webhook_events
from resources.store.intake import LeadIds, NewLead
from resources.store.webhook_events import EventKey

WEBHOOK_CHANNEL = "webhook"
MOST_AT_ONCE = 2_000  # leads per transaction
MOST_WAITING = 20_000  # leads
AT_ONCE_BYTES = 8 * 1024  # larger bodies are read beside the event loop
DISABLED_SECONDS = 60.0
FORGET_SECONDS = 3600.0
STOP_SECONDS = 5.0
log = logging.getLogger("aiqleads.doors")

router = APIRouter(tags=["webhooks"])
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_TAKEN_SCHEMA = {
    "type": "object",
    "required": ["status", "leads"],
    "properties": {
        "status": {"type": "string", "enum": ["accepted", "known"]},
        "leads": {"type": "array", "items": {"type": "object"}},
    },
}
_TAKEN = {"application/json": {"schema": _TAKEN_SCHEMA}}


@contextlib.asynccontextmanager
async def running(doors: Doors) -> AsyncIterator[None]:
    """The intake's life; events are forgotten when nobody repeats them any more."""
    webhooks = doors.parts.setdefault(Webhooks, Webhooks(doors))
    forgetting = asyncio.create_task(_forget_for_ever(doors))
    try:
        yield
    finally:
        forgetting.cancel()
        await asyncio.to_thread(webhooks.stop, STOP_SECONDS)


@router.post(
    "/v1/webhooks/{source}",
    summary="An event of a webhook",
    status_code=202,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
        "responses": {
            "202": {"description": "Taken in, durably", "content": _TAKEN},
            "200": {"description": "The event is known: the leads it brought when it came first", "content": _TAKEN},
            "401": {"description": "The signature is missing, wrong or too old", "content": _PROBLEM},
        },
    },
)
async def post_event(source: str, request: Request) -> Response:
    """An event is stored with its leads before this answers 202; one that is repeated has no second effect."""
    webhooks: Webhooks = request.app.state.doors.parts[Webhooks]
    rules = webhooks.rules_of(source)
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Problem(415, "unsupported_media_type", headers={"Accept-Encoding": "identity"})
    try:
        body = await request.body()
    except ClientDisconnect:
        raise Problem(400, "malformed_request", detail="The body is not complete.") from None
    url = webhooks.url_of(request.scope)
    taken = await webhooks.take(rules, Incoming("POST", url, request.scope["headers"], body))
    leads = [{"lead_id": str(lead_id), "links": {"self": f"/v1/leads/{lead_id}"}} for lead_id in taken.lead_ids]
    answer = json.dumps({"status": "known" if taken.is_known else "accepted", "leads": leads})
    return Response(answer, 200 if taken.is_known else 202, media_type="application/json")


@router.get(
    "/v1/webhooks/{source}",
    summary="The handshake of Meta",
    response_class=Response,
    openapi_extra={
        "responses": {
            "200": {"description": "The challenge", "content": {"text/plain": {"schema": {"type": "string"}}}},
            "401": {"description": "The token is wrong", "content": _PROBLEM},
            "405": {"description": "The source's sender asks for no handshake", "content": _PROBLEM},
        }
    },
)
async def shake_hands(source: str, request: Request) -> Response:
    """The challenge, given back to whoever knows the source's token."""
    rules = request.app.state.doors.parts[Webhooks].rules_of(source).webhook
    if rules.scheme != "meta":
        raise Problem(405, "method_not_allowed", headers={"Allow": "POST"})
    return Response(verify_handshake(rules, request.query_params), media_type="text/plain")


@dataclass(frozen=True, slots=True)
class WebhookSource:
    """A source that has a webhook."""

    source: SourceRules
    webhook: WebhookRules

    @property
    def client(self) -> str:
        """Whose leads and whose limit these are."""
        return self.webhook.client or self.source.name


class Webhooks:
    """One per worker process; its methods belong to the event loop."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._ids = LeadIds()
        self._told: set[str] = set()
        self._sources = SourceTerms(doors.settings.rules_dir)
        self._public_url = doors.settings.PUBLIC_URL.rstrip("/").encode()
        self._taking_in: Gatherer[Event, Taken] = Gatherer(
            "take in events", self._take_in, MOST_AT_ONCE, MOST_WAITING, lambda event: max(1, len(event.leads))
        )
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="read events")
        doors.breaker.on_change(self._let_go)

    def rules_of(self, name: str) -> WebhookSource:
        """A source's webhook.

        Raises:
            Problem: 404, there is none; 503, webhooks are switched off.
        """
        source = self._sources.listed(name)
        if source is None or source.webhook is None:
            raise Problem(404, "not_found")
        if not self._doors.settings.flags.enableWebhooks:
            raise unavailable("webhooks_disabled", DISABLED_SECONDS)
        return WebhookSource(source, source.webhook)

    def url_of(self, scope: Mapping[str, Any]) -> bytes:
        """The address as the sender wrote it: behind a proxy only the settings know its beginning."""
        begin = self._public_url
        if not begin:
            host = next((value for name, value in scope["headers"] if name == b"host"), b"")
            begin = str(scope["scheme"]).encode() + b"://" + host
        query = scope["query_string"]
        path: bytes = scope.get("raw_path") or str(scope["path"]).encode()
        return begin + path + (b"?" + query if query else b"")

    async def take(self, rules: WebhookSource, incoming: Incoming) -> Taken:
        """Take an event in.

        Raises:
            Problem: 400 (of the scheme `none`, and no JSON), 401, 413, 429, 503.
        """
        now = self._doors.settings.now()
        if len(incoming.body) <= AT_ONCE_BYTES:
            key, leads = self._read(rules, incoming, now)
        else:
            loop = asyncio.get_running_loop()
            key, leads = await loop.run_in_executor(self._reading, self._read, rules, incoming, now)
        most = self._doors.settings.pipeline.MAX_BATCH_SIZE
        if len(leads) > most:
            raise Problem(413, "too_many_leads", detail=f"At most {most:,} leads at once.")
        name = rules.source.name
        new = [
            NewLead(self._ids.next(now), rules.client, name, WEBHOOK_CHANNEL, now, lead.content(), ()) for lead in leads
        ]
        taken = await self._taking_in.submit(Event(EventKey(name, key), rules.client, new))
        if taken.allowance is not None:
            self._doors.quotas.note(rules.client, taken.allowance, len(new))
        if taken.problem is not None:
            raise taken.problem
        return taken

    def stop(self, seconds: float) -> None:
        """Finish what was begun; blocks up to ``seconds``."""
        self._taking_in.stop(seconds)
        self._reading.shutdown(wait=False, cancel_futures=True)

    def _read(self, rules: WebhookSource, incoming: Incoming, now: datetime) -> tuple[bytes, list[EventLead]]:
        """What tells the event from others, and its leads."""
        webhook = rules.webhook
        try:
            secrets = secrets_of(webhook)
        except Problem:
            if rules.source.name not in self._told:  # once: whoever knocks must not fill the log
                self._told.add(rules.source.name)
                log.warning("the webhook of %s has no usable secret: set AIQLEADS_SECRET__<NAME>", rules.source.name)
            raise
        has_key = webhook.scheme == "shared_key"
        document = _parse(incoming.body) if has_key else _UNREAD
        if has_key:
            incoming = Incoming(incoming.method, incoming.url, incoming.headers, incoming.body, document)
        event_id = verify(webhook, secrets, incoming, now)
        if not has_key:
            document = _parse(incoming.body)
        if document is _UNREAD:
            if webhook.scheme == "none":
                raise Problem(400, "malformed_request")
            return sha256(b"body:" + incoming.body).digest(), [unreadable_event(incoming.body)]
        if has_key:
            document = _without_key(document, webhook.key_member, secrets)
        if event_id is None and webhook.event_id_path is not None:
            event_id = find_text(webhook.event_id_path, document)
        named = b"body:" + incoming.body if event_id is None else b"id:" + event_id.encode("utf-8", "backslashreplace")
        leads = read_event(document, webhook, rules.source.columns, rules.source.defaults)
        return sha256(named).digest(), leads

    def _take_in(self, events: list[Event]) -> list[Taken]:
        try:
            return take_in_events(self._doors.store, self._doors.quotas.limit, events)
        except Exception as error:
            raise self._doors.problem_of(error) or error from error

    def _let_go(self, reason: str | None) -> None:
        if reason is not None:
            self._taking_in.let_go(unavailable(reason))


_UNREAD: Any = object()


def _parse(body: bytes) -> Any:
    try:
        return parse_event(body)
    except (ValueError, RecursionError):
        return _UNREAD


def _without_key(document: dict[str, Any], member: str, secrets: list[bytes]) -> dict[str, Any]:
    """The document without its key, which is not the lead's and is stored nowhere; named twice it is gone twice."""
    texts = [key.decode("utf-8", "replace") for key in secrets]
    return {name: value for name, value in document.items() if name != member and value not in texts}


async def _forget_for_ever(doors: Doors) -> None:
    """Events are known for some weeks; whichever worker comes first removes those that are older."""
    kept_seconds = doors.settings.WEBHOOK_MEMORY_DAYS * 86_400
    while True:
        with contextlib.suppress(Problem):  # the database is away: the next time will do
            await doors.workers.run(webhook_events.forget, doors.store, kept_seconds)
        await asyncio.sleep(FORGET_SECONDS)
