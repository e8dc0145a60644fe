"""The routes of leads: one, many, and where one stands.

Belongs here: HTTP - headers, types of content, the description for `/openapi.json`. What becomes of a lead is the
``desk``'s business. The two that take leads in are plain ASGI in front of FastAPI, which would cost more than the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from aiqleads_pipeline.contract import FLAG, INT, LEAD_COLUMNS, REAL
from aiqleads_pipeline.doors.access import ADMISSION, Admission
from aiqleads_pipeline.doors.desk import LEADS_PATH, Desk
from aiqleads_pipeline.doors.doors import Doors
from aiqleads_pipeline.doors.hot_lane import DEFAULT_MS, MOST_MS, read_wait
from aiqleads_pipeline.doors.intake import Answer
from aiqleads_pipeline.doors.problems import ASGIApp, Problem, Receive, Scope, Send, send_answer
from aiqleads_pipeline.doors.standing import Standings
from resources.store import idempotency
from resources.store.idempotency import Asked

BATCH_PATH = f"{LEADS_PATH}/batch"
FORGET_SECONDS = 3600.0
STOP_SECONDS = 5.0
MAX_KEY_CHARS = 255
_TYPES = {INT: "integer", REAL: "number", FLAG: "boolean"}
_LEAD_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "One way to reach it (email or phone) and one name (last_name, full_name or company_name) at least. "
    "Members that the contract does not know are kept as `extra`.",
    "properties": {
        "source": {"type": "string", "description": "A source of sources.yaml; else the lead's own word for it"},
        **{
            column.name: {"type": [_TYPES.get(column.type, "string"), "null"], "description": column.description}
            for column in LEAD_COLUMNS
        },
    },
    "additionalProperties": True,
    "examples": [
        {
            "email": "ann.birch@example-company.com",
            "last_name": "Birch",
            "company_name": "Example Company",
            "country": "US",
            "consent": True,
        }
    ],
}
_KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARS},
    "description": "The same key and body gets the same answer for 24 hours",
}
_WAIT_PARAMETERS = [
    {
        "name": "wait",
        "in": "query",
        "schema": {"enum": ["routed"]},
        "description": "Answer 200 with score, class and owner if that is known in time, else 202",
    },
    {
        "name": "timeout_ms",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST_MS, "default": DEFAULT_MS},
    },
]
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_BATCH_SCHEMA = {
    "oneOf": [
        {"type": "array", "items": _LEAD_SCHEMA, "minItems": 1},
        {"type": "object", "required": ["leads"], "properties": {"leads": {"type": "array", "items": _LEAD_SCHEMA}}},
    ]
}
_LINKS = {"type": "object", "required": ["self"], "properties": {"self": {"type": "string"}}}
_LEAD_ID = {"type": "string", "format": "uuid"}
_ACCEPTED = {
    "type": "object",
    "required": ["lead_id", "status", "links"],
    "properties": {"lead_id": _LEAD_ID, "status": {"enum": ["accepted", "linked", "updated"]}, "links": _LINKS},
}
_DECIDED = {
    "type": "object",
    "required": ["lead_id", "status", "lead_score", "priority", "links"],
    "properties": {
        "lead_id": _LEAD_ID,
        "status": {"enum": ["routed", "in_review"]},
        "lead_score": {"type": "number"},
        "priority": {"type": "string"},
        **{
            name: {"type": ["string", "null"]}
            for name in (
                "industry_code", "size_segment", "territory", "team", "owner", "rule_id", "sla_due_at", "reason_code",
            )
        },
        "links": _LINKS,
    },
}  # fmt: skip
_RESULTS = {
    "type": "object",
    "required": ["counts", "results"],
    "properties": {
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "status"],
                "properties": {"index": {"type": "integer"}, "status": {"enum": [202, 400, 409]}, "lead_id": _LEAD_ID},
            },
        },
    },
}
_SHOW_IT = {"it": {"operationId": "show_lead", "parameters": {"lead_id": "$response.body#/lead_id"}}}
Take = Callable[[str, bytes, Asked | None], Awaitable[Answer]]

router = APIRouter(tags=["leads"])


def hot_routes(doors: Doors) -> Mapping[tuple[str, str], ASGIApp]:
    """The routes that take leads in."""
    desk = doors.parts.setdefault(Desk, Desk(doors))
    doors.parts.setdefault(Standings, Standings(doors.outside))
    return {("POST", LEADS_PATH): _taking(desk.take_one, can_wait=True), ("POST", BATCH_PATH): _taking(desk.take_many)}


@contextlib.asynccontextmanager
async def running(doors: Doors) -> AsyncIterator[None]:
    """The desk's life: warm before the first request, finished with the last."""
    desk: Desk = doors.parts[Desk]
    desk.warm_up()
    forgetting = asyncio.create_task(_forget_for_ever(doors))
    try:
        yield
    finally:
        forgetting.cancel()
        await asyncio.to_thread(desk.stop, STOP_SECONDS)
        await asyncio.to_thread(doors.parts[Standings].close)


@router.post(
    LEADS_PATH,
    summary="One lead",
    status_code=202,
    openapi_extra={
        "parameters": [_KEY_PARAMETER, *_WAIT_PARAMETERS],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _LEAD_SCHEMA}}},
        "responses": {
            "200": {
                "description": "Taken in and decided, if asked to wait and done in time",
                "content": {"application/json": {"schema": _DECIDED}},
            },
            "202": {
                "description": "Taken in, durably",
                "content": {"application/json": {"schema": _ACCEPTED}},
                "links": _SHOW_IT,
            },
            "409": {
                "description": "The lead is known, or the key's first request is still at work",
                "content": _PROBLEM,
            },
            "422": {"description": "The key was used with another request", "content": _PROBLEM},
        },
    },
)
async def post_lead(request: Request) -> Response:
    """A lead is taken in before this answers 202; what is wrong with it is told all at once."""
    return await _take(request, request.app.state.doors.parts[Desk].take_one)


@router.post(
    BATCH_PATH,
    summary="Up to MAX_BATCH_SIZE leads",
    openapi_extra={
        "parameters": [_KEY_PARAMETER],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _BATCH_SCHEMA}}},
        "responses": {
            "200": {
                "description": "What became of each: 202, 400 or 409, as if it had come alone",
                "content": {"application/json": {"schema": _RESULTS}},
            },
            "409": {"description": "The key's first request is still at work", "content": _PROBLEM},
            "422": {"description": "The key was used with another request", "content": _PROBLEM},
        },
    },
)
async def post_batch(request: Request) -> Response:
    """Each lead is judged by itself; those that are taken in are durable before this answers."""
    return await _take(request, request.app.state.doors.parts[Desk].take_many)


@router.get(LEADS_PATH + "/{lead_id}", operation_id="show_lead", summary="Where a lead stands")
async def show_lead(lead_id: str, request: Request) -> dict[str, Any]:
    """Its state, score, class, route and deliveries, as far as it has come; nothing of these is personal data."""
    doors: Doors = request.app.state.doors
    admission: Admission = request.scope[ADMISSION]
    standings: Standings = doors.parts[Standings]
    try:
        wanted = UUID(lead_id)
    except ValueError:
        raise Problem(404, "not_found") from None
    taken = await doors.workers.run(standings.find, wanted)
    # Leads of files belong to no client: whoever reaches only one client's leads doesn't see them.
    admission.require_own("" if taken is None else taken.client)
    standing = await doors.workers.run(standings.describe, wanted, taken, admission.reach == "any")
    if standing is None:
        raise Problem(404, "not_found")
    return standing


async def _take(request: Request, take: Take) -> Response:
    body = await request.body()
    answer = await _answer_to(request.scope, body, take)
    return Response(answer.body, answer.status, headers=_headers_of(answer))


def _taking(take: Callable[..., Awaitable[Answer]], can_wait: bool = False) -> ASGIApp:
    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        wait = read_wait(scope["query_string"]) if can_wait else None
        answer = await _answer_to(scope, await _read(receive), take if wait is None else partial(take, wait=wait))
        headers = _headers_of(answer)
        content_type = headers.pop("content-type").encode()
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send_answer(send, answer.status, answer.body, content_type, raw)

    return route


async def _answer_to(scope: Scope, body: bytes, take: Take) -> Answer:
    key = None
    media_type = b""
    for name, value in scope["headers"]:
        if name == b"content-type":
            media_type = value.partition(b";")[0].strip().lower()
        elif name == b"idempotency-key":
            key = _read_key(value, key)
    if media_type != b"application/json" and not (
        media_type.startswith(b"application/") and media_type.endswith(b"+json")
    ):
        raise Problem(415, "unsupported_media_type", detail="Leads are sent as application/json.")
    client = scope[ADMISSION].caller.client
    asked = None
    if key is not None:
        digest = hashlib.sha256(scope["path"].encode() + b"\n" + body).digest()
        asked = Asked(client, key, digest)
    return await take(client, body, asked)


def _read_key(value: bytes, other: str | None) -> str:
    text = value.strip()
    if other is not None or not 1 <= len(text) <= MAX_KEY_CHARS or not all(0x21 <= byte <= 0x7E for byte in text):
        raise Problem(400, "invalid_idempotency_key")
    return text.decode("ascii")


def _headers_of(answer: Answer) -> dict[str, str]:
    return {**answer.headers, "idempotency-replayed": "true"} if answer.is_replayed else dict(answer.headers)


async def _read(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "malformed_request", detail="The body is not complete.")
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def _forget_for_ever(doors: Doors) -> None:
    """Answers are kept for a day; whichever worker comes first removes those that are older."""
    while True:
        with contextlib.suppress(Problem):  # the database is away: the next time will do
            await doors.workers.run(idempotency.forget, doors.store)
        await asyncio.sleep(FORGET_SECONDS)
