"""Where a lead is: what postal codes, regions, numbers and countries tell, and what they must not."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from duckdb import DuckDBPyConnection
from enrich_stories import Enriched

from aiqleads_pipeline.stages.engine import REFERENCE_DIR

PLACE = (
    "country", "country_source", "region", "region_source", "city", "city_source", "county", "time_zone",
    "time_zone_source",
)  # fmt: skip


PLACES: list[tuple[dict[str, Any], tuple[str | None, ...]]] = [
    # a country alone
    ({"country": "DE"}, ("DE", "given", None, None, None, None, None, "Europe/Berlin", "country")),
    ({"country": "US"}, ("US", "given", None, None, None, None, None, None, None)),
    ({"country": "NA"}, ("NA", "given", None, None, None, None, None, "Africa/Windhoek", "country")),
    # a region tells its country, and its zone where it has one
    ({"region": "US-CA"}, ("US", "region", "US-CA", "given", None, None, None, "America/Los_Angeles", "region")),
    ({"region": "US-TN"}, ("US", "region", "US-TN", "given", None, None, None, None, None)),
    ({"region": "Oberland"}, (None, None, "Oberland", "given", None, None, None, None, None)),
    # five digits are a US postal code only if something says so
    ({"postal_code": "37402"}, (None, None, None, None, None, None, None, None, None)),
    (
        {"postal_code": "37402", "country": "US"},
        ("US", "given", "US-TN", "postal_code", "Chattanooga", "postal_code", "Hamilton County",
         "America/New_York", "postal_code"),
    ),
    (
        {"postal_code": "37402", "city": "CHATTANOOGA"},
        ("US", "postal_code", "US-TN", "postal_code", "CHATTANOOGA", "given", "Hamilton County",
         "America/New_York", "postal_code"),
    ),
    ({"postal_code": "37402", "city": "Göttingen"}, (None,) * 4 + ("Göttingen", "given", None, None, None)),
    (
        {"postal_code": "37402-1234"},
        ("US", "postal_code", "US-TN", "postal_code", "Chattanooga", "postal_code", "Hamilton County",
         "America/New_York", "postal_code"),
    ),
    (
        {"postal_code": "10115", "country": "DE"},
        ("DE", "given", None, None, None, None, None, "Europe/Berlin", "country"),
    ),
    # a postal code that contradicts the given state tells nothing
    (
        {"postal_code": "37402", "region": "US-CA", "country": "US"},
        ("US", "given", "US-CA", "given", None, None, None, "America/Los_Angeles", "region"),
    ),
    # a number tells country, zone and, in North America, the state
    (
        {"phone_e164": "+14155552671"},
        ("US", "phone_number", "US-CA", "phone_number", None, None, None, "America/Los_Angeles", "region"),
    ),
    (
        {"phone_e164": "+19012345678"},
        ("US", "phone_number", "US-TN", "phone_number", None, None, None, "America/Chicago", "phone_number"),
    ),
    (
        {"phone_e164": "+14165550123"},
        ("CA", "phone_number", "CA-ON", "phone_number", None, None, None, "America/Toronto", "phone_number"),
    ),
    (
        {"phone_e164": "+41446681800"},
        ("CH", "phone_number", None, None, None, None, None, "Europe/Zurich", "phone_number"),
    ),
    # but not against what is given, and not from a service number
    (
        {"phone_e164": "+14155552671", "country": "DE"},
        ("DE", "given", None, None, None, None, None, "Europe/Berlin", "country"),
    ),
    ({"phone_e164": "+18002345678"}, (None,) * 9),
    ({"phone_e164": "+80012345678"}, (None,) * 9),
]  # fmt: skip


def test_places(enriched: Enriched) -> None:
    leads = enriched([{"last_name": "A"} | given for given, _ in PLACES])
    told = [tuple((given | lead).get(name) for name in PLACE) for (given, _), lead in zip(PLACES, leads, strict=True)]
    assert told == [place for _, place in PLACES]


def test_zones_and_regions_of_the_reference_files_exist(con: DuckDBPyConnection) -> None:
    zones, regions = set(), set()
    for name in ("us_postal_codes", "country_facts", "region_facts", "phone_kinds"):
        for (zone,) in con.sql(f"SELECT DISTINCT time_zone FROM '{REFERENCE_DIR}/{name}.parquet'").fetchall():
            zones.add(zone)
    for name in ("us_postal_codes", "phone_kinds"):
        for (region,) in con.sql(f"SELECT DISTINCT region_code FROM '{REFERENCE_DIR}/{name}.parquet'").fetchall():
            regions.add(region)
    known = {code for (code,) in con.sql(f"SELECT code FROM '{REFERENCE_DIR}/region_facts.parquet'").fetchall()}
    freely_associated = {"US-FM", "US-MH", "US-PW"}  # countries of their own with US postal codes
    assert zones - {None} - available_timezones() == set()
    assert regions - {None} - known <= freely_associated


def test_country_names(enriched: Enriched) -> None:
    names = {"NA": "Namibia", "GB": "United Kingdom", "TW": "Taiwan", "KR": "South Korea", "US": "United States"}
    leads = enriched([{"last_name": "A", "country": code} for code in names])
    assert [lead["country_name"] for lead in leads] == list(names.values())
