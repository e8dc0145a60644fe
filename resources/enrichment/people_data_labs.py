"""People Data Labs: companies by domain, up to 100 in one call (https://docs.peopledatalabs.com, Bulk Company
Enrichment).

Only matches are charged. ``likelihood`` (1-10) is logarithmic; from ``min_likelihood`` on it counts as a match.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from resources.enrichment import Answers, Found, KeyKind, LookupUnavailable, facts
from resources.enrichment.calling import HttpProvider, dig

MOST_KEYS = 100
# The inferred ranges of its schema, by their upper ends in US dollars.
_REVENUES = {"$0-$1M": 5e5, "$1M-$10M": 5e6, "$10M-$25M": 2e7, "$25M-$50M": 4e7, "$50M-$100M": 7e7,
             "$100M-$250M": 2e8, "$250M-$500M": 4e8, "$500M-$1B": 7e8, "$1B-$10B": 5e9, "$10B+": 2e10}  # fmt: skip


class PeopleDataLabs(HttpProvider):
    """Company facts by domain. Options: ``min_likelihood``."""

    OPTIONS = frozenset({"min_likelihood"})
    BASE_URL = "https://api.peopledatalabs.com"
    key_kind = KeyKind.COMPANY_DOMAIN
    own_fields = frozenset(
        {"company_name", "employee_band", "revenue_band", "industry_code", "city", "region"}
    ) | facts.SOCIAL_FIELDS  # fmt: skip

    def lookup(self, keys: Sequence[str], *, timeout_seconds: float) -> Answers:
        """See ``EnrichmentProvider``."""
        headers = {"X-Api-Key": self._secret()}
        least = int(self._setup.options.get("min_likelihood", 2))
        body = {
            "requests": [
                {"params": {"website": key, "min_likelihood": least}, "metadata": {"key": key}} for key in keys
            ]
        }
        answer = self._call(
            "POST", self._url("/v5/company/enrich/bulk"), timeout_seconds, headers=headers, body=body
        )  # fmt: skip
        rows = self._json(answer)
        if not isinstance(rows, list) or len(rows) != len(keys):
            raise LookupUnavailable(f"{self.name} answered about other companies than were asked for", "bad_answer")
        found, later = {}, set()
        for key, row in zip(keys, rows, strict=True):
            status = dig(row, "status")
            if dig(row, "metadata", "key") not in (None, key):
                raise LookupUnavailable(f"{self.name} answered in another order", "bad_answer")
            if status == 200:
                known = _found(row)
                if known is not None:
                    found[key] = known
            elif status == 429 or (isinstance(status, int) and status >= 500):
                later.add(key)
        return Answers(found, frozenset(later))


def _found(row: Mapping[str, Any]) -> Found | None:
    likelihood = facts.number_of(row.get("likelihood")) or 0.0
    naics = dig(row, "naics", 0, "naics_code") or dig(row, "naics", 0, "sector_code")
    given = {
        "company_name": row.get("display_name") or row.get("name"),
        "employee_band": facts.employee_band(row.get("employee_count")) or _band(row.get("size")),
        "revenue_band": facts.revenue_band(_REVENUES.get(str(row.get("inferred_revenue")))),
        "industry_code": facts.naics_sector(naics),
        "city": _titled(dig(row, "location", "locality")),
        "region": _titled(dig(row, "location", "region")),
        "company_linkedin_url": row.get("linkedin_url"),
        "company_twitter_url": row.get("twitter_url"),
        "company_facebook_url": row.get("facebook_url"),
    }
    # 1 is hardly better than chance, each step halves the doubt.
    return facts.found(given, 1 - 0.5 ** max(likelihood - 0.5, 0))


def _band(size: Any) -> str | None:
    match = re.fullmatch(r"(\d+)(?:-\d+|\+)", size) if isinstance(size, str) else None
    return facts.employee_band(int(match[1])) if match else None


def _titled(value: Any) -> Any:
    """Its text is in lower case throughout."""
    return value.title() if isinstance(value, str) and value.islower() else value
