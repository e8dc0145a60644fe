"""The companies that the doubles of data providers know: facts of a domain, made from its name, the same in all.

Not every provider knows every company. Names that begin with ``unknown`` nobody knows. Nothing here is about anybody.
"""

from __future__ import annotations

import re
from typing import Any

from aiqleads_pipeline.sandbox.exchange import Double, chance

_UNKNOWN_SHARE = 0.15
CITIES = (
    ("Austin", "Texas", "TX", "US", "78701", 30.2672, -97.7431, "us_tx"),
    ("Denver", "Colorado", "CO", "US", "80202", 39.7392, -104.9903, "us_co"),
    ("Berlin", "Berlin", "BE", "DE", "10115", 52.5323, 13.3846, "de"),
    ("Leeds", "England", "ENG", "GB", "LS1 4DY", 53.7997, -1.5492, "gb"),
    ("Lyon", "Auvergne-Rhône-Alpes", "ARA", "FR", "69002", 45.7578, 4.832, "fr"),
    ("Toronto", "Ontario", "ON", "CA", "M5H 2N2", 43.6532, -79.3832, "ca_on"),
)
COUNTRIES = {"US": "United States", "DE": "Germany", "GB": "United Kingdom", "FR": "France", "CA": "Canada"}
_INDUSTRIES = (
    ("computer software", "541511", "7372"), ("industrial machinery", "333248", "3559"),
    ("hospital & health care", "622110", "8062"), ("logistics and supply chain", "488510", "4731"),
    ("construction", "236220", "1542"), ("retail", "455219", "5331"),
)  # fmt: skip
_SIZES = ((10, "1-10"), (50, "11-50"), (200, "51-200"), (500, "201-500"), (1000, "501-1000"), (5000, "1001-5000"))


class CompanyDouble(Double):
    """A provider of facts about companies. ``companies`` of the settings are facts that count instead of made ones;
    null: it doesn't know that one."""

    defaults = {"companies": {}, "requests_per_minute": 0, "credits": None}

    def forget(self) -> None:
        """Nothing was asked, nothing spent."""
        self.spent = 0
        self.minute, self.calls = 0, 0

    def company(self, domain: str) -> dict[str, Any] | None:
        """Facts of a domain, if this provider knows it."""
        domain = domain.strip().lower().removeprefix("http://").removeprefix("https://").removeprefix("www.")
        domain = domain.partition("/")[0]
        given = self.settings["companies"]
        if domain in given:
            return {**facts_of(domain), **given[domain]} if given[domain] is not None else None
        is_domain = re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain)
        if not is_domain or domain.startswith("unknown") or self.chance("knows", domain) < _UNKNOWN_SHARE:
            return None
        return facts_of(domain)

    def is_over_rate(self, request_minute: int) -> bool:
        """Count a call; whether it is one too many in this minute. Nought means no limit."""
        self.calls = self.calls + 1 if request_minute == self.minute else 1
        self.minute = request_minute
        return bool(0 < self.settings["requests_per_minute"] < self.calls)

    def is_out_of_credit(self) -> bool:
        """Whether all credits are spent; none set: there is no end to them."""
        return self.settings["credits"] is not None and self.spent >= self.settings["credits"]

    def facts(self) -> dict[str, Any]:
        """What the page shows."""
        return {"credits spent": self.spent}


def facts_of(domain: str) -> dict[str, Any]:
    """What is true of a company, by its domain."""

    def pick(what: str, choices: Any) -> Any:
        return choices[int(chance("company", domain, what) * len(choices))]

    slug = domain.split(".", maxsplit=1)[0]
    city, region, region_code, country, postal, latitude, longitude, jurisdiction = pick("place", CITIES)
    industry, naics, sic = pick("industry", _INDUSTRIES)
    top, size = pick("size", _SIZES)
    employees = max(1, int(top * (0.3 + 0.7 * chance("company", domain, "employees"))))
    return {
        "domain": domain, "name": slug.replace("-", " ").title(), "slug": slug, "city": city, "region": region,
        "region_code": region_code, "country": country, "country_name": COUNTRIES[country], "postal_code": postal,
        "latitude": latitude, "longitude": longitude, "jurisdiction": jurisdiction, "industry": industry,
        "naics": naics, "sic": sic, "size": size, "employee_count": employees,
        "annual_revenue_usd": employees * 150_000, "founded": 1950 + int(70 * chance("company", domain, "founded")),
        "street": f"{1 + int(200 * chance('company', domain, 'street'))} Market Street",
        "phone": f"+1512555{int(10_000 * chance('company', domain, 'phone')):04d}",
        "linkedin": f"linkedin.com/company/{slug}", "twitter": f"twitter.com/{slug}", 
        "facebook": f"facebook.com/{slug}",
        "number": f"{int(1e8 * chance('company', domain, 'number')):08d}",
    }  # fmt: skip
