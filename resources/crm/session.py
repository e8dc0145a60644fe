"""One CRM account as it is called: logged in, at its pace, within its limits.

Belongs here: a call from its turn to its answer, and what its headers say of the account's limits. Does not belong
here: what is asked for (one module per CRM), what errors mean (``verdicts``).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from resources.crm.tokens import Token
from resources.crm.verdicts import CallFailed, Verdict, unreadable, verdict_of_call
from resources.destinations import Outcome
from resources.http import Answer, HttpClient, HttpError, Limits, RefusedStatus, UnavailableStatus
from resources.store import crm as ledger
from resources.store.database import Store

log = logging.getLogger("resources.crm")
MAX_RESULT_BYTES = 256 << 20
_LEAST_SECONDS = 0.05  # with less time than this nothing is begun


class Tokens(Protocol):
    """Who gives access tokens."""

    def current(self, deadline: float) -> Token:
        """A token that is good as far as is known."""
        ...

    def renew(self, refused: Token, deadline: float) -> Token:
        """Another one."""
        ...


@dataclass(frozen=True)
class Pace:
    """``requests`` in any ``seconds``, for all processes that share the store."""

    requests: int
    seconds: float


class CrmSession:
    """Calls one account. Threads may share it.

    Args:
        name: the destination's; also under which pace and usage are counted in the store.
        read_usage: (used, limit) of the account's day out of an answer's headers; None where they don't say.
        read_codes: their error codes out of the body of a refusal.
    """

    def __init__(
        self,
        name: str,
        http: HttpClient,
        tokens: Tokens,
        store: Store,
        *,
        read_usage: Callable[[Mapping[str, str]], tuple[int, int] | None],
        read_codes: Callable[[Any], list[str]],
        pace: Pace | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name, self.store, self.sleep = name, store, sleep
        self._http, self._tokens, self._pace = http, tokens, pace
        self._read_usage, self._read_codes = read_usage, read_codes
        self.usage = ledger.UsageCounter(store, name)

    def call(
        self,
        method: str,
        path: str,
        deadline: float,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        may_repeat: bool = True,
        max_body_bytes: int = 64 << 20,
    ) -> Answer:
        """One call; a token that is refused is renewed and the call made again, once.

        Raises:
            CallFailed.
        """
        token = self._tokens.current(deadline)
        for is_second in (False, True):
            self._take_turn(deadline)
            given = {"Authorization": f"Bearer {token.secret.get_secret_value()}", "Accept": "application/json"}
            given |= {"Content-Type": content_type} if body is not None else {}
            given |= headers or {}
            left = deadline - time.monotonic()
            limits = Limits(
                total_seconds=left, read_seconds=left, max_retries=0, max_redirects=0, max_body_bytes=max_body_bytes
            )
            try:
                answer = self._http.call(
                    method, f"{token.base_url}{path}", headers=given, body=body, limits=limits, may_repeat=may_repeat
                )
            except HttpError as error:
                if isinstance(error, RefusedStatus) and error.status == 401 and not is_second:
                    token = self._tokens.renew(token, deadline)
                    continue
                raise CallFailed(self._judge(error)) from None
            self._note_usage(answer.headers)
            if answer.status >= 300:
                raise CallFailed(unreadable(f"{answer.status}"))
            return answer
        raise AssertionError("unreachable")  # pragma: no cover

    def ask(self, method: str, path: str, deadline: float, body: Any = None, **given: Any) -> Any:
        """``call`` in JSON.

        Raises:
            CallFailed: also where the answer is no JSON.
        """
        sent = None if body is None else to_json(body)
        answer = self.call(method, path, deadline, body=sent, **given)
        try:
            return answer.json()
        except HttpError as error:
            raise CallFailed(unreadable(error.code)) from None

    def _take_turn(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        wait = 0.0
        if self._pace is not None and left > _LEAST_SECONDS:
            wait = ledger.take_turn(self.store, self.name, self._pace.requests, self._pace.seconds, left)
        if wait > left - _LEAST_SECONDS:
            raise CallFailed(Verdict(Outcome.LATER, "crm_paced", "no turn within the attempt's time", max(wait, 1.0)))
        if wait > 0:
            self.sleep(wait)

    def _judge(self, error: HttpError) -> Verdict:
        codes: list[str] = []
        if isinstance(error, RefusedStatus | UnavailableStatus):
            self._note_usage(error.answer.headers)
            try:
                codes = self._read_codes(error.answer.json())
            except HttpError:
                codes = []
        return verdict_of_call(error, codes)

    def _note_usage(self, headers: Mapping[str, str]) -> None:
        found = self._read_usage(headers)
        if found is not None:
            self.usage.observe(*found)


def to_json(value: Any) -> bytes:
    """JSON as it is sent: compact UTF-8, in the order given."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
