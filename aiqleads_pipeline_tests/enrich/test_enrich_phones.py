"""The numbering plan in SQL says what libphonenumber says."""

from __future__ import annotations

import random

import phonenumbers
from duckdb import DuckDBPyConnection
from enrich_stories import AS_OF, Enriched, Validated
from phonenumbers import PhoneNumberType, timezone

from aiqleads_pipeline.stages.enrich import enrich_leads

TYPE_NAMES = {value: name.lower() for name, value in vars(PhoneNumberType).items() if isinstance(value, int)}
NUMBERS = 20_000
Fact = tuple[str, str | None, str, str | None]


KNOWN: list[tuple[str, str, str | None]] = [
    ("+12125551234", "fixed_line_or_mobile", "US"),
    ("+14165550123", "fixed_line_or_mobile", "CA"),
    ("+18765230123", "fixed_line_or_mobile", "JM"),
    ("+18002345678", "toll_free", "US"),
    ("+4915112345678", "mobile", "DE"),
    ("+493012345678", "fixed_line", "DE"),
    ("+447400123456", "mobile", "GB"),
    ("+441534123456", "fixed_line", "JE"),
    ("+3906698712345", "fixed_line", "VA"),
    ("+390612345678", "fixed_line", "IT"),
    ("+77012345678", "mobile", "KZ"),
    ("+79161234567", "mobile", "RU"),
    ("+919876543210", "mobile", "IN"),
    ("+80012345678", "toll_free", None),
]


def test_known_numbers(enriched: Enriched) -> None:
    leads = enriched([{"last_name": "A", "phone_e164": number} for number, _, _ in KNOWN])
    told = [(lead.get("phone_type"), lead.get("phone_country")) for lead in leads]
    assert told == [(kind, country) for _, kind, country in KNOWN]


def test_the_plan_agrees_with_the_library(con: DuckDBPyConnection, validated: Validated) -> None:
    """Type, country and time zone of seeded valid numbers of every region and type that the library knows."""
    expected = _valid_numbers(random.Random(20261123))
    enrich_leads(con, validated([{"last_name": "A", "phone_e164": fact[0]} for fact in expected]), as_of=AS_OF)
    found = con.sql("SELECT given.phone_e164, phone_country, phone_type, phone_zone FROM enrich_phones ORDER BY 1")
    differing = [pair for pair in zip(expected, found.fetchall(), strict=True) if pair[0] != pair[1]]
    assert (len(expected), differing) == (NUMBERS, [])


def _valid_numbers(chance: random.Random) -> list[Fact]:
    examples = [
        str(example.country_code) + phonenumbers.national_significant_number(example)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in sorted(TYPE_NAMES)
        if (example := phonenumbers.example_number_for_type(region, kind)) is not None
    ]
    examples += [
        str(code) + phonenumbers.national_significant_number(phonenumbers.example_number_for_non_geo_entity(code))
        for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS)
    ]
    found: dict[str, Fact] = {}
    while len(found) < NUMBERS:
        example = chance.choice(examples)
        length = len(example) + chance.choice((0, 0, 0, 0, 0, -1, 1))
        kept = example[: chance.randint(2, len(example) - 1)]
        number = "+" + (kept + "".join(chance.choice("0123456789") for _ in range(20)))[:length]
        if number not in found and (fact := _told_by_library(number)) is not None:
            found[number] = fact
    return sorted(found.values())


def _told_by_library(text: str) -> Fact | None:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return None
    region, kind = phonenumbers.region_code_for_number(number), TYPE_NAMES[phonenumbers.number_type(number)]
    if kind == "unknown" or phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != text:
        return None
    zones = timezone.time_zones_for_number(number)
    return (
        text,
        None if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else region,
        kind,
        zones[0] if len(zones) == 1 and zones[0] != timezone.UNKNOWN_TIMEZONE else None,
    )
