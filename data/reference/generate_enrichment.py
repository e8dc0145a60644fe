"""Makes the reference files of enrichment from public packages: run it, look at the diff, commit the files.

    .venv/bin/pip install -c constraints.txt zipcodes disposable-email-domains pytz
    .venv/bin/python data/reference/generate_enrichment.py --free-mail free.txt --naics naics_2022.csv

``--free-mail`` is https://github.com/willwhite/freemail `data/free.txt`, ``--naics`` the Census Bureau's
"2-6 digit 2022 Codes" saved as CSV. Sources and licences are in ``README.md``. Lists that people keep by hand
(`industry_names.csv`, `industry_words.csv`, `job_words.csv`, `role_mailboxes.csv`) are not made here.
"""

from __future__ import annotations

import argparse
import csv
import re
import unicodedata
from collections import Counter, defaultdict
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
from generate_phone_plan import phone_tables

HERE = Path(__file__).parent
Rows = list[dict[str, Any]]

# In these countries with several zones at least 95 % of the people live in one.
MAIN_ZONES = {
    "CL": "America/Santiago", "CN": "Asia/Shanghai", "CY": "Asia/Nicosia", "EC": "America/Guayaquil",
    "ES": "Europe/Madrid", "NZ": "Pacific/Auckland", "PT": "Europe/Lisbon", "UA": "Europe/Kyiv",
}  # fmt: skip
REGION_ZONES = {
    "CA-AB": "America/Edmonton", "CA-MB": "America/Winnipeg", "CA-NB": "America/Moncton", "CA-NL": "America/St_Johns",
    "CA-NS": "America/Halifax", "CA-NT": "America/Yellowknife", "CA-PE": "America/Halifax", "CA-QC": "America/Toronto",
    "CA-SK": "America/Regina", "CA-YT": "America/Whitehorse", "AU-ACT": "Australia/Sydney",
    "AU-NT": "Australia/Darwin", "AU-QLD": "Australia/Brisbane", "AU-SA": "Australia/Adelaide",
    "AU-TAS": "Australia/Hobart", "AU-VIC": "Australia/Melbourne", "AU-WA": "Australia/Perth",
}  # fmt: skip
# Names people use, where ISO's own are for treaties.
SHORT_NAMES = {
    "BO": "Bolivia", "CD": "DR Congo", "FM": "Micronesia", "GB": "United Kingdom", "IR": "Iran", "KP": "North Korea",
    "KR": "South Korea", "LA": "Laos", "MD": "Moldova", "PS": "Palestine", "RU": "Russia", "SY": "Syria",
    "TW": "Taiwan", "TZ": "Tanzania", "VE": "Venezuela", "VN": "Vietnam",
}  # fmt: skip
MORE_FREE_MAIL = ("proton.me", "pm.me", "tutanota.com", "tuta.io", "hey.com", "btinternet.com", "duck.com", "shaw.ca")
# Pages of many companies: no company's own domain.
SHARED_HOSTS = (
    "facebook.com", "instagram.com", "linkedin.com", "twitter.com", "x.com", "youtube.com", "tiktok.com",
    "pinterest.com", "linktr.ee", "wixsite.com", "wordpress.com", "blogspot.com", "tumblr.com", "weebly.com",
    "squarespace.com", "webnode.com", "jimdo.com", "business.site", "godaddysites.com", "github.io", "medium.com",
    "yelp.com", "etsy.com", "amazonaws.com", "herokuapp.com", "azurewebsites.net", "t.me", "wa.me", "bit.ly",
    "goo.gl", "privaterelay.appleid.com",
)  # fmt: skip
RESERVED = ("example.com", "example.net", "example.org")  # RFC 2606: nobody's
# SIC divisions of 1987 as the nearest NAICS sector.
SIC_SECTORS = (
    (1, 9, "11"), (10, 14, "21"), (15, 17, "23"), (20, 39, "31-33"), (40, 47, "48-49"), (48, 48, "51"), (49, 49, "22"),
    (50, 51, "42"), (52, 57, "44-45"), (58, 58, "72"), (59, 59, "44-45"), (60, 64, "52"), (65, 65, "53"),
    (67, 67, "52"), (70, 70, "72"), (72, 72, "81"), (73, 73, "54"), (75, 76, "81"), (78, 78, "51"), (79, 79, "71"),
    (80, 80, "62"), (81, 81, "54"), (82, 82, "61"), (83, 83, "62"), (84, 84, "71"), (86, 86, "81"), (87, 87, "54"),
    (88, 88, "81"), (89, 89, "54"), (91, 97, "92"),
)  # fmt: skip


def us_postal_codes() -> Rows:
    """One row per US ZIP code of the civil post; the city as the Postal Service writes it, in title case."""
    import zipcodes

    return [
        {
            "postal_code": place["zip_code"],
            "city": place["city"],
            "region_code": f"US-{place['state']}",
            "county": place["county"] or None,
            "latitude_deg": float(place["lat"]),
            "longitude_deg": float(place["long"]),
            "time_zone": place["timezone"],
        }
        for place in sorted(zipcodes.list_all(), key=lambda place: place["zip_code"])
        if place["zip_code_type"] != "MILITARY" and "/" in place["timezone"] and float(place["lat"])
    ]


def countries() -> Rows:
    """One row per country: its English name, and its time zone where it has one, or nearly everybody lives in one."""
    import pycountry

    return [
        {
            "code": country.alpha_2,
            "name": SHORT_NAMES.get(country.alpha_2, getattr(country, "common_name", country.name)),
            "time_zone": _country_zone(country.alpha_2),
        }
        for country in sorted(pycountry.countries, key=lambda country: country.alpha_2)
    ]


def regions(places: Rows) -> Rows:
    """One row per ISO 3166-2 subdivision; the time zone where at least 95 % of its postal codes share it."""
    import pycountry

    zones: dict[str, Counter[str]] = defaultdict(Counter)
    for place in places:
        zones[place["region_code"]][place["time_zone"]] += 1
    single = {
        code: found.most_common(1)[0][0]
        for code, found in zones.items()
        if found.most_common(1)[0][1] >= 0.95 * found.total()
    }
    return [
        {"code": region.code, "name": region.name, "time_zone": {**single, **REGION_ZONES}.get(region.code)}
        for region in sorted(pycountry.subdivisions, key=lambda region: region.code)
    ]


def _country_zone(code: str) -> str | None:
    import pytz

    if code in MAIN_ZONES:
        return MAIN_ZONES[code]
    zones = list(pytz.country_timezones.get(code, ()))
    # The capital's zone comes first in the tz database; the others must show the same time the year round.
    offsets = {
        tuple(datetime(2026, month, 15, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 4, 7, 10)) for zone in zones
    }
    return zones[0] if len(offsets) == 1 else None


def mail_domains(free_mail: Path) -> Rows:
    """Domains that are no company's own: `free`, `disposable`, `shared` (hosts of many) or `reserved`."""
    from disposable_email_domains import blocklist

    disposable = {domain.lower() for domain in blocklist}
    free = {line.strip().lower() for line in free_mail.read_text(encoding="utf-8").splitlines() if "." in line}
    kinds = dict.fromkeys(free | set(MORE_FREE_MAIL), "free") | dict.fromkeys(disposable, "disposable")
    kinds |= dict.fromkeys(SHARED_HOSTS, "shared") | dict.fromkeys(RESERVED, "reserved")
    return [{"domain": domain, "kind": kind} for domain, kind in sorted(kinds.items())]


def public_suffixes() -> Rows:
    """Suffixes of several labels, and wildcards: `labels_beyond` more labels make a registrable domain."""
    text = resources.files("tldextract").joinpath(".tld_set_snapshot").read_text(encoding="utf-8")
    rows = []
    for line in text.splitlines():
        rule = line.split("//")[0].strip()
        if rule.startswith("*."):
            rows.append((rule[2:], 2))
        elif rule.startswith("!"):
            rows.append((rule[1:], 0))
        elif "." in rule:
            rows.append((rule, 1))
    found = {rule.encode("idna").decode("ascii"): beyond for rule, beyond in sorted(rows)}
    return [{"suffix": suffix, "labels_beyond": beyond} for suffix, beyond in sorted(found.items())]


def industry_codes(naics: Path) -> Rows:
    """NAICS 2022 codes of two to six digits and SIC codes of two, with the NAICS sector and the title as words."""
    rows: Rows = []
    with naics.open(encoding="utf-8-sig", newline="") as file:
        for line in csv.reader(file):
            code, title = (cell.strip() for cell in line[:2])
            if re.fullmatch(r"\d{2,6}(-\d\d)?", code):
                first, _, last = code.partition("-")
                for each in range(int(first), int(last or first) + 1):
                    rows.append({"system": "naics", "code": f"{each}", "sector": _sector(code), "title": _words(title)})
    for first, last, sector in SIC_SECTORS:
        rows += [{"system": "sic", "code": f"{n:02d}", "sector": sector, "title": None} for n in range(first, last + 1)]
    return rows


def _sector(code: str) -> str:
    ranges = dict.fromkeys(("31", "32", "33"), "31-33") | dict.fromkeys(("44", "45"), "44-45")
    ranges |= dict.fromkeys(("48", "49"), "48-49")
    return ranges.get(code[:2], code[:2])


def _words(title: str) -> str:
    # A trailing T marks a level in the Bureau's table; the words are what `industry_words` in SQL makes of a text.
    plain = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z)])T$", "", title)).encode("ascii", "ignore").decode()
    return " ".join(word for word in re.split(r"[^a-z0-9]+", plain.lower()) if word and word != "and")


def main() -> None:
    """Write every file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--free-mail", type=Path, required=True)
    parser.add_argument("--naics", type=Path, required=True)
    options = parser.parse_args()
    places = us_postal_codes()
    tables = {
        "us_postal_codes": places,
        "country_facts": countries(),
        "region_facts": regions(places),
        "mail_domains": mail_domains(options.free_mail),
        "public_suffixes": public_suffixes(),
        "industry_codes": industry_codes(options.naics),
        **phone_tables(),
    }
    for name, rows in tables.items():
        pq.write_table(
            pa.Table.from_pylist(rows),
            HERE / f"{name}.parquet",
            compression="zstd",
            compression_level=19,
            row_group_size=4096 if name == "us_postal_codes" else None,  # read in place: small batches skip groups
        )


if __name__ == "__main__":
    main()
