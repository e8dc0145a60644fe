"""The routes of uploads: a file becomes a batch, which is watched, listed where it failed, or taken back.

Belongs here: HTTP. Does not belong here: the body (``file_bodies``), how a batch stands (``progress``), its rejected
rows (``rejected_rows``), how a file would be read (``previewing``).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from aiqleads_pipeline.doors.access import ADMISSION, Admission
from aiqleads_pipeline.doors.doors import Doors
from aiqleads_pipeline.doors.events import Listeners, stream_progress
from aiqleads_pipeline.doors.file_bodies import FileBody, receive_file, recognise_file
from aiqleads_pipeline.doors.mappings import read_mapping
from aiqleads_pipeline.doors.previewing import preview_file
from aiqleads_pipeline.doors.problems import Problem, unavailable
from aiqleads_pipeline.doors.progress import UPLOADS_PATH, Progress, Sent, links_of
from aiqleads_pipeline.doors.readers import Readers
from aiqleads_pipeline.doors.rejected_rows import open_rejected_rows
from aiqleads_pipeline.doors.streams import CsvAnswer
from aiqleads_pipeline.doors.upload_sources import choose_source
from aiqleads_pipeline.rules.sources import SourceRules
from resources.bucket import BucketUnavailable
from resources.store import uploads
from resources.store.uploads import CANCELLED, MappingFixed, TooManyOpen

MAX_NAME_CHARS = 1000
DEFAULT_NAME = "upload"
router = APIRouter(tags=["uploads"])

_TEXT = {"type": "string"}
_FIELDS = {
    "source": "A source of sources.yaml; the client's own if left out",
    "filename": "What the sender calls the file",
    "mapping": 'JSON: header to column of the contract, or "ignore"',
}
_BODY: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "query", "schema": _TEXT, "description": text} for name, text in _FIELDS.items()
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "text/csv": {"schema": _TEXT},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}, **dict.fromkeys(_FIELDS, _TEXT)},
                }
            },
        },
    },
}
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


@contextlib.asynccontextmanager
async def running(doors: Doors) -> AsyncIterator[None]:
    """What uploads keep for the process's life."""
    readers = Readers(doors.outside)
    doors.parts |= {
        Readers: readers,
        Progress: Progress(doors.outside),
        Listeners: Listeners(doors.settings.API_MAX_LISTENERS),
    }
    try:
        yield
    finally:
        readers.stop()


@router.post(
    UPLOADS_PATH,
    status_code=202,
    summary="A file of leads, streamed",
    openapi_extra={
        **_BODY,
        "responses": {
            "202": {"description": "Kept, durably: it becomes a batch, or is one already"},
            "409": {"description": "The same bytes were read with another mapping", "content": _PROBLEM},
        },
    },
)
async def post_upload(request: Request) -> Response:
    """The file is durable and registered before this answers 202; the same bytes again are the same batch."""
    doors: Doors = request.app.state.doors
    admission: Admission = request.scope[ADMISSION]
    async with _recognised(request, doors.settings.MAX_UPLOAD_MB) as sent_file:
        batch_id, is_repeat = await doors.workers.run(_keep, doors, sent_file, admission.caller.client)
    sent = await _find(doors, batch_id)
    links = links_of(batch_id)
    answer = {
        "batch_id": batch_id,
        "is_repeat": is_repeat,
        "state": sent.state,
        "source": sent_file.source.name,
        "size_bytes": sent.batch.size_bytes,
        "links": links,
    }
    return JSONResponse(answer, 202, headers={"location": links["self"]})


@router.post(
    UPLOADS_PATH + "/preview",
    summary="How a file would be read",
    openapi_extra={
        **_BODY,
        "parameters": [
            *_BODY["parameters"],
            {
                "name": "is_head",
                "in": "query",
                "schema": {"type": "boolean"},
                "description": "The body is the head of a longer text; its last line may be cut",
            },
        ],
    },
)
async def preview_upload(request: Request) -> Response:
    """What its columns mean and its first rows as parsed; nothing is kept. Of a large text send the head."""
    doors: Doors = request.app.state.doors
    readers: Readers = doors.parts[Readers]
    async with _recognised(request, doors.settings.MAX_PREVIEW_MB) as sent_file:
        is_head = sent_file.asked.get("is_head", "").lower() in ("1", "true")
        path, mapping = sent_file.body.staged.path, sent_file.mapping or {}
        found = await readers.run(preview_file, readers, path, sent_file.name, sent_file.source, mapping, is_head)
    return JSONResponse(found)


@router.get(UPLOADS_PATH + "/{batch_id}", summary="Where an upload stands")
async def show_upload(batch_id: str, request: Request) -> dict[str, Any]:
    """State, progress by tables, counts, reasons."""
    doors: Doors = request.app.state.doors
    sent = await _find_own(request, batch_id)
    document: dict[str, Any] = await doors.workers.run(doors.parts[Progress].describe, sent)
    return document | {"file_name": _name_for(request, sent)}


@router.get(
    UPLOADS_PATH + "/{batch_id}/events",
    summary="The same as server-sent events, until the end",
    response_class=Response,
    openapi_extra={
        "parameters": [{"name": "Last-Event-ID", "in": "header", "schema": _TEXT}],
        "responses": {
            "200": {"description": "`progress` for each change, then `end`", "content": {"text/event-stream": {}}},
            "204": {"description": "The end was told before: nothing comes any more"},
        },
    },
)
async def listen_to_upload(batch_id: str, request: Request) -> Response:
    """Each event is the whole document; its id stands for it, so that who comes back misses and repeats nothing."""
    sent = await _find_own(request, batch_id)
    name = _name_for(request, sent)
    return stream_progress(request, request.app.state.doors, batch_id, name)


@router.get(
    UPLOADS_PATH + "/{batch_id}/errors.csv",
    summary="The rejected rows, to be corrected and sent again",
    response_class=Response,
    openapi_extra={
        "responses": {
            "200": {"description": "The sender's own columns, and what is wrong", "content": {"text/csv": {}}},
            "409": {"description": "Not known yet", "content": _PROBLEM},
        }
    },
)
async def list_errors(batch_id: str, request: Request) -> Response:
    """Rows in the file's own columns and order with `line_number, column, code, how_to_fix`."""
    doors: Doors = request.app.state.doors
    sent = await _find_own(request, batch_id)
    if sent.batch.state not in ("done", "running", "failed"):
        raise Problem(409, "no_rejected_rows_yet")
    readers: Readers = doors.parts[Readers]
    pieces = await readers.run(open_rejected_rows, doors.outside, readers, sent.batch)
    return CsvAnswer(pieces, f"errors-{batch_id}.csv")


@router.delete(
    UPLOADS_PATH + "/{batch_id}",
    summary="Take a batch back that has not begun",
    openapi_extra={"responses": {"409": {"description": "It has begun, or has ended", "content": _PROBLEM}}},
)
async def cancel_upload(batch_id: str, request: Request) -> dict[str, Any]:
    """The batch will not be run; the same file sent again lets it wait again."""
    doors: Doors = request.app.state.doors
    admission: Admission = request.scope[ADMISSION]
    sent = await _find_own(request, batch_id)
    if sent.state != CANCELLED:
        own = sent.of(admission.caller.client)
        if admission.reach != "any" and (own is None or not own.made_it):
            raise Problem(409, "not_the_maker")
        by = admission.caller.client
        if not await doors.workers.run(uploads.cancel, doors.store, batch_id, by, doors.settings.now()):
            raise Problem(409, "already_begun", state=(await _find(doors, batch_id)).state)
    found = await _find(doors, batch_id)
    return await doors.workers.run(doors.parts[Progress].describe, found)


@dataclass(frozen=True)
class _SentFile:
    """A file that was received whole and is a table, with what its sender says of it."""

    body: FileBody
    asked: dict[str, str]
    mapping: dict[str, str] | None
    source: SourceRules

    @property
    def name(self) -> str:
        return (self.asked.get("filename") or self.body.name or DEFAULT_NAME)[:MAX_NAME_CHARS]


@contextlib.asynccontextmanager
async def _recognised(request: Request, most_mb: int) -> AsyncIterator[_SentFile]:
    """The body as a file of leads, staged until the block ends.

    Raises:
        Problem: it is too large or no table, or what its sender says of it can't be.
    """
    doors: Doors = request.app.state.doors
    admission: Admission = request.scope[ADMISSION]
    async with receive_file(request, doors, most_mb) as body:
        asked = _asked(request, body)
        mapping = read_mapping(asked.get("mapping"), doors.settings.MAX_DROP_COLUMNS)
        source = await doors.workers.run(choose_source, doors, admission, asked.get("source"))
        readers: Readers = doors.parts[Readers]
        await readers.run(recognise_file, body)
        yield _SentFile(body, asked, mapping, source)


def _asked(request: Request, body: FileBody) -> dict[str, str]:
    """What the request says beside the file: in the address, or in the form."""
    asked = dict(request.query_params) | body.fields
    if any("\0" in value or _is_broken(value) for value in asked.values()):
        raise Problem(400, "invalid_request", detail="A parameter holds characters that are no text.")
    return asked


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _keep(doors: Doors, sent_file: _SentFile, client: str) -> tuple[str, bool]:
    """In a thread: the content under its hash, then the ledger; killed between, sending again finds it there."""
    try:
        kept = sent_file.body.staged.finish()
        return uploads.register_upload(
            doors.store,
            kept,
            client=client,
            source=sent_file.source.name,
            name=sent_file.name,
            mapping=sent_file.mapping,
            most_open=doors.settings.MAX_OPEN_UPLOADS,
            now=doors.settings.now(),
        )
    except MappingFixed as fixed:
        link = f"{UPLOADS_PATH}/{fixed.batch_id}"
        raise Problem(409, "mapping_fixed", batch_id=fixed.batch_id, link=link) from None
    except TooManyOpen:
        raise Problem(429, "too_many_uploads", headers={"Retry-After": "30"}) from None
    except FileNotFoundError as error:  # a start of `aiqleads up` cleared what was staged
        raise unavailable("overloaded") from error
    except BucketUnavailable as error:
        raise doors.problem_of(error) or unavailable("overloaded") from error


async def _find(doors: Doors, batch_id: str) -> Sent:
    sent: Sent | None = await doors.workers.run(doors.parts[Progress].find, batch_id)
    if sent is None:
        raise Problem(404, "not_found")
    return sent


async def _find_own(request: Request, batch_id: str) -> Sent:
    """A batch that the caller may see, or 404."""
    doors: Doors = request.app.state.doors
    admission: Admission = request.scope[ADMISSION]
    found: Sent | None = None
    if "\0" not in batch_id and not _is_broken(batch_id):
        found = await doors.workers.run(doors.parts[Progress].find, batch_id)
    if found is None:
        raise Problem(404, "not_found")
    if found.of(admission.caller.client) is None:
        admission.require_own("")
    return found


def _name_for(request: Request, sent: Sent) -> str | None:
    """What the caller calls the file; else what its first sender does."""
    admission: Admission = request.scope[ADMISSION]
    upload = sent.of(admission.caller.client) or next(iter(sent.uploads), None)
    return upload.name if upload else None
