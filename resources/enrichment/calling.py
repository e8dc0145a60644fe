"""How providers call out: one bounded client, secrets as headers, errors told apart by whether asking again helps.

Belongs here: what all providers on HTTP share. Does not belong here: what one of them answers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr

from resources.enrichment import KeyKind, Kind, LookupRefused, LookupUnavailable, Terms
from resources.http import (
    Answer,
    AnswerTooLarge,
    BadAnswer,
    Breaker,
    HttpClient,
    HttpError,
    Limits,
    RefusedStatus,
    TransientError,
)

MAX_ANSWER_BYTES = 4 << 20
RETRIES = 2
_REFUSALS = {401: "credentials_refused", 402: "no_credit_left", 403: "not_allowed"}


@dataclass(frozen=True)
class Setup:
    """How one provider is set up: its name in the rules, where it is, its secret, its terms, what it may fill.

    ``options`` are the adapter's own (``Adapter.OPTIONS`` names them).
    """

    name: str
    kind: Kind
    base_url: str
    terms: Terms
    secret: SecretStr | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    allow_loopback: bool = False


class HttpProvider:
    """Base of the providers on HTTP: what a ``Setup`` says, and JSON calls."""

    key_kind: KeyKind
    own_fields: frozenset[str] = frozenset()

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        # Failures are counted by the store's breaker, for all processes; this one only keeps the pauses hosts ask for.
        breaker = Breaker(threshold=1_000_000, open_seconds=1.0, now=time.monotonic)
        self._http = HttpClient(allow_loopback=setup.allow_loopback, breaker=breaker)

    @property
    def name(self) -> str:
        """Its name in the rules."""
        return self._setup.name

    @property
    def kind(self) -> Kind:
        """What it mainly tells about."""
        return self._setup.kind

    @property
    def fields(self) -> frozenset[str]:
        """What it may fill."""
        return self.own_fields

    @property
    def terms(self) -> Terms:
        """Price and limits."""
        return self._setup.terms

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    def _secret(self) -> str:
        if self._setup.secret is None:
            raise LookupRefused(f"{self.name} has no secret", "credentials_refused")
        return self._setup.secret.get_secret_value()

    def _url(self, path: str, query: Mapping[str, str] | list[tuple[str, str]] | None = None) -> str:
        return f"{self._setup.base_url.rstrip('/')}{path}" + (f"?{urlencode(query)}" if query else "")

    def _call(
        self,
        method: str,
        url: str,
        timeout_seconds: float,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        takes: tuple[int, ...] = (),
    ) -> Answer:
        """One call; the answer is of 2xx or one of the statuses it ``takes``. Look-ups change nothing: they may repeat.

        Raises:
            LookupUnavailable, LookupRefused
        """
        limits = Limits(
            connect_seconds=min(5.0, timeout_seconds),
            read_seconds=timeout_seconds,
            total_seconds=timeout_seconds,
            max_body_bytes=MAX_ANSWER_BYTES,
            max_redirects=0,
            max_retries=RETRIES,
            first_delay_seconds=0.25,
            max_delay_seconds=5.0,
        )
        sent = {"Accept": "application/json", **(headers or {})}
        content = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        return guarded(
            self.name, lambda: self._http.call(method, url, headers=sent, body=content, limits=limits, may_repeat=True),
            takes,
        )  # fmt: skip

    def _json(self, answer: Answer) -> Any:
        """The body as JSON; a page with 200 is the provider's error, which may go away."""
        try:
            return answer.json()
        except BadAnswer:
            raise LookupUnavailable(f"{self.name} answered something that is no JSON", "bad_answer") from None


def guarded(name: str, call: Callable[[], Answer], takes: tuple[int, ...] = ()) -> Answer:
    """The answer of a call, its errors told apart by whether asking later can help.

    Raises:
        LookupUnavailable, LookupRefused
    """
    try:
        answer = call()
    except TransientError as error:
        raise LookupUnavailable(f"{name}: {error.code}", error.code, error.retry_after_seconds) from None
    except RefusedStatus as error:
        if error.status in takes:
            return error.answer
        raise LookupRefused(f"{name} answered {error.status}", _REFUSALS.get(error.status, "refused_status")) from None
    except (BadAnswer, AnswerTooLarge) as error:
        raise LookupUnavailable(f"{name}: {error.code}", error.code) from None
    except HttpError as error:
        raise LookupRefused(f"{name}: {error.code}", error.code) from None
    if answer.status not in takes and answer.status >= 300:
        raise LookupUnavailable(f"{name} answered {answer.status}", "redirected")
    return answer


def dig(data: Any, *path: str | int) -> Any:
    """What stands at a path of keys and positions; None where there is nothing, or something of another shape."""
    for step in path:
        if isinstance(step, str) and isinstance(data, dict):
            data = data.get(step)
        elif isinstance(step, int) and isinstance(data, list) and len(data) > step:
            data = data[step]
        else:
            return None
    return data
