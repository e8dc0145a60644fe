"""Hunter: the e-mail verifier in all its states.

After https://hunter.io/api-documentation/v2#email-verifier. The local part of an address decides its state
(``valid@``, ``accept_all@``, ``slow2@``: asked again twice, ``claimed@``: 451, ``222@``), else its hash does.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from aiqleads_pipeline.sandbox.exchange import Double, Reply, Request, in_json, route

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_STATES = ("valid", "invalid", "accept_all", "webmail", "disposable", "unknown", "block")
_RESULTS = {"valid": "deliverable", "invalid": "undeliverable", "disposable": "undeliverable", "block": "undeliverable"}
_SCORES = {"valid": 97, "webmail": 82, "accept_all": 68, "unknown": 40, "disposable": 12, "invalid": 0, "block": 5}
_CLAIMED = (
    "The person owning the email address asked us directly or indirectly to stop the processing of their personal "
    "data. For this reason, you shouldn't process it yourself in any way."
)


class Hunter(Double):
    """One account."""

    name = "hunter"
    title = "Hunter e-mail verifier"
    defaults = {"per_second": 0, "verifications": None, "emails": {}}
    credentials = {"api_key": "sandbox-hunter-key"}

    def forget(self) -> None:
        """Nothing was verified."""
        self._asked: Counter[str] = Counter()
        self._verified: dict[str, str] = {}
        self._second, self._calls, self._spent = 0, 0, 0

    def admit(self, request: Request) -> Reply | None:
        """Key, pace (a 403 of theirs), what the plan allows (their 429)."""
        given = request.query.get("api_key") or request.headers.get("x-api-key") or request.bearer
        if given != self.credentials["api_key"]:
            return _error(401, "authentication_failed", "No user found for the API key supplied")
        second = int(request.now.timestamp())
        self._calls = self._calls + 1 if second == self._second else 1
        self._second = second
        if 0 < self.settings["per_second"] < self._calls:
            return _error(403, "rate_limit", "You have reached the rate limit")
        allowed = self.settings["verifications"]
        if allowed is not None and self._spent >= allowed:
            return self.throttled(request)
        return None

    @route("GET", "/v2/email-verifier")
    def verify(self, request: Request) -> Reply:
        """One address."""
        email = request.query.get("email", "").strip().lower()
        if not email:
            return _error(400, "wrong_params", "You are missing the email parameter")
        if not _EMAIL.fullmatch(email):
            return _error(400, "invalid_email", "The supplied email is invalid")
        local = email.partition("@")[0]
        if local.startswith("claimed"):
            return _error(451, "claimed_email", _CLAIMED)
        if local.startswith("222"):
            reply = _error(222, "verification_failed", "The remote SMTP server failed unexpectedly")
            return reply
        self._asked[email] += 1
        waits = re.match(r"slow(\d*)", local)
        if waits and self._asked[email] <= int(waits[1] or 1):
            return in_json({"data": {"status": "pending", "email": email}, "meta": {"params": {"email": email}}}, 202)
        state = self._state(email, local)
        is_new = email not in self._verified
        self._spent += 1
        self._verified[email] = state
        return in_json(
            {"data": _data(email, state), "meta": {"params": {"email": email}}},
            effects=int(is_new),
            repeats=int(not is_new),
        )

    @route("GET", "/v2/account")
    def account(self, request: Request) -> Reply:
        """How much is left."""
        allowed = self.settings["verifications"] or 1000
        used = {"used": self._spent, "available": allowed}
        return in_json({"data": {"plan_name": "Sandbox", "requests": {"verifications": used}}})

    def throttled(self, request: Request) -> Reply:
        """Their words."""
        return _error(429, "too_many_requests", "You have reached your usage limit. Upgrade your plan if necessary.")

    def lost_way(self, request: Request, status: int) -> Reply:
        """Their words."""
        return _error(status, "not_found", "The requested resource does not exist")

    def records(self, kind: str) -> list[dict[str, Any]]:
        """``verified`` addresses and what was said of them."""
        if kind != "verified":
            raise KeyError(kind)
        return [{"email": email, "status": state} for email, state in self._verified.items()]

    def facts(self) -> dict[str, Any]:
        """What the page shows."""
        return {"verified": len(self._verified), "verifications spent": self._spent}

    def _state(self, email: str, local: str) -> str:
        given = self.settings["emails"].get(email)
        if given:
            return str(given)
        named = next((state for state in _STATES if local.startswith(state)), None)
        if named:
            return named
        roll = self.chance("state", email)
        return "valid" if roll < 0.7 else _STATES[1 + int((roll - 0.7) / 0.3 * 5)]


def _data(email: str, state: str) -> dict[str, Any]:
    status = "invalid" if state == "block" else state
    return {
        "status": status, "result": _RESULTS.get(state, "risky"), 
        "_deprecation_notice": "Using result is deprecated, use status instead",
        "score": _SCORES[state], "email": email, "regexp": True, "gibberish": False,
        "disposable": state == "disposable", "webmail": state == "webmail", "mx_records": state != "invalid",
        "smtp_server": state != "invalid", "smtp_check": state in ("valid", "webmail"),
        "accept_all": state == "accept_all", "block": state == "block", "sources": [],
    }  # fmt: skip


def _error(status: int, code: str, details: str) -> Reply:
    return in_json({"errors": [{"id": code, "code": status, "details": details}]}, status)
