"""OpenCorporates: registered companies by name and country (https://api.opencorporates.com, companies/search)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resources.enrichment import Answers, KeyKind, LookupUnavailable, facts
from resources.enrichment.calling import HttpProvider, dig

MOST_KEYS = 1
_NAICS = ("us_naics", "naics", "ca_naics")


class OpenCorporates(HttpProvider):
    """The one active company of a name; several, or another name, are no answer."""

    OPTIONS: frozenset[str] = frozenset()
    BASE_URL = "https://api.opencorporates.com"
    key_kind = KeyKind.COMPANY_NAME
    own_fields = frozenset({"company_name", "industry_code", "city", "region"})

    def lookup(self, keys: Sequence[str], *, timeout_seconds: float) -> Answers:
        """See ``EnrichmentProvider``."""
        (key,) = keys
        name, _, country = key.rpartition("|")
        query = {"q": name, "normalise_company_name": "true", "inactive": "false", "per_page": "5"}
        if country:
            query["country_code"] = country.lower()
        query["api_token"] = self._secret()
        content = self._json(
            self._call("GET", self._url("/v0.4/companies/search", query), timeout_seconds)
        )  # fmt: skip
        rows = dig(content, "results", "companies")
        if not isinstance(rows, list):
            raise LookupUnavailable(f"{self.name} answered without companies", "bad_answer")
        companies = [dig(row, "company") for row in rows[:50]]
        same = [each for each in companies if _plain(dig(each, "name")) == _plain(name)]
        if not same:
            return Answers()
        given = {
            "company_name": dig(same[0], "name"),
            "industry_code": _sector(dig(same[0], "industry_codes")),
            "city": dig(same[0], "registered_address", "locality"),
            "region": dig(same[0], "registered_address", "region"),
        }
        known = facts.found(given, 0.75 if len(same) == 1 else 0.4)
        return Answers({key: known} if known else {})


def _sector(codes: Any) -> str | None:
    for each in codes if isinstance(codes, list) else []:
        code = dig(each, "industry_code") or each
        if str(dig(code, "code_scheme_id") or "").startswith(_NAICS):
            return facts.naics_sector(dig(code, "code"))
    return None


_FORMS = frozenset(
    {"inc", "incorporated", "corp", "corporation", "co", "company", "llc", "ltd", "limited", "plc", "gmbh", "ag",
     "bv", "nv", "sa", "sarl", "spa", "srl", "oy", "ab", "as", "lp", "llp"}
)  # fmt: skip


def _plain(name: Any) -> str:
    """A name without its legal form, to compare."""
    if not isinstance(name, str):
        return ""
    words = "".join(letter if letter.isalnum() else " " for letter in name.casefold().replace(".", "")).split()
    while len(words) > 1 and words[-1] in _FORMS:
        words.pop()
    return " ".join(words)
