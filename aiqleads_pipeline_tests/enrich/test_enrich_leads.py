"""Stories of whole leads: everything that enrichment adds to them, and nothing else."""

from __future__ import annotations

from pathlib import Path

from duckdb import DuckDBPyConnection
from enrich_stories import AS_OF, Enriched, Validated

from aiqleads_pipeline.contract import ENRICHED_LEADS, FILLED_LEAD_COLUMNS, TABLES, pandera_schema
from aiqleads_pipeline.stages.enrich import enrich_leads

FULL = {
    "first_name": "Ann", "last_name": "Lee", "job_title": "VP Mktg", "email": "ann@shop.acme.co.uk",
    "email_domain": "shop.acme.co.uk", "phone_e164": "+12125551234", "company_name": "Acme", "website": "acme.io",
    "industry": "Plastics", "employee_count": 51, "annual_revenue_usd": 5e6, "postal_code": "10001-0042",
    "country": "US",
}  # fmt: skip


def test_a_full_lead(enriched: Enriched) -> None:
    assert enriched([FULL]) == [
        {
            "city": "New York", "region": "US-NY",
            "first_name_source": "given", "last_name_source": "given", "company_name_source": "given",
            "website_source": "given", "city_source": "postal_code", "region_source": "postal_code",
            "country_source": "given",
            "email_kind": "business", "email_kind_source": "email_domain",
            "phone_type": "fixed_line_or_mobile", "phone_type_source": "phone_number",
            "phone_country": "US", "phone_country_source": "phone_number",
            "time_zone": "America/New_York", "time_zone_source": "postal_code",
            "country_name": "United States", "country_name_source": "country",
            "region_name": "New York", "region_name_source": "region",
            "county": "New York County", "county_source": "postal_code",
            "latitude_deg": 40.7484, "latitude_deg_source": "postal_code",
            "longitude_deg": -73.9967, "longitude_deg_source": "postal_code",
            "company_domain": "acme.io", "company_domain_source": "website",
            "job_seniority": "vp", "job_seniority_source": "job_title",
            "job_function": "marketing", "job_function_source": "job_title",
            "industry_code": "31-33", "industry_code_source": "industry_text", "industry_confidence_share": 0.95,
            "employee_band": "51-200", "employee_band_source": "employee_count",
            "revenue_band": "1M-10M", "revenue_band_source": "annual_revenue_usd",
            "enrichment_status": "complete", "degraded": [],
        }
    ]  # fmt: skip


def test_a_lead_of_one_mail_address(enriched: Enriched) -> None:
    """Name, company, web site and sector are told by the address; nothing tells a place."""
    assert enriched([{"email": "jane.doe@acme-dental.com", "email_domain": "acme-dental.com"}]) == [
        {
            "first_name": "Jane", "first_name_source": "email", "last_name": "Doe", "last_name_source": "email",
            "company_name": "Acme Dental", "company_name_source": "domain",
            "website": "acme-dental.com", "website_source": "email_domain",
            "company_domain": "acme-dental.com", "company_domain_source": "email_domain",
            "email_kind": "business", "email_kind_source": "email_domain",
            "industry_code": "62", "industry_code_source": "domain", "industry_confidence_share": 0.48,
            "enrichment_status": "partial", "degraded": [],
        }
    ]  # fmt: skip


def test_a_lead_that_tells_nothing(enriched: Enriched) -> None:
    assert enriched([{"phone": "+18005550199", "last_name": "Lee"}]) == [
        {
            "last_name_source": "given", "industry_code": "unknown", "industry_confidence_share": 0.0,
            "enrichment_status": "none", "degraded": [],
        }
    ]  # fmt: skip


def test_switched_off_only_what_was_given_has_a_source(enriched: Enriched) -> None:
    assert enriched([FULL], enabled=False) == [
        {
            "first_name_source": "given", "last_name_source": "given", "company_name_source": "given",
            "website_source": "given", "country_source": "given",
            "enrichment_status": "none", "degraded": ["enrichment_disabled"],
        }
    ]  # fmt: skip


def test_given_values_are_never_overwritten(enriched: Enriched) -> None:
    """Every column that could be filled is given, and contradicts what the rest of the lead tells."""
    given = {
        "first_name": "Bo", "last_name": "Wu", "company_name": "Other", "website": "other.org", "city": "Elsewhere",
        "region": "DE-BE", "country": "DE", "email": "jane.doe@acme.com", "email_domain": "acme.com",
        "postal_code": "10001", "phone_e164": "+12125551234",
    }  # fmt: skip
    (lead,) = enriched([given])
    assert set(lead) & set(given) == set()
    assert {lead[f"{name}_source"] for name in FILLED_LEAD_COLUMNS} == {"given"}
    assert (lead["time_zone"], lead["time_zone_source"], lead.get("county")) == ("Europe/Berlin", "country", None)


def test_every_filled_field_names_its_source_and_no_empty_one_does(
    con: DuckDBPyConnection, validated: Validated
) -> None:
    rows = [FULL, {"email": "jane.doe@acme-dental.com", "email_domain": "acme-dental.com"}, {"last_name": "Lee"}]
    result = enrich_leads(con, validated(rows), as_of=AS_OF)
    frame = result.to_arrow_table().to_pandas()
    pandera_schema("enriched_leads").validate(frame)
    sources = [name for name in ENRICHED_LEADS.column_names if name.endswith("_source") and name != "lead_source"]
    wrong = {
        source
        for source in sources
        if (frame[source].notna() != _is_filled(frame, source.removesuffix("_source"))).any()
    }
    assert (len(sources), wrong) == (27, set())


def _is_filled(frame: object, field: str) -> object:
    column = frame[field]  # type: ignore[index]
    return column.notna() & (column != "unknown")


def test_no_lead_is_lost_or_doubled(con: DuckDBPyConnection, validated: Validated, tmp_path: Path) -> None:
    rows = [FULL | {"email": f"p{number}@acme.io", "phone_e164": f"+1212555{number:04d}"} for number in range(3000)]
    enrich_leads(con, validated(rows), as_of=AS_OF).write_parquet(str(tmp_path / "enriched.parquet"))
    counted = con.sql(
        f"SELECT count(*), count(DISTINCT lead_id), min(row_number), max(row_number) FROM '{tmp_path}/enriched.parquet'"
    )
    assert counted.fetchall() == [(3000, 3000, 1, 3000)]


def test_an_empty_batch_gives_an_empty_table(con: DuckDBPyConnection, validated: Validated) -> None:
    empty = validated([FULL]).filter("false")
    for enabled in (True, False):
        result = enrich_leads(con, empty, as_of=AS_OF, enabled=enabled)
        assert (result.columns, result.fetchall()) == (TABLES["enriched_leads"].column_names, [])


def test_a_second_batch_on_one_connection_sees_only_its_own_facts(enriched: Enriched) -> None:
    first = enriched([{"last_name": "A", "job_title": "CTO", "industry": "Plastics"}])
    second = enriched([{"last_name": "A", "job_title": "Nurse", "industry": "Banking"}])
    assert [(row["job_seniority"], row["industry_code"]) for row in first + second] == [
        ("c_level", "31-33"),
        ("staff", "52"),
    ]


EMPLOYEES = {
    None: None, 0: None, 1: "1-10", 10: "1-10", 11: "11-50", 50: "11-50", 51: "51-200", 201: "201-500", 501: "501-1000",
    1000: "501-1000", 1001: "1001-5000", 5001: "5001-10000", 10001: "10001+",
}  # fmt: skip
REVENUES = {
    None: None, 0: None, 1: "<1M", 999_999: "<1M", 1e6: "1M-10M", 1e7: "10M-50M", 5e7: "50M-100M", 1e8: "100M-500M",
    5e8: "500M-1B", 1e9: "1B+",
}  # fmt: skip


def test_bands(enriched: Enriched) -> None:
    for column, field, bands in (
        ("employee_count", "employee_band", EMPLOYEES),
        ("annual_revenue_usd", "revenue_band", REVENUES),
    ):
        leads = enriched([{"last_name": "A", column: value} for value in bands])
        told = [(lead.get(field), lead.get(f"{field}_source")) for lead in leads]
        assert told == [(band, column if band else None) for band in bands.values()]
