"""A provider of no known name, as any company might run one inside: one key by GET, many by POST."""

from __future__ import annotations

from typing import Any

from aiqleads_pipeline.sandbox.doubles.companies import CompanyDouble
from aiqleads_pipeline.sandbox.exchange import Reply, Request, in_json, route

_MAX_BULK = 50


class Rest(CompanyDouble):
    """Keys are domains, addresses (their domain counts) or phone numbers."""

    name = "rest"
    title = "Any REST provider"
    credentials = {"api_key": "sandbox-rest-key"}

    def admit(self, request: Request) -> Reply | None:
        """Key in a header, rate."""
        if self.credentials["api_key"] not in (request.headers.get("x-api-key"), request.bearer):
            return in_json({"error": {"code": "unauthorized"}}, 401)
        return self.throttled(request) if self.is_over_rate(int(request.now.timestamp()) // 60) else None

    @route("GET", "/v1/lookup")
    def look_up(self, request: Request) -> Reply:
        """One key; 404 where it is not known."""
        if not request.query.get("key"):
            return in_json({"error": {"code": "missing_key"}}, 400)
        found = self._record(request.query["key"])
        if found is None:
            return in_json({"error": {"code": "not_found"}}, 404)
        self.spent += 1
        return in_json({"data": found}, effects=1)

    @route("POST", "/v1/bulk")
    def look_up_many(self, request: Request) -> Reply:
        """Up to fifty keys; unknown ones are null."""
        if request.content_type != "application/json":
            return in_json({"error": {"code": "unsupported_media_type"}}, 415)
        try:
            keys = [str(key) for key in request.json()["keys"]]
        except (ValueError, KeyError, TypeError):
            return in_json({"error": {"code": "bad_body"}}, 400)
        if not 0 < len(keys) <= _MAX_BULK:
            return in_json({"error": {"code": "too_many_keys", "max": _MAX_BULK}}, 422)
        rows = [
            {"key": key, "error": "try_again"} if request.fails(key) else {"key": key, "data": self._record(key)}
            for key in keys
        ]
        count = sum(row.get("data") is not None for row in rows)
        self.spent += count
        return in_json({"results": rows}, effects=count)

    def throttled(self, request: Request) -> Reply:
        """Its words."""
        return in_json({"error": {"code": "slow_down"}}, 429)

    def _record(self, key: str) -> dict[str, Any] | None:
        if key.startswith("+"):
            line = "mobile" if self.chance("line", key) < 0.6 else "landline"
            return {"phone": key, "line_type": line, "carrier": "Sandbox Mobile", "is_valid": not key.endswith("0000")}
        facts = self.company(key.rpartition("@")[2])
        if facts is None:
            return None
        return {
            "company": {"name": facts["name"], "industry": facts["industry"], "employees": facts["employee_count"]},
            "address": {"city": facts["city"], "country": facts["country"]}, "confidence": 0.8,
        }  # fmt: skip
