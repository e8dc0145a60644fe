"""ZeroBounce: up to 200 addresses in one call, five calls a minute (https://www.zerobounce.net/docs, batch
validation v2).

``unknown`` costs nothing and says nothing. Errors of single addresses come beside the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resources.enrichment import Answers, Found, KeyKind, LookupRefused, LookupUnavailable, facts
from resources.enrichment.calling import HttpProvider, dig

MOST_KEYS = 200
_STATUSES = {"catch-all": "accept_all", "spamtrap": "spam_trap"}
_SURE = {"valid": 0.98, "invalid": 0.98, "accept_all": 0.6, "spam_trap": 0.9, "abuse": 0.8, "do_not_mail": 0.9}


class ZeroBounce(HttpProvider):
    """Whether mail to addresses arrives."""

    OPTIONS: frozenset[str] = frozenset()
    BASE_URL = "https://bulkapi.zerobounce.net"
    key_kind = KeyKind.EMAIL
    own_fields = frozenset({"email_status"})

    def lookup(self, keys: Sequence[str], *, timeout_seconds: float) -> Answers:
        """See ``EnrichmentProvider``."""
        body = {
            "api_key": self._secret(),
            "email_batch": [{"email_address": key, "ip_address": None} for key in keys],
            "timeout": max(10, min(120, int(timeout_seconds) - 1)),
        }
        content = self._json(self._call("POST", self._url("/v2/validatebatch"), timeout_seconds, body=body))
        rows, errors = dig(content, "email_batch"), dig(content, "errors")
        if not isinstance(rows, list):
            raise LookupUnavailable(f"{self.name} answered without addresses", "bad_answer")
        faults = errors if isinstance(errors, list) else []
        if not rows and any(dig(each, "email_address") == "all" for each in faults):
            raise LookupRefused(f"{self.name} refused the whole batch: key or credits", "credentials_refused")
        asked = {key.lower(): key for key in keys}
        found: dict[str, Found] = {}
        answered = set()
        for row in rows[: len(keys)]:
            key = asked.get(_lower(dig(row, "address")))
            if key is None:
                continue
            answered.add(key)
            known = _found(row)
            if known is not None:
                found[key] = known
        later = {asked[_lower(dig(each, "email_address"))] for each in faults
                 if _lower(dig(each, "email_address")) in asked}  # fmt: skip
        return Answers(found, frozenset(later - answered))


def _found(row: Any) -> Found | None:
    status = dig(row, "status")
    if not isinstance(status, str) or status in ("", "unknown"):
        return None
    status = _STATUSES.get(status, status)
    if status == "do_not_mail" and dig(row, "sub_status") == "disposable":
        status = "disposable"
    return facts.found({"email_status": status}, _SURE.get(status, 0.9))


def _lower(value: Any) -> str:
    return value.lower() if isinstance(value, str) else ""
