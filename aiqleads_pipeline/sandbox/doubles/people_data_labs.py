"""People Data Labs: company enrichment, one and in bulk.

After https://docs.peopledatalabs.com/docs/company-enrichment-api and .../bulk-company-enrichment-api.
"""

from __future__ import annotations

import json
from typing import Any

from aiqleads_pipeline.sandbox.doubles.companies import CompanyDouble
from aiqleads_pipeline.sandbox.exchange import Reply, Request, in_json, route

_MAX_BULK = 100
_KEYS = ("website", "name", "profile", "ticker", "pdl_id")


class PeopleDataLabs(CompanyDouble):
    """One account."""

    name = "pdl"
    title = "People Data Labs"
    credentials = {"api_key": "sandbox-pdl-key"}

    def admit(self, request: Request) -> Reply | None:
        """Key, rate, credits."""
        if (request.headers.get("x-api-key") or request.query.get("api_key")) != self.credentials["api_key"]:
            return _error(401, "authentication_error", "Request contained a missing or invalid key")
        if self.is_over_rate(int(request.now.timestamp()) // 60):
            return self.throttled(request)
        if self.is_out_of_credit():
            return _error(402, "payment_required", "You have reached your account maximum for all matches")
        return None

    def finish(self, request: Request, reply: Reply) -> Reply:
        """Credits and limits in the headers."""
        most = self.settings["requests_per_minute"] or 1000
        left = {"minute": max(most - self.calls, 0), "day": None, "month": None}
        reply.headers |= {
            "x-call-credits-spent": str(reply.effects), "x-call-credits-type": "enrich_company",
            "x-ratelimit-limit": json.dumps({"minute": most}), "x-ratelimit-remaining": json.dumps(left),
            "x-lifetime-used": str(self.spent),
        }  # fmt: skip
        return reply

    @route("GET", "/v5/company/enrich")
    @route("POST", "/v5/company/enrich")
    def enrich(self, request: Request) -> Reply:
        """One company; 404 where it is not known."""
        params: Any = request.query
        if request.method == "POST" and request.body:
            try:
                params = {**params, **request.json()}
            except (ValueError, TypeError):
                return _error(400, "invalid_request_error", "Request body is not valid JSON")
        status, answer = self._look_up(params)
        return in_json(answer, status, effects=int(status == 200))

    @route("POST", "/v5/company/enrich/bulk")
    def enrich_bulk(self, request: Request) -> Reply:
        """Up to a hundred, answered in order, each with its status."""
        try:
            asked = request.json()["requests"]
            wanted = [(each["params"], each.get("metadata")) for each in asked]
        except (ValueError, KeyError, TypeError, AttributeError):
            return _error(400, "invalid_request_error", "`requests` is to be a list of objects with `params`")
        if not 0 < len(wanted) <= _MAX_BULK:
            return _error(400, "invalid_request_error", f"`requests` holds from 1 to {_MAX_BULK} objects")
        rows = []
        for params, metadata in wanted:
            if request.fails(json.dumps(params, sort_keys=True)):
                status, answer = 500, _problem(500, "api_error", "The server encountered an unexpected condition")
            else:
                status, answer = self._look_up(params)
            rows.append({**answer, "status": status, **({"metadata": metadata} if metadata is not None else {})})
        return in_json(rows, effects=sum(row["status"] == 200 for row in rows))

    def throttled(self, request: Request) -> Reply:
        """Their words."""
        return _error(429, "rate_limit_error", "An error occurred due to requests hitting the API too quick")

    def lost_way(self, request: Request, status: int) -> Reply:
        """Their words."""
        return _error(status, "not_found" if status == 404 else "invalid_request_error", "The path does not exist")

    def _look_up(self, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if not any(params.get(key) for key in _KEYS):
            text = "Request must contain at least one of: name, website, profile, ticker, pdl_id"
            return 400, _problem(400, "invalid_request_error", text)
        asked = params.get("website") or f"{str(params.get('name', '')).lower().replace(' ', '-')}.com"
        found = self.company(str(asked))
        likelihood = 6 if params.get("website") else 3
        if found is None or likelihood < int(params.get("min_likelihood", 2)):
            return 404, _problem(404, "not_found", "No records were found matching your request")
        self.spent += 1
        return 200, {"status": 200, "likelihood": likelihood, **_company(found)}


def _company(facts: dict[str, Any]) -> dict[str, Any]:
    place = f"{facts['city']}, {facts['region']}, {facts['country_name']}".lower()
    return {
        "id": facts["slug"], "name": facts["name"].lower(), "display_name": facts["name"], "size": facts["size"],
        "employee_count": facts["employee_count"], "founded": facts["founded"], "industry": facts["industry"],
        "naics": [{"naics_code": facts["naics"], "sector": None}], "sic": [{"sic_code": facts["sic"]}],
        "location": {
            "name": place, "locality": facts["city"].lower(), "region": facts["region"].lower(),
            "country": facts["country_name"].lower(), "continent": None, "street_address": facts["street"].lower(),
            "postal_code": facts["postal_code"].lower(), "geo": f"{facts['latitude']},{facts['longitude']}", 
            "metro": None,
        },
        "linkedin_id": facts["number"], "linkedin_url": facts["linkedin"], "twitter_url": facts["twitter"],
        "facebook_url": facts["facebook"], "website": facts["domain"], "ticker": None, "type": "private",
        "summary": f"{facts['name']} makes things.", "tags": [facts["industry"]], "inferred_revenue": None,
    }  # fmt: skip


def _problem(status: int, kind: str, message: str) -> dict[str, Any]:
    return {"status": status, "error": {"type": kind, "message": message}}


def _error(status: int, kind: str, message: str) -> Reply:
    return in_json(_problem(status, kind, message), status)
