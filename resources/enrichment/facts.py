"""Facts as they may come in: whatever a provider sends is data, so every value is checked, bounded and made inert here.

Belongs here: which fields there are and what a legal value of each is. Does not belong here: where in an answer a value
stands (each provider) and whether it is used (``aiqleads_pipeline.enriching``). Values that don't fit are dropped and
counted; nothing of them is ever quoted.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from resources.enrichment import Found, Value
from resources.http import HttpError, parse_url

EMAIL_STATUSES = (
    "valid", "invalid", "accept_all", "webmail", "disposable", "spam_trap", "abuse", "do_not_mail",
)  # fmt: skip
PHONE_TYPES = (
    "fixed_line", "mobile", "fixed_line_or_mobile", "toll_free", "premium_rate", "shared_cost", "voip",
    "personal_number", "pager", "uan", "voicemail",
)  # fmt: skip
EMPLOYEE_BANDS = {
    10: "1-10", 50: "11-50", 200: "51-200", 500: "201-500", 1000: "501-1000", 5000: "1001-5000", 10000: "5001-10000",
}  # fmt: skip
REVENUE_BANDS = {1e6: "<1M", 1e7: "1M-10M", 5e7: "10M-50M", 1e8: "50M-100M", 5e8: "100M-500M", 1e9: "500M-1B"}
SECTORS = {
    "31": "31-33", "32": "31-33", "33": "31-33", "44": "44-45", "45": "44-45", "48": "48-49", "49": "48-49",
    **{code: code for code in (
        "11", "21", "22", "23", "42", "51", "52", "53", "54", "55", "56", "61", "62", "71", "72", "81", "92",
    )},
}  # fmt: skip
_HOSTS = {
    "company_linkedin_url": ("linkedin.com",),
    "company_twitter_url": ("twitter.com", "x.com"),
    "company_facebook_url": ("facebook.com", "fb.com"),
}
_PATHS = {
    "company_linkedin_url": re.compile(r"/(company|school|showcase)/[\w.%-]{1,120}"),
    "company_twitter_url": re.compile(r"/(?!share|intent|home|search|hashtag|i$)\w{1,20}"),
    "company_facebook_url": re.compile(r"/(?!sharer|share|dialog|plugins|tr$)[\w.-]{1,120}"),
}
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_TIME_ZONE = re.compile(r"[A-Za-z_]{1,20}(/[A-Za-z0-9_+-]{1,30}){1,2}")
# Control, format (bidirectional marks, zero widths), surrogates, private and unassigned characters.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def text_of(value: Any, most_chars: int = 200) -> str | None:
    """Printable text in one line, NFC, without what could act: no control or format characters, no markup, no leading
    sign of a formula. None where it is none."""
    if not isinstance(value, str) or len(value) > 4 * most_chars:
        return None
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if not text or len(text) > most_chars or any(unicodedata.category(letter) in _UNSEEN for letter in text):
        return None
    return None if text[0] in "=+-@" or "<" in text or ">" in text else text


def number_of(value: Any) -> float | None:
    """A finite number; text is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def employee_band(count: Any) -> str | None:
    """The size band of a number of employees."""
    number = number_of(count)
    if number is None or not 1 <= number <= 10_000_000:
        return None
    return next((band for most, band in EMPLOYEE_BANDS.items() if number <= most), "10001+")


def revenue_band(usd: Any) -> str | None:
    """The band of a yearly revenue in US dollars."""
    number = number_of(usd)
    if number is None or not 0 < number <= 1e14:
        return None
    return next((band for less, band in REVENUE_BANDS.items() if number < less), "1B+")


def naics_sector(code: Any) -> str | None:
    """The NAICS sector of a NAICS code of two to six digits."""
    text = str(code) if isinstance(code, str | int) and not isinstance(code, bool) else ""
    return SECTORS.get(text[:2]) if re.fullmatch(r"\d{2,6}", text) else None


def domain_of(value: Any) -> str | None:
    """A domain, of a domain or a URL, without ``www.``."""
    text = text_of(value, 500)
    if text is None:
        return None
    try:
        host = parse_url(text if "://" in text else f"https://{text}").host.removeprefix("www.")
    except HttpError:
        return None
    return host if _DOMAIN.fullmatch(host) else None


def profile_url(field: str, value: Any) -> str | None:
    """The link to a company's profile in its plain form (https, no query); none of another host or of a person."""
    text = text_of(value, 500)
    if text is None:
        return None
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "").lower()
        is_plain = parts.scheme in ("http", "https") and "@" not in parts.netloc and parts.port is None
    except ValueError:
        return None
    # country pages (de.linkedin.com) belong to their host
    known = next((name for name in _HOSTS[field] if host == name or host.endswith(f".{name}")), None)
    path = _PATHS[field].match(parts.path)
    if not is_plain or known is None or path is None:
        return None
    return f"https://{'x.com' if field == 'company_twitter_url' else f'www.{known}'}{path[0]}"


def _one_of(legal: tuple[str, ...]) -> Callable[[Any], Value | None]:
    return lambda value: value if isinstance(value, str) and value in legal else None


def _matching(pattern: str) -> Callable[[Any], Value | None]:
    return lambda value: value if isinstance(value, str) and re.fullmatch(pattern, value) else None


def _degrees(most: float) -> Callable[[Any], Value | None]:
    def check(value: Any) -> Value | None:
        number = number_of(value)
        return None if number is None or abs(number) > most else round(number, 6)

    return check


def _text(most_chars: int) -> Callable[[Any], Value | None]:
    return lambda value: text_of(value, most_chars)


# Every field that a provider may fill, and what makes a value legal: the value as it is kept, or None.
CHECKS: dict[str, Callable[[Any], Value | None]] = {
    "company_name": _text(200),
    "website": domain_of,
    "city": _text(120),
    "region": _text(80),
    "country": _matching(r"[A-Z]{2}"),
    "county": _text(120),
    "time_zone": lambda value: value if isinstance(value, str) and _TIME_ZONE.fullmatch(value) else None,
    "latitude_deg": _degrees(90),
    "longitude_deg": _degrees(180),
    "employee_band": _one_of((*EMPLOYEE_BANDS.values(), "10001+")),
    "revenue_band": _one_of((*REVENUE_BANDS.values(), "1B+")),
    "industry_code": _one_of(tuple(sorted(set(SECTORS.values())))),
    "phone_type": _one_of(PHONE_TYPES),
    "phone_country": _matching(r"[A-Z]{2}"),
    "email_status": _one_of(EMAIL_STATUSES),
    "has_mail_server": lambda value: value if isinstance(value, bool) else None,
    **{name: (lambda value, name=name: profile_url(name, value)) for name in _HOSTS},  # type: ignore[misc]
}
FIELDS = frozenset(CHECKS)
SOCIAL_FIELDS = frozenset(_HOSTS)


def found(given: Mapping[str, Any], confidence_share: float) -> Found | None:
    """The legal facts of what a provider gave; None where nothing is left. Nulls and empty text say nothing."""
    facts: dict[str, Value] = {}
    refused_count = 0
    for name, value in given.items():
        if value is None or value == "":
            continue
        checked = CHECKS[name](value)
        if checked is None:
            refused_count += 1
        else:
            facts[name] = checked
    if "latitude_deg" in facts and "longitude_deg" not in facts:
        del facts["latitude_deg"]
    if "longitude_deg" in facts and "latitude_deg" not in facts:
        del facts["longitude_deg"]
    share = number_of(confidence_share)
    share = 0.0 if share is None else min(max(share, 0.0), 1.0)
    return Found(facts, round(share, 4), refused_count) if facts or refused_count else None
