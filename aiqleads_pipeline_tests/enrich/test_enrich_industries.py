"""Sectors from industry texts, company names and domains, as truth tables."""

from __future__ import annotations

import csv
from pathlib import Path

from duckdb import DuckDBPyConnection
from enrich_stories import Enriched

from aiqleads_pipeline.contract import NAICS_SECTORS
from aiqleads_pipeline.stages.engine import REFERENCE_DIR

INDUSTRIES: dict[str, tuple[str, float]] = {
    "Plastics": ("31-33", 0.95),
    "Glass / Ceramics / Concrete": ("31-33", 0.95),
    "Hospital & Health Care": ("62", 0.95),
    "HOSPITAL_HEALTH_CARE": ("62", 0.95),
    "Computer Software": ("51", 0.95),
    "COMPUTER_SOFTWARE": ("51", 0.95),
    "information technology and services": ("54", 0.95),
    "Custom Computer Programming Services": ("54", 0.95),
    "Soybean Farming": ("11", 0.95),
    "541511": ("54", 0.95),
    "541511 - Custom Computer Programming Services": ("54", 0.95),
    "31-33": ("31-33", 0.95),
    "45": ("44-45", 0.95),
    "NAICS 52": ("52", 1.0),
    "SIC 5812": ("72", 1.0),
    "SIC Code: 7372": ("54", 1.0),
    "5411": ("54", 0.6),
    "Software for car dealers": ("51", 0.7),
    "Auto care": ("81", 0.8),
    "Manufacture of glass": ("31-33", 0.7),
    "Zahnarztpraxis": ("62", 0.8),
    "Scarecrows": ("unknown", 0.0),
    "Other Industry": ("unknown", 0.0),
    "99": ("unknown", 0.0),
}
COMPANIES: dict[str, tuple[str, float]] = {
    "Smile Dental Clinic": ("62", 0.64),
    "First National Bank": ("52", 0.56),
    "Hill & Sons Construction LLC": ("23", 0.56),
    "Bank of New York": ("52", 0.64),
    "University Hospital": ("62", 0.64),
    "Careful Carpets": ("unknown", 0.0),
    "Banks, Mills and Flowers": ("unknown", 0.0),
    "Acme": ("unknown", 0.0),
}
DOMAINS: dict[str, tuple[str, float]] = {
    "mit.edu": ("61", 0.9),
    "ox.ac.uk": ("61", 0.9),
    "cs.ox.ac.uk": ("61", 0.9),
    "irs.gov": ("92", 0.95),
    "acme.bank": ("52", 0.9),
    "acme-dental.com": ("62", 0.48),
    "smithplumbing.com": ("23", 0.42),
    "burbank.com": ("unknown", 0.0),
    "dental.github.io": ("62", 0.48),
    "gmail.com": ("unknown", 0.0),
}


def test_industry_texts(enriched: Enriched) -> None:
    assert _told(enriched, "industry", INDUSTRIES) == INDUSTRIES


def test_company_names(enriched: Enriched) -> None:
    assert _told(enriched, "company_name", COMPANIES) == COMPANIES


def test_domains(enriched: Enriched) -> None:
    assert _told(enriched, "email_domain", DOMAINS) == DOMAINS


def test_the_industry_text_beats_the_name_and_the_name_beats_the_domain(enriched: Enriched) -> None:
    lead = {"email_domain": "acme.edu", "company_name": "Acme Bank", "industry": "Plastics"}
    told = enriched([lead, lead | {"industry": "?"}, lead | {"industry": None, "company_name": "Acme"}])
    assert [(row["industry_code"], row["industry_code_source"]) for row in told] == [
        ("31-33", "industry_text"),
        ("52", "company_name"),
        ("61", "domain"),
    ]


def test_every_industry_of_a_public_list_has_a_sector(enriched: Enriched, shared_data: Path) -> None:
    with (shared_data / "leads" / "datablist" / "organizations-10000.csv").open(encoding="utf-8") as file:
        industries = sorted({row["Industry"] for row in csv.DictReader(file)})
    leads = enriched([{"last_name": "A", "industry": industry} for industry in industries])
    unknown = [name for name, lead in zip(industries, leads, strict=True) if lead.get("industry_code_source") is None]
    assert (len(industries), unknown) == (147, ["Other Industry"])


def test_the_kept_lists_of_industries_are_sound(con: DuckDBPyConnection) -> None:
    for name in ("industry_names", "industry_words", "domain_endings"):
        with (REFERENCE_DIR / f"{name}.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert {row["sector"] for row in rows} <= set(NAICS_SECTORS)
        assert [row for row in rows if not 0 < float(row["confidence_share"]) <= 1] == []
    names = con.sql(f"""
        SELECT enrich_words(name), list(DISTINCT sector)
        FROM read_csv('{REFERENCE_DIR}/industry_names.csv', header = true, all_varchar = true)
        GROUP BY ALL HAVING count(DISTINCT sector) > 1
    """)
    words = con.sql(f"""
        SELECT words FROM read_csv('{REFERENCE_DIR}/industry_words.csv', header = true, all_varchar = true)
        GROUP BY words HAVING count(*) > 1 OR any_value(words) <> enrich_words(any_value(words))
            OR len(string_split(any_value(words), ' ')) > 3
    """)
    assert (names.fetchall(), words.fetchall()) == ([], [])


def _told(enriched: Enriched, column: str, expected: dict[str, tuple[str, float]]) -> dict[str, tuple[str, float]]:
    leads = enriched([{"last_name": "A", column: value} for value in expected])
    told = [(lead["industry_code"], lead["industry_confidence_share"]) for lead in leads]
    return dict(zip(expected, told, strict=True))
