"""ZeroBounce: validation of one address and of batches.

After https://www.zerobounce.net/docs/email-validation-api-quickstart. The local part of an address decides its state
(``valid@``, ``spamtrap@``, ``disposable@``), else its hash does. Addresses given out here are nobody's.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Any

from aiqleads_pipeline.sandbox.exchange import Double, Reply, Request, in_json, route

_STATES = {
    "valid": ("valid", ""), "invalid": ("invalid", "mailbox_not_found"), "catch-all": ("catch-all", ""),
    "catch_all": ("catch-all", ""), "unknown": ("unknown", "mail_server_temporary_error"), "spamtrap": ("spamtrap", ""),
    "abuse": ("abuse", ""), "do_not_mail": ("do_not_mail", "global_suppression"),
    "donotmail": ("do_not_mail", "role_based"),
    "disposable": ("do_not_mail", "disposable"), "role": ("do_not_mail", "role_based"),
    "toxic": ("do_not_mail", "toxic"),
    "greylisted": ("unknown", "greylisted"),
}  # fmt: skip
_BY_CHANCE = ("invalid", "catch-all", "unknown", "abuse", "disposable")
_MAX_BATCH = 200


class ZeroBounce(Double):
    """One account."""

    name = "zerobounce"
    title = "ZeroBounce e-mail validation"
    defaults = {"credits": 10_000, "batches_per_minute": 0, "emails": {}}
    credentials = {"api_key": "sandbox-zerobounce-key"}

    def forget(self) -> None:
        """Nothing was validated."""
        self._validated: dict[str, str] = {}
        self._spent = 0
        self._batches: deque[datetime] = deque()

    @route("POST", "/v2/validatebatch")
    def validate_batch(self, request: Request) -> Reply:
        """Up to 200 addresses."""
        if request.content_type != "application/json":
            return _refused("Invalid content type", 415)
        try:
            body = request.json()
            addresses = [str(each["email_address"]) for each in body["email_batch"]]
        except (ValueError, KeyError, TypeError):
            return _refused("The email_batch property is missing or malformed", 400)
        if body.get("api_key") != self.credentials["api_key"]:
            return _refused("Invalid API Key or your account ran out of credits")
        if self.settings["credits"] - self._spent < len(addresses):
            return _refused("Invalid API Key or your account ran out of credits")
        if len(addresses) > _MAX_BATCH:
            return _refused(f"The batch holds more than {_MAX_BATCH} emails", 400)
        if self._is_too_often(request.now):
            return self.throttled(request)
        rows, errors, effects = [], [], 0
        for address in addresses:
            if request.fails(address):
                errors.append({"error": "An unexpected error has occurred", "email_address": address})
                continue
            effects += address.lower() not in self._validated
            rows.append(self._validate(address, request.now))
        answer = {"email_batch": rows, "errors": errors}
        return in_json(answer, effects=effects, repeats=len(rows) - effects)

    @route("GET", "/v2/validate")
    def validate(self, request: Request) -> Reply:
        """One address."""
        if request.query.get("api_key") != self.credentials["api_key"] or self._spent >= self.settings["credits"]:
            return in_json({"error": "Invalid API key or your account ran out of credits"})
        if not request.query.get("email"):
            return in_json({"error": "The email parameter is missing"}, 400)
        is_new = request.query["email"].lower() not in self._validated
        row = self._validate(request.query["email"], request.now)
        return in_json(row, effects=int(is_new), repeats=int(not is_new))

    @route("GET", "/v2/getcredits")
    def credit(self, request: Request) -> Reply:
        """How many are left; -1 for a wrong key."""
        is_known = request.query.get("api_key") == self.credentials["api_key"]
        return in_json({"Credits": str(self.settings["credits"] - self._spent if is_known else -1)})

    def throttled(self, request: Request) -> Reply:
        """Their words."""
        return _refused("Rate limit exceeded, you are blocked for 10 minutes", 429)

    def records(self, kind: str) -> list[dict[str, Any]]:
        """``validated`` addresses and what was said of them."""
        if kind != "validated":
            raise KeyError(kind)
        return [{"email": email, "status": state} for email, state in self._validated.items()]

    def facts(self) -> dict[str, Any]:
        """What the page shows."""
        return {"validated": len(self._validated), "credits left": self.settings["credits"] - self._spent}

    def _is_too_often(self, now: datetime) -> bool:
        most = self.settings["batches_per_minute"]
        while self._batches and self._batches[0] <= now - timedelta(minutes=1):
            self._batches.popleft()
        self._batches.append(now)
        return bool(0 < most < len(self._batches))

    def _validate(self, address: str, now: datetime) -> dict[str, Any]:
        local, _, domain = address.lower().partition("@")
        named = self.settings["emails"].get(address.lower()) or next(
            (key for key in _STATES if local.startswith(key)), None
        )
        if named is None:
            roll = self.chance("state", address.lower())
            named = "valid" if roll < 0.7 else _BY_CHANCE[int((roll - 0.7) / 0.3 * len(_BY_CHANCE))]
        status, detail = _STATES[named]
        if "." not in domain:
            status, detail = "invalid", "failed_syntax_check"
        self._spent += status != "unknown"
        self._validated[address.lower()] = status
        has_mx = status not in ("invalid", "unknown")
        return {
            "address": address, "status": status, "sub_status": detail, "free_email": False, "did_you_mean": None,
            "account": local, "domain": domain, "domain_age_days": "4321", "active_in_days": None,
            "smtp_provider": "sandbox", "mx_found": str(has_mx).lower(), "mx_record": f"mx.{domain}" if has_mx else "",
            "firstname": None, "lastname": None, "gender": None, "country": None, "region": None, "city": None,
            "zipcode": None, "processed_at": now.strftime("%Y-%m-%d %H:%M:%S.") + f"{now.microsecond // 1000:03d}",
        }  # fmt: skip


def _refused(message: str, status: int = 200) -> Reply:
    return in_json({"email_batch": [], "errors": [{"error": message, "email_address": "all"}]}, status)
