"""OpenCorporates: companies of registers, by name and by number.

After https://api.opencorporates.com/documentation/API-Reference (version 0.4).
"""

from __future__ import annotations

import re
from typing import Any

from aiqleads_pipeline.sandbox.doubles.companies import CompanyDouble
from aiqleads_pipeline.sandbox.exchange import Reply, Request, in_json, route

_FORMS = re.compile(r"\b(inc|llc|ltd|gmbh|corp|co|sa|sas|plc|limited|corporation)\b\.?", re.IGNORECASE)


class OpenCorporates(CompanyDouble):
    """One account."""

    name = "opencorporates"
    title = "OpenCorporates"
    credentials = {"api_token": "sandbox-opencorporates-key"}

    def forget(self) -> None:
        """Nothing was asked."""
        super().forget()
        self._by_number: dict[tuple[str, str], dict[str, Any]] = {}

    def admit(self, request: Request) -> Reply | None:
        """Token, then the account's limit, which is a 403 of theirs."""
        if request.query.get("api_token") != self.credentials["api_token"]:
            return _error(401, "Invalid Api Token")
        if self.is_out_of_credit():
            return _error(403, "Usage limits exceeded. Please contact us to raise your limits")
        return self.throttled(request) if self.is_over_rate(int(request.now.timestamp()) // 60) else None

    @route("GET", "/v0.4/companies/search")
    def search(self, request: Request) -> Reply:
        """Companies of a name, perhaps of one jurisdiction or country."""
        query = request.query
        if not query.get("q", "").strip():
            return _error(400, "A search needs q")
        self.spent += 1
        found = [
            company for company in self._named(query["q"])
            if query.get("jurisdiction_code", company["jurisdiction_code"]) == company["jurisdiction_code"]
            and query.get("country_code", company["jurisdiction_code"][:2]) == company["jurisdiction_code"][:2]
        ]  # fmt: skip
        page, size = int(query.get("page", "1")), min(int(query.get("per_page", "30")), 100)
        results = {
            "companies": [{"company": company} for company in found[(page - 1) * size : page * size]],
            "page": page, "per_page": size, "total_pages": -(-len(found) // size), "total_count": len(found),
        }  # fmt: skip
        return in_json({"api_version": "0.4", "results": results}, effects=1)

    @route("GET", "/v0.4/companies/{jurisdiction}/{number}")
    def company_of(self, request: Request, jurisdiction: str, number: str) -> Reply:
        """A company that a search has shown."""
        found = self._by_number.get((jurisdiction, number))
        if found is None:
            return _error(404, "Not Found")
        return in_json({"api_version": "0.4", "results": {"company": found}}, effects=1)

    @route("GET", "/v0.4/account_status")
    def account(self, request: Request) -> Reply:
        """How much is left."""
        left = {"per_month": 5000, "calls_remaining": {"this_month": 5000 - self.spent}}
        return in_json({"api_version": "0.4", "results": {"account_status": {"plan": "sandbox", **left}}})

    def throttled(self, request: Request) -> Reply:
        """Their words."""
        return _error(429, "Rate limit exceeded")

    def lost_way(self, request: Request, status: int) -> Reply:
        """Their words."""
        return _error(status, "Not Found")

    def _named(self, text: str) -> list[dict[str, Any]]:
        slug = re.sub(r"[^a-z0-9]+", "-", _FORMS.sub("", text).strip().lower()).strip("-")
        found = self.company(f"{slug}.com")
        if found is None:
            return []
        rows = []
        for suffix, inactive in ((" Inc", False), (" Holdings", True)):
            number = found["number"] if not inactive else found["number"][::-1]
            url = f"https://opencorporates.com/companies/{found['jurisdiction']}/{number}"
            company = {
                "name": found["name"] + suffix, "company_number": number, "jurisdiction_code": found["jurisdiction"],
                "incorporation_date": f"{found['founded']}-04-01", 
                "dissolution_date": "2019-12-31" if inactive else None,
                "company_type": "Private company", "current_status": "Dissolved" if inactive else "Active",
                "inactive": inactive, "registry_url": None, "opencorporates_url": url, "branch": None,
                "registered_address_in_full": f"{found['street']}, {found['city']}, {found['postal_code']}",
                "registered_address": {
                    "street_address": found["street"], "locality": found["city"], "region": found["region"],
                    "postal_code": found["postal_code"], "country": found["country_name"],
                },
                "industry_codes": [{"industry_code": {"code": found["naics"], "code_scheme_id": "us_naics_2022"}}],
                "previous_names": [],
            }  # fmt: skip
            self._by_number[(found["jurisdiction"], number)] = company
            rows.append(company)
        return rows


def _error(status: int, message: str) -> Reply:
    return in_json({"error": {"message": message}}, status)
