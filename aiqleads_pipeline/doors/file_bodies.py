"""A file as the body of a request, raw or in a form: straight to the bucket's staging, never held in memory.

Belongs here: the two shapes of such a body, and its limits. Does not belong here: what the file becomes (``uploads``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from aiqleads_pipeline.doors.doors import Doors
from aiqleads_pipeline.doors.problems import Problem, unavailable
from aiqleads_pipeline.stages.reading import DropRefused
from aiqleads_pipeline.stages.reading.recognise import Format, recognise
from resources.bucket import BucketUnavailable, Receiving

FORM_TYPE = "multipart/form-data"
PIECE_BYTES = 1 << 20  # is written at once, by a thread
MAX_FIELD_BYTES = 64 << 10
MAX_PARTS = 20


@dataclass
class FileBody:
    """A file that arrived: where it is staged, what it was called, and the fields that came with it."""

    staged: Receiving
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def receive_file(request: Request, doors: Doors, max_mb: int) -> AsyncIterator[FileBody]:
    """The file of a request, whole. What is not kept by ``staged.finish`` goes away at the end.

    Raises:
        Problem: 400, 413, 415, 503.
    """
    media_type, options = _media_type(request)
    _require_type(request, media_type, doors)
    try:
        staged = await asyncio.to_thread(doors.outside.bucket.receive)
    except (BucketUnavailable, OSError) as error:
        raise doors.problem_of(error) or unavailable("overloaded") from error
    with staged:
        body = FileBody(staged)
        writer = _Writer(staged, max_mb << 20)
        try:
            if media_type == FORM_TYPE:
                await _read_form(request, body, writer, options.get(b"boundary", b""))
            else:
                async for piece in request.stream():
                    await writer.take(piece)
            await writer.flush()
        except ClientDisconnect:
            raise Problem(400, "malformed_request", detail="The body is not complete.") from None
        yield body


def recognise_file(body: FileBody) -> Format:
    """What kind of file it is; in a thread.

    Raises:
        Problem: 400 for an empty one, 415 for what is no table of leads.
    """
    try:
        return recognise(body.staged.path)
    except DropRefused as refused:
        status = 400 if refused.code in ("empty_file", "corrupt_file") else 415
        raise Problem(status, refused.code, detail=refused.detail or None) from None


class _Writer:
    """Collects what comes and has threads write it, a large piece at a time."""

    def __init__(self, staged: Receiving, max_bytes: int) -> None:
        self._staged, self._left = staged, max_bytes
        self._pieces: list[bytes] = []
        self._waiting_bytes = 0

    async def take(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left < 0:
            raise Problem(413, "body_too_large")
        self._pieces.append(piece)
        self._waiting_bytes += len(piece)
        if self._waiting_bytes >= PIECE_BYTES:
            await self.flush()

    async def flush(self) -> None:
        pieces, self._pieces, self._waiting_bytes = self._pieces, [], 0
        if pieces:
            await asyncio.to_thread(self._staged.write, b"".join(pieces))


class _Form:
    """A form as it is parsed: fields are kept, the file's bytes are handed on."""

    def __init__(self, boundary: bytes) -> None:
        self.fields: dict[str, bytes] = {}
        self.file_name: str | None = None
        self.pieces: list[bytes] = []
        self._header = [b"", b""]
        self._headers: dict[bytes, bytes] = {}
        self._part: str | None = None  # the field's name; None within the file
        self._parts_count = 0
        self._is_whole = False
        self.parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_begin": self._begin_header,
                "on_header_field": lambda data, start, end: self._add_header(0, data[start:end]),
                "on_header_value": lambda data, start, end: self._add_header(1, data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._open_part,
                "on_part_data": lambda data, start, end: self._add_data(data[start:end]),
                "on_end": self._end,
            },
        )

    def require_whole(self) -> None:
        if not self._is_whole:
            raise Problem(400, "malformed_request", detail="The form is not complete.")
        if self.file_name is None:
            raise Problem(400, "no_file")

    def _begin_part(self) -> None:
        self._headers = {}
        self._parts_count += 1
        if self._parts_count > MAX_PARTS:
            raise Problem(400, "malformed_request", detail=f"The form has more than {MAX_PARTS} parts.")

    def _begin_header(self) -> None:
        self._header = [b"", b""]

    def _add_header(self, which: int, data: bytes) -> None:
        self._header[which] += data

    def _end_header(self) -> None:
        self._headers[self._header[0].lower()] = self._header[1]

    def _open_part(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"filename" not in options:
            self._part = options.get(b"name", b"").decode("utf-8", "replace")
            self.fields[self._part] = b""
            return
        if self.file_name is not None:
            raise Problem(400, "several_files")
        self._part, self.file_name = None, options[b"filename"].decode("utf-8", "replace")

    def _add_data(self, data: bytes) -> None:
        if self._part is None:
            self.pieces.append(data)
            return
        self.fields[self._part] += data
        if len(self.fields[self._part]) > MAX_FIELD_BYTES:
            raise Problem(413, "body_too_large", detail="A field of the form is too large.")

    def _end(self) -> None:
        self._is_whole = True


async def _read_form(request: Request, body: FileBody, writer: _Writer, boundary: bytes) -> None:
    if not boundary:
        raise Problem(400, "malformed_request", detail="The form's Content-Type names no boundary.")
    try:
        form = _Form(boundary)
        async for chunk in request.stream():
            form.parser.write(chunk)
            pieces, form.pieces = form.pieces, []
            for piece in pieces:
                await writer.take(piece)
    except (FormParserError, ValueError):
        raise Problem(400, "malformed_request", detail="The form can't be read.") from None
    form.require_whole()
    body.name = form.file_name or ""
    body.fields = {name: value.decode("utf-8", "replace") for name, value in form.fields.items()}


def _media_type(request: Request) -> tuple[str, dict[bytes, bytes]]:
    given = request.headers.get("content-type", "application/octet-stream")
    try:
        media_type, options = parse_options_header(given.encode("latin-1"))
    except (ValueError, UnicodeError):
        raise Problem(415, "unsupported_media_type") from None
    return media_type.decode("latin-1").lower(), options


def _require_type(request: Request, media_type: str, doors: Doors) -> None:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "unsupported_media_type", detail="Send the file without Content-Encoding; .gz is read.")
    if media_type not in (FORM_TYPE, *doors.settings.UPLOAD_TYPES.replace(" ", "").split(",")):
        detail = f"Send {FORM_TYPE}, or the file itself as text/csv, application/json or application/octet-stream."
        raise Problem(415, "unsupported_media_type", detail=detail)
