"""What came back: status, headers, body, read within limits.

Belongs here: reading an answer whole and bounded, and what its fields say. Does not belong here: whether the caller is
happy with it (``client``, ``errors``).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any

from urllib3.exceptions import DecodeError, IncompleteRead, InvalidChunkLength, ProtocolError, ReadTimeoutError
from urllib3.exceptions import HTTPError as Urllib3Error
from urllib3.response import HTTPResponse

from resources.http.addresses import Url
from resources.http.errors import AnswerLost, AnswerTooLarge, BadAnswer, HttpError, TimedOut

ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")
_CHUNK_BYTES = 1 << 16
_MOST_RETRY_AFTER_SECONDS = 86_400.0


@dataclass(frozen=True)
class Answer:
    """An answer, read whole. ``body`` is unpacked; ``url`` is where it came from, after redirects."""

    status: int
    headers: Mapping[str, str]  # case-insensitive
    body: bytes = field(repr=False)
    url: Url = field(repr=False)
    retry_after_seconds: float | None = None

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def location(self) -> str | None:
        """The Location header; its bytes are read as UTF-8, as browsers do."""
        given = self.headers.get("location")
        if given is None or given.isascii():
            return given
        return given.encode("latin-1", errors="replace").decode("utf-8", errors="replace")

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            BadAnswer: it is none (NaN and Infinity aren't, either).
        """
        try:
            return json.loads(self.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise BadAnswer(f"the answer of {self.url.redacted} is no JSON") from None


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """What a Retry-After header asks for (seconds, or a date), at most a day; None where it makes no sense."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _MOST_RETRY_AFTER_SECONDS)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), _MOST_RETRY_AFTER_SECONDS)


def read_body(response: HTTPResponse, url: Url, max_bytes: int, cuts: bool = False) -> tuple[bytes, bool]:
    """The unpacked body, never more than ``max_bytes`` in memory; whether it was cut there (only if it may be).

    Raises:
        AnswerTooLarge, BadAnswer: permanent. TimedOut, AnswerLost: transient.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if any(step.strip() not in ENCODINGS for step in encoding.split(",")):
        raise BadAnswer(f"{url.redacted} answered in an encoding that was not asked for")
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length[:18]) > max_bytes and response.length_remaining and not cuts:
        raise AnswerTooLarge(f"the answer of {url.redacted} is larger than {max_bytes:,} bytes")
    body = bytearray()
    try:
        while chunk := response.read(min(_CHUNK_BYTES, max_bytes + 1 - len(body)), decode_content=True):
            body += chunk
            if len(body) > max_bytes:
                if cuts:
                    return bytes(body[:max_bytes]), True
                raise AnswerTooLarge(f"the answer of {url.redacted} unpacks to more than {max_bytes:,} bytes")
    except (Urllib3Error, HTTPException, OSError, zlib.error) as error:
        raise broken_exchange(error, url) from None
    return bytes(body), False


def broken_exchange(error: BaseException, url: Url) -> HttpError:
    """What went wrong while sending or reading, by kind. Errors of our own that a library wrapped come out again."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, HttpError):
            return inner
        inner = inner.__cause__ or inner.__context__
    if isinstance(error, TimeoutError | ReadTimeoutError):
        return TimedOut(f"{url.redacted} was silent for too long", was_sent=True)
    if isinstance(error, DecodeError | zlib.error):
        return BadAnswer(f"the answer of {url.redacted} can't be unpacked")
    lost = (ProtocolError, IncompleteRead, InvalidChunkLength, ConnectionError, OSError)
    if isinstance(error, lost) or type(error).__name__ in ("RemoteDisconnected", "IncompleteRead"):
        return AnswerLost(f"the connection to {url.redacted} broke before the answer was whole", was_sent=True)
    return BadAnswer(f"{url.redacted} does not answer in HTTP")


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
