"""The patterns and the library agree on what a telephone number is."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import phonenumbers
import pytest
from phonenumbers import PhoneMetadata, PhoneNumberFormat

from aiqleads_pipeline.stages.validate.settling import read_phone

_NAMES = (
    "US CA GB DE FR ES IT AU NL BR IN MX AR CH SE JP CN AE SG ZA RU TR PL BE AT IE DK NO FI PT KR HK NZ IL GR CZ HU RO "
    "UA SA EG NG KE PK BD ID MY PH TH VN CL CO PE JM BS DO PR KZ BY LT SM VA MC LI GG JE"
)
COUNTRIES = _NAMES.split()


def sample_numbers(size: int, seed: int) -> list[tuple[str, str | None]]:
    """Numbers as people write them, right and wrong, with the country of their row."""
    dice = random.Random(seed)
    examples = {
        country: [
            data.example_number
            for kind in ("fixed_line", "mobile", "toll_free")
            if (data := getattr(PhoneMetadata.metadata_for_region(country), kind)) and data.example_number
        ]
        for country in COUNTRIES
    }
    found: list[tuple[str, str | None]] = []
    while len(found) < size:
        country = dice.choice(COUNTRIES)
        code = phonenumbers.country_code_for_region(country)
        prefix = PhoneMetadata.metadata_for_region(country).national_prefix or ""
        digits = dice.choice(examples[country if dice.random() < 0.9 else dice.choice(COUNTRIES)])
        digits = "".join(d if dice.random() < 0.85 else str(dice.randrange(10)) for d in digits)
        digits = digits[: len(digits) - dice.choice([0, 0, 0, 0, 1, 3])] + dice.choice(["", "", "", "7"])
        grouped = "".join(d + dice.choice(["", "", "", " ", "-", "."]) for d in digits).strip(" -.")
        text = dice.choice(
            [grouped, grouped, prefix + grouped, f"({prefix}{grouped[:3]}) {grouped[3:]}", f"+{code}{grouped}",
             f"+{code} {grouped}", f"00{code} {grouped}", f"+{code} ({prefix}){grouped}", f"{code}{digits}",
             f"011 {code} {grouped}", f"+{code}-{grouped}", f"00{digits}", digits]
        )  # fmt: skip
        found.append((text, dice.choice([country, country, country, country, None])))
    for country in COUNTRIES:  # and one of each kind as the library itself would write it
        number = phonenumbers.example_number(country)
        found += [(phonenumbers.format_number(number, form), country) for form in (PhoneNumberFormat.NATIONAL, 1)]
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_sql_and_library_agree_on_12000_numbers(check: Callable[..., list[dict[str, Any]]], seed: int) -> None:
    sample = [(n, c) for n, c in sample_numbers(12_000, seed) if not re.fullmatch(r"\d{7,15}\.0", n)]
    leads = check([{"phone": number, "country": country, "last_name": "Lee"} for number, country in sample])
    wrong = [
        (number, country, lead["phone_e164"], expected)
        for (number, country), lead in zip(sample, leads, strict=True)
        if lead["phone_e164"] != (expected := read_phone(number, country))
        and "phone:placeholder_value" not in lead["warnings"]  # 1234567890 and the like
    ]
    assert wrong == []
    assert sum(lead["phone_e164"] is not None for lead in leads) > 4_000
