"""Apollo: organisations by domain, up to ten in one call (https://docs.apollo.io, Bulk Organization Enrichment)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from resources.enrichment import Answers, Found, KeyKind, LookupUnavailable, facts
from resources.enrichment.calling import HttpProvider, dig

MOST_KEYS = 10


class Apollo(HttpProvider):
    """Company facts by domain."""

    OPTIONS: frozenset[str] = frozenset()
    BASE_URL = "https://api.apollo.io"
    key_kind = KeyKind.COMPANY_DOMAIN
    own_fields = frozenset(
        {"company_name", "employee_band", "revenue_band", "industry_code", "city", "region"}
    ) | facts.SOCIAL_FIELDS  # fmt: skip

    def lookup(self, keys: Sequence[str], *, timeout_seconds: float) -> Answers:
        """See ``EnrichmentProvider``."""
        url = self._url("/api/v1/organizations/bulk_enrich", [("domains[]", key) for key in keys])
        answer = self._call("POST", url, timeout_seconds, headers={"X-Api-Key": self._secret()})
        rows = dig(self._json(answer), "organizations")
        if not isinstance(rows, list):
            raise LookupUnavailable(f"{self.name} answered without organisations", "bad_answer")
        asked = set(keys)
        found: dict[str, Found] = {}
        for row in rows[: len(keys)]:
            # Rows come in no promised order: each says whose it is. Facts of others than were asked for are dropped.
            domain = facts.domain_of(dig(row, "primary_domain") or dig(row, "website_url"))
            known = _found(row) if domain in asked else None
            if domain is not None and known is not None:
                found[domain] = known
        return Answers(found)


def _found(row: Mapping[str, Any]) -> Found | None:
    naics = row.get("naics_codes")
    given = {
        "company_name": row.get("name"),
        "employee_band": facts.employee_band(row.get("estimated_num_employees")),
        "revenue_band": facts.revenue_band(row.get("annual_revenue")),
        "industry_code": facts.naics_sector(dig(naics, 0)),
        "city": row.get("city"),
        "region": row.get("state"),
        "company_linkedin_url": row.get("linkedin_url"),
        "company_twitter_url": row.get("twitter_url"),
        "company_facebook_url": row.get("facebook_url"),
    }
    return facts.found(given, 0.8)
