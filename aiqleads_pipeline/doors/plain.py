"""Plain leads: those of which it is certain, without the engine, that the contract accepts them; with their keys.

Belongs here: a fast "yes, and these are its keys" or "don't know". What a cell means and why a lead is refused is said
in ``sql/stages/validate`` and ``sql/stages/identify`` alone; the engine takes half a second for one lead as for a
thousand, so it is left to the leads that are not plain. A test holds both together: whatever is plain here, the strict
check accepts, with the same keys. Patterns and words are read from where the stages read them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import md5

from aiqleads_pipeline.doors.plain_words import (
    countries,
    is_unclean,
    legal_form,
    needs_care,
    phone_plan,
    placeholders,
    regions,
)

Keys = list[tuple[int, int, int]]  # key, tag, kind
EXTERNAL_ID, EMAIL, PHONE, NAME_COMPANY = 1, 2, 3, 4

# The columns of texts that one pattern looks at together, as in cells.sql.
TOGETHER = (
    "external_id", "lead_source", "campaign", "job_title", "company_name", "industry", "street", "city",
    "product_interest", "first_name", "last_name", "full_name", "email", "phone", "linkedin_url", "website", "consent",
)  # fmt: skip
COUNTS = ("page_views_count", "email_opens_count", "form_submissions_count")
TIMES = ("last_activity_at", "consent_at", "created_at")
NAMES = ("first_name", "last_name", "full_name", "company_name")
_MOST_BYTES = 500
_PHONE_KEYS = 3458764513820540928
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)

# Letters whose small and bare forms are beyond doubt: ASCII and Latin, each of them held against the engine by a test.
_LATIN = re.compile(r"[ -~À-ÖØ-öø-įĲ-ſ]*")
_NOT_LETTERS = re.compile(r"[\W_]+")
_EMAIL = re.compile(r"[a-z0-9_+\-]+(?:\.[a-z0-9_+\-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}", re.ASCII)
_SPECIAL_ENDINGS = ("arpa", "invalid", "local", "localhost", "onion", "test")
_PLACEHOLDER_EMAIL = re.compile(
    r"(?:none?|na|n/a|no-?e?-?mail|not-?given|unknown|null|test|xx+|asdf|fake|spam)"
    r"@(?:none?|na|no-?e?-?mail|not-?given|unknown|null|test|email|mail|xx+|asdf|fake|spam)\.(?:com|net|org|co|nope)"
)
_TAGGED_MAIL = re.compile(
    r"outlook\.[a-z.]+|hotmail\.[a-z.]+|live\.[a-z.]+|msn\.com|icloud\.com|me\.com|mac\.com|fastmail\.(?:com|fm)"
    r"|proton(?:mail)?\.(?:com|me|ch)|pm\.me|yandex\.[a-z.]+|zoho\.(?:com|eu)|mailbox\.org|posteo\.[a-z]+|hey\.com"
)
_PHONE = re.compile(r"[(]?\+?[0-9(][0-9 ()\-]{5,30}", re.ASCII)
_DUMMY_NUMBER = re.compile(r"0+|1{5,}|2{5,}|3{5,}|4{5,}|5{5,}|6{5,}|7{5,}|8{5,}|9{5,}|[01]?1234567(?:89?0?)?", re.ASCII)
_DIGITS = str.maketrans("", "", " ()-+")
_WEBSITE = re.compile(
    r"(?:https?://)?(?:www\.)?[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?\.[a-z][a-z0-9\-]*[a-z0-9](?:/[^@/ ][^@ ]*)?/?", re.ASCII
)
_LINKEDIN = re.compile(r"https?://(?:[a-z]{2,3}\.)?linkedin\.com/(?:in|company)/[A-Za-z0-9\-_%]+/?", re.ASCII)
_WHOLE = re.compile(r"\d{1,15}", re.ASCII)
_AMOUNT = re.compile(r"\d{1,15}|(?=.{1,15}$)\d+(?:\.0+|(?:\.\d+)?[eE]\+?\d{1,2})", re.ASCII)
_TIME = re.compile(r"(?:19|20)\d{2}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?Z?)?", re.ASCII)
_PLACE = re.compile(r"[!-~]+(?: [!-~]+)*", re.ASCII)
_POSTAL = re.compile(r"(?=.*[0-9])[A-Z0-9][A-Z0-9 \-]{1,8}[A-Z0-9]", re.ASCII)
_POSTAL_OF = {
    "US": re.compile(r"\d{5}(?:-\d{4})?", re.ASCII),
    "CA": re.compile(r"[A-Z]\d[A-Z] \d[A-Z]\d", re.ASCII),
    "GB": re.compile(r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}", re.ASCII),
    **dict.fromkeys(("DE", "FR", "IT", "ES", "FI"), re.compile(r"\d{5}", re.ASCII)),
    **dict.fromkeys(("AU", "NO", "DK", "CH", "AT", "BE"), re.compile(r"\d{4}", re.ASCII)),
}
_NOT_FOLDED = re.compile("[^a-z0-9]+")
_TWO_WORDS = re.compile(r"(?!(?i:mrs|miss|prof|herr|frau|mme|sra|don) )[A-Za-z]{3,} ([A-Za-z]{4,})")


def plain_keys(
    row: Mapping[str, str], source: str, default_country: str | None, time_zone: str, as_of: datetime
) -> Keys | None:
    """The identity keys of a lead that the strict check certainly accepts; None if that is not certain.

    ``row`` holds the given columns of the contract as text (no empty ones), ``source`` and the others are the
    source's, ``as_of`` is the moment of the check.
    """
    get = row.get
    email, phone = get("email"), get("phone")
    is_named = "last_name" in row or "full_name" in row or "company_name" in row
    if (email is None and phone is None) or not is_named or not _texts_are_plain(row):
        return None
    mailbox = number = None
    if email is not None and (mailbox := _mailbox(email.lower())) is None:
        return None
    if ("country" in row or "region" in row or "postal_code" in row) and not _place_is_plain(row):
        return None
    if phone is not None and (number := _number(phone, _country(get("country")) or default_country)) is None:
        return None
    if not (_links_are_plain(row) and _numbers_are_plain(row) and _times_are_plain(row, time_zone, as_of)):
        return None
    return _keys(row, source, mailbox, number)


def _texts_are_plain(row: Mapping[str, str]) -> bool:
    together = "\ue000".join([row[name] for name in TOGETHER if name in row])
    size = len(together) if together.isascii() else len(together.encode())
    if size + 2 + len(TOGETHER) * 3 > _MOST_BYTES or needs_care()(f"\ue000{together}\ue000"):
        return False
    for name in NAMES:
        if name in row and not _LATIN.fullmatch(row[name]):
            return False
    consent, message = row.get("consent"), row.get("message")
    return consent in (None, "true", "false") and (message is None or _message_is_plain(message))


def _message_is_plain(message: str) -> bool:
    text = " ".join(message.split())
    if len(message) > 20_000 or is_unclean()(text):
        return False
    return len(text) > 20 or (text.lower() not in placeholders() and any(map(str.isalnum, text)))


def _mailbox(email: str) -> str | None:
    """What tells whether two addresses are one; None for an address that is not plain."""
    if len(email) > 64 or not _EMAIL.fullmatch(email) or email.endswith(_SPECIAL_ENDINGS):
        return None
    if _PLACEHOLDER_EMAIL.fullmatch(email):
        return None
    local, _, domain = email.partition("@")
    if domain in ("gmail.com", "googlemail.com"):
        return local.partition("+")[0].replace(".", "") + "@gmail.com"
    if "+" in local and local[0] != "+" and _TAGGED_MAIL.fullmatch(domain):
        return f"{local.partition('+')[0]}@{domain}"
    return email


def _number(phone: str, country: str | None) -> str | None:
    """The digits of a telephone number with its calling code; None for one that is not plain."""
    if not _PHONE.fullmatch(phone):
        return None
    digits, plan = phone.translate(_DIGITS), phone_plan()
    if _DUMMY_NUMBER.fullmatch(digits):
        return None
    if phone[0] == "+" or phone[:2] == "(+":
        return digits if not plan.special_abroad.match(digits) and plan.is_number(digits) else None
    if "+" in phone or country not in plan.countries or digits[0] == "0":
        return None
    code, prefix, special = plan.countries[country]
    if special is not None and special.match(digits):
        return None
    if digits.startswith(code):
        if code != prefix or plan.special_abroad.match(digits):
            return None
        found = digits
    elif prefix and digits.startswith(prefix):
        return None
    else:
        found = code + digits
    return found if plan.is_number(found) else None


@lru_cache(4096)
def _country(name: str | None) -> str | None:
    """The code of a country that is written plainly; None for any other text."""
    if name is None or len(name) > 100 or not _PLACE.fullmatch(name) or name.lower() in placeholders():
        return None
    return countries().get(_folded(name))


@lru_cache(4096)
def _is_region(country: str, name: str) -> bool:
    return (
        len(name) <= 100
        and _PLACE.fullmatch(name) is not None
        and name.lower() not in placeholders()
        and (country, _folded(name)) in regions()
    )


def _place_is_plain(row: Mapping[str, str]) -> bool:
    country, region, postal_code = row.get("country"), row.get("region"), row.get("postal_code")
    if country is None:
        return region is None and postal_code is not None and _POSTAL.fullmatch(postal_code) is not None
    code = _country(country)
    if code is None or (region is not None and not _is_region(code, region)):
        return False
    return postal_code is None or _POSTAL_OF.get(code, _POSTAL).fullmatch(postal_code) is not None


def _links_are_plain(row: Mapping[str, str]) -> bool:
    website, linkedin = row.get("website"), row.get("linkedin_url")
    return (website is None or _WEBSITE.fullmatch(website) is not None) and (
        linkedin is None or _LINKEDIN.fullmatch(linkedin) is not None
    )


def _numbers_are_plain(row: Mapping[str, str]) -> bool:
    for name in COUNTS:
        if name in row and not (_WHOLE.fullmatch(row[name]) and int(row[name]) <= 1_000_000_000):
            return False
    employees = row.get("employee_count")
    if employees is not None and not (_WHOLE.fullmatch(employees) and int(employees) <= 10_000_000):
        return False
    return all(_AMOUNT.fullmatch(row[name]) for name in ("annual_revenue_usd", "budget_usd") if name in row)


def _times_are_plain(row: Mapping[str, str], time_zone: str, as_of: datetime) -> bool:
    for name in TIMES:
        text = row.get(name)
        if text is None:
            continue
        if not _TIME.fullmatch(text) or (time_zone != "UTC" and text[-1] != "Z"):
            return False
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return False
        if not _EARLIEST <= (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= as_of:
            return False
    return True


def _keys(row: Mapping[str, str], source: str, mailbox: str | None, number: str | None) -> Keys | None:
    first, last, full = row.get("first_name"), row.get("last_name"), row.get("full_name")
    if full is None:
        full = f"{first} {last}" if first is not None and last is not None else None
    elif first is None or last is None:
        words = _TWO_WORDS.fullmatch(full)
        if words is None:
            return None
        last = last or words[1]
    keys: Keys = []
    if (external_id := row.get("external_id")) is not None:
        keys.append((_hash(f"1\x1f{source}\x1f{external_id}"), 0, EXTERNAL_ID))
    if mailbox is not None:
        keys.append((_hash(f"2\x1f{mailbox}"), 0, EMAIL))
    if number is not None:
        keys.append((_signed(int(number) + _PHONE_KEYS), _tag(_letters(last)) if last else 0, PHONE))
    company = row.get("company_name")
    if full is not None and company is not None:
        person, firm = _letters(full), _letters(legal_form().sub("", company))
        if person and firm:
            keys.append((_hash(f"4\x1f{person}\x1f{firm}"), 0, NAME_COMPANY))
    return keys


def _letters(name: str) -> str:
    if not name.isascii():
        name = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    name = name.lower()
    return name if name.isalnum() else _NOT_LETTERS.sub("", name)


def _hash(text: str) -> int:
    return _signed(int.from_bytes(md5(text.encode(), usedforsecurity=False).digest()[8:], "little"))


def _tag(name: str) -> int:
    if not name:
        return 0
    bits = int.from_bytes(md5(name.encode(), usedforsecurity=False).digest()[:4], "little")
    return 1 if bits == 1 << 31 else bits - (1 << 31)


def _signed(bits: int) -> int:
    return bits - (1 << 64) if bits >> 63 else bits


def _folded(name: str) -> str:
    return _NOT_FOLDED.sub("", name.lower().replace("&", " and "))
