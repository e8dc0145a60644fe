"""Hunter's e-mail verifier (https://hunter.io/api-documentation, Email Verifier): one address a call.

202: still verifying, the same call is to be made again. 222: their check failed on the other side. 451: the person
asked them not to process it: it may not be used. Charged per answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from resources.enrichment import Answers, Found, KeyKind, facts
from resources.enrichment.calling import HttpProvider, Setup, dig

MOST_KEYS = 1
AGAIN_SECONDS = 1.0


class Hunter(HttpProvider):
    """Whether mail to an address arrives. ``score`` (0-100) is the confidence."""

    OPTIONS: frozenset[str] = frozenset()
    BASE_URL = "https://api.hunter.io"
    key_kind = KeyKind.EMAIL
    own_fields = frozenset({"email_status"})

    def __init__(self, setup: Setup, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(setup)
        self._sleep = sleep

    def lookup(self, keys: Sequence[str], *, timeout_seconds: float) -> Answers:
        """See ``EnrichmentProvider``."""
        (key,) = keys
        deadline = time.monotonic() + timeout_seconds
        pause = AGAIN_SECONDS
        while True:
            answer = self._call(
                "GET",
                self._url("/v2/email-verifier", {"email": key}),
                deadline - time.monotonic(),
                headers={"X-API-KEY": self._secret()},
                takes=(451, 400),
            )
            if answer.status == 451:
                return Answers(withheld=frozenset(keys))
            if answer.status == 400:
                return Answers()  # it is no address to them
            if answer.status == 200:
                break
            if answer.status == 222 or time.monotonic() + pause >= deadline:
                return Answers(later=frozenset(keys))
            self._sleep(pause)
            pause *= 2
        known = _found(self._json(answer))
        return Answers({key: known} if known else {})


def _found(body: object) -> Found | None:
    status = dig(body, "data", "status")
    score = facts.number_of(dig(body, "data", "score"))
    if status == "unknown":
        return None
    share = 0.5 if score is None else score / 100
    # A low score with "invalid" means that they are sure of it.
    return facts.found({"email_status": status}, 1 - share if status == "invalid" else share)
