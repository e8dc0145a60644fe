"""Apollo: organisation enrichment, one and in bulk.

After https://docs.apollo.io/reference/organization-enrichment, .../bulk-organization-enrichment and .../rate-limits.
"""

from __future__ import annotations

from typing import Any

from aiqleads_pipeline.sandbox.doubles.companies import CompanyDouble
from aiqleads_pipeline.sandbox.exchange import Reply, Request, in_json, in_text, route

_MAX_BULK = 10
_PATH = "/(?:api/)?v1/organizations"


class Apollo(CompanyDouble):
    """One account."""

    name = "apollo"
    title = "Apollo"
    credentials = {"api_key": "sandbox-apollo-key"}

    def admit(self, request: Request) -> Reply | None:
        """Key in the header, rate, credits."""
        given = request.headers.get("x-api-key") or request.bearer
        if given != self.credentials["api_key"]:
            return in_text("Invalid access credentials.", 401)
        if self.is_over_rate(int(request.now.timestamp()) // 60):
            return self.throttled(request)
        if self.is_out_of_credit():
            return in_json({"error": "You have insufficient credits!", "error_code": "INSUFFICIENT_CREDITS"}, 422)
        return None

    def finish(self, request: Request, reply: Reply) -> Reply:
        """Limits in the headers."""
        most = self.settings["requests_per_minute"] or 1000
        reply.headers |= {
            "x-rate-limit-minute": str(most), "x-minute-usage": str(self.calls),
            "x-minute-requests-left": str(max(most - self.calls, 0)),
        }  # fmt: skip
        return reply

    @route("GET", f"{_PATH}/enrich")
    @route("POST", f"{_PATH}/enrich")
    def enrich(self, request: Request) -> Reply:
        """One organisation; an empty object where it is not known."""
        domain = request.query.get("domain", "")
        if not domain:
            return in_json({"error": "domain can't be blank", "error_code": "INVALID_PARAMETER"}, 422)
        found = self.company(domain)
        if found is None:
            return in_json({})
        self.spent += 1
        return in_json({"organization": _organization(found)}, effects=1)

    @route("POST", f"{_PATH}/bulk_enrich")
    def enrich_bulk(self, request: Request) -> Reply:
        """Up to ten; unknown ones are missing."""
        domains = request.all_of("domains[]")
        if not domains and request.body:
            try:
                domains = list(request.json().get("domains", []))
            except (ValueError, AttributeError):
                return in_json({"error": "the body is no JSON", "error_code": "INVALID_PARAMETER"}, 422)
        if not 0 < len(domains) <= _MAX_BULK:
            text = f"domains[] holds from 1 to {_MAX_BULK} domains"
            return in_json({"error": text, "error_code": "INVALID_PARAMETER"}, 422)
        unique = list(dict.fromkeys(domain.lower() for domain in domains))
        asked = [domain for domain in unique if not request.fails(domain)]
        found = [_organization(facts) for facts in map(self.company, asked) if facts is not None]
        self.spent += len(found)
        answer = {
            "status": "success", "error_code": None, "error_message": None, "total_requested_domains": len(domains),
            "unique_domains": len(unique), "unique_enriched_records": len(found),
            "missing_records": len(unique) - len(found), "organizations": found,
        }  # fmt: skip
        return in_json(answer, effects=len(found))

    def throttled(self, request: Request) -> Reply:
        """Their words."""
        text = "The maximum number of api calls allowed for api/v1/organizations/enrich is 1000 times per minute."
        return in_json({"message": text}, 429)


def _organization(facts: dict[str, Any]) -> dict[str, Any]:
    address = f"{facts['street']}, {facts['city']}, {facts['region']}, {facts['country_name']}, {facts['postal_code']}"
    return {
        "id": f"5e66b6381e05b4{facts['number']}", "name": facts["name"], "website_url": f"http://www.{facts['domain']}",
        "primary_domain": facts["domain"], "linkedin_url": f"http://www.{facts['linkedin']}",
        "twitter_url": f"https://{facts['twitter']}", "facebook_url": f"https://{facts['facebook']}",
        "primary_phone": {"number": facts["phone"], "source": "Owned", "sanitized_number": facts["phone"]},
        "phone": facts["phone"], "languages": [], "founded_year": facts["founded"], "industry": facts["industry"],
        "estimated_num_employees": facts["employee_count"], "annual_revenue": facts["annual_revenue_usd"],
        "annual_revenue_printed": f"{facts['annual_revenue_usd'] / 1e6:.1f}M", "raw_address": address,
        "street_address": facts["street"], "city": facts["city"], "state": facts["region"],
        "postal_code": facts["postal_code"], "country": facts["country_name"], "naics_codes": [facts["naics"]],
        "sic_codes": [facts["sic"]], "keywords": [facts["industry"]], "publicly_traded_symbol": None,
    }  # fmt: skip
