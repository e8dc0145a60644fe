"""Errors as RFC 9457 problem documents, and the one exception that carries them.

Belongs here: the shape of every answer that is no success. A problem names what is wrong by a registered reason code
and never repeats what the client sent.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from http import HTTPStatus
from typing import Any

from aiqleads_pipeline.reasons import REASONS

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

PROBLEM_JSON = b"application/problem+json"


class Problem(Exception):
    """An answer that is no success.

    ``code`` is a registered reason; ``detail`` is about this occurrence, in words of ours; ``errors`` are violations as
    ``{"pointer": JSON pointer, "code": reason, "message": text}``; ``more`` are further members of the document.
    """

    def __init__(
        self,
        status: int,
        code: str,
        *,
        detail: str | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(code)
        self.reason = REASONS[code]
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers, self.more = list(errors), dict(headers or {}), more

    def document(self) -> dict[str, Any]:
        """The members of the problem document."""
        found: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": self.reason.message,
            "status": self.status,
            "code": self.code,
            "how_to_fix": self.reason.how_to_fix,
        }
        if self.detail is not None:
            found["detail"] = self.detail
        if self.errors:
            found["errors"] = self.errors
        return found | self.more

    def body(self) -> bytes:
        """The document as JSON text."""
        return json.dumps(self.document(), ensure_ascii=False, separators=(",", ":")).encode()

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Headers for an ASGI answer, content type and length left out."""
        return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]


def unavailable(code: str, seconds: float = 1) -> Problem:
    """503: nothing of the request was taken; it may be sent again after ``seconds``."""
    return Problem(503, code, headers={"Retry-After": str(max(1, round(seconds)))})


async def send_problem(send: Send, problem: Problem) -> None:
    """Answer with a problem document."""
    await send_answer(send, problem.status, problem.body(), PROBLEM_JSON, problem.raw_headers())


async def send_answer(
    send: Send,
    status: int,
    body: bytes,
    content_type: bytes = b"application/json",
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    """Answer with a whole body at once, for routes that speak plain ASGI."""
    described = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": described})
    await send({"type": "http.response.body", "body": body})


def phrase(status: int) -> str:
    """The standard words of a status."""
    return HTTPStatus(status).phrase
