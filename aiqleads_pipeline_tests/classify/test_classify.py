"""``classify_leads``: truth tables of size, territory and priority."""

from __future__ import annotations

from typing import Any

import pytest
from duckdb import DuckDBPyConnection

from aiqleads_pipeline.contract import CLASSIFIED_LEADS
from aiqleads_pipeline.rules.priorities import load_priorities
from aiqleads_pipeline.rules.territories import load_territories
from aiqleads_pipeline.stages.classify import classify_leads, default_classes

TERRITORIES = """
    territories:
      - {id: usa, name: USA, countries: [US]}
      - {id: usa_large, name: Large, countries: [US], sizes: [enterprise]}
      - {id: usa_large_software, name: Large software, countries: [US], sizes: [enterprise], industries: ["51"]}
      - {id: texas, name: Texas, regions: [US-TX]}
      - {id: california, name: California, regions: [US-CA], postal_codes: {US: ["9"]}}
      - {id: bay, name: Bay Area, postal_codes: {US: ["94", "950"], GB: ["SW1A"]}}
      - {id: bay_software, name: Bay software, postal_codes: {US: ["941"]}, industries: ["51"]}
      - {id: named, name: Named accounts, accounts: [Acme.com], countries: [LU]}
      - {id: government, name: Government, countries: ["*"], industries: ["92"]}
    default: {id: nobody, name: Nobody}
"""


@pytest.fixture
def classified(con: DuckDBPyConnection, lead_tables, write_rules, delivered_rules):  # type: ignore[no-untyped-def]
    """``classified(lead, ...)``: rows of CLASSIFIED_LEADS by the territories above and the delivered priorities."""

    def classify(*leads: dict[str, Any], territories: str = TERRITORIES) -> list[dict[str, Any]]:
        enriched, scored = lead_tables(*leads)
        rules = load_territories(write_rules("territories.yaml", territories))
        relation = classify_leads(con, enriched, scored, load_priorities(delivered_rules), rules).order("lead_id")
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]

    return classify


def test_the_table_is_the_contracts(con, lead_tables, delivered_rules) -> None:  # type: ignore[no-untyped-def]
    enriched, scored = lead_tables({})
    wanted = {column.name: column.type for column in CLASSIFIED_LEADS.columns}
    priorities, territories = load_priorities(delivered_rules), load_territories(delivered_rules)
    for relation in (classify_leads(con, enriched, scored, priorities, territories), default_classes(con, enriched)):
        assert dict(zip(relation.columns, map(str, relation.types), strict=True)) == wanted


def test_a_lead_of_which_nothing_is_known_gets_stated_defaults(classified) -> None:  # type: ignore[no-untyped-def]
    (row,) = classified({})
    del row["lead_id"]
    assert row == {
        "batch_id": "b1", "industry_code": "unknown", "industry_name": "Unknown", "size_segment": "unknown",
        "priority": "P4", "priority_rule": "everything_else", "territory": "nobody", "territory_matched_on": "default",
        "defaults_applied": ["industry", "size", "territory"], "degraded": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lead", "segment"),
    [
        ({"employee_count": 0}, "micro"), ({"employee_count": 10}, "micro"), ({"employee_count": 11}, "small"),
        ({"employee_count": 200}, "small"), ({"employee_count": 201}, "mid_market"),
        ({"employee_count": 1000}, "mid_market"),
        ({"employee_count": 1001}, "enterprise"), ({"employee_band": "1-10"}, "micro"),
        ({"employee_band": "51-200"}, "small"),
        ({"employee_band": "501-1000"}, "mid_market"), ({"employee_band": "1001-5000"}, "enterprise"),
        ({"employee_band": "10001+"}, "enterprise"), ({"annual_revenue_usd": 999_999}, "micro"),
        ({"annual_revenue_usd": 50_000_000}, "mid_market"), ({"revenue_band": "500M-1B"}, "enterprise"),
        ({"revenue_band": "<1M"}, "micro"),
        ({"employee_count": 5, "annual_revenue_usd": 1e12}, "micro"), ({}, "unknown"),
    ],
)  # fmt: skip
def test_size_by_employees_else_by_revenue(classified, lead, segment) -> None:  # type: ignore[no-untyped-def]
    (row,) = classified(lead)
    assert row["size_segment"] == segment
    assert ("size" in row["defaults_applied"]) == (segment == "unknown")


@pytest.mark.parametrize(
    ("lead", "territory", "matched_on"),
    [
        ({"country": "US"}, "usa", "country"),
        ({"country": "US", "employee_count": 5000}, "usa_large", "country"),
        ({"country": "US", "employee_count": 5000, "industry_code": "51"}, "usa_large_software", "country"),
        ({"country": "US", "employee_count": 50, "industry_code": "51"}, "usa", "country"),
        ({"country": "US", "region": "US-TX", "employee_count": 5000}, "texas", "region"),
        ({"country": "US", "region": "US-NV"}, "usa", "country"),
        ({"region": "US-NV"}, "usa", "country"),  # the region tells the country
        ({"country": "US", "region": "US-TX", "postal_code": "94103"}, "bay", "postal_code"),
        ({"country": "US", "postal_code": "90001"}, "california", "postal_code"),
        ({"country": "US", "postal_code": "95012-1234"}, "bay", "postal_code"),
        ({"country": "US", "postal_code": "95112"}, "california", "postal_code"),
        ({"country": "US", "postal_code": "94103", "industry_code": "51"}, "bay_software", "postal_code"),
        ({"country": "US", "postal_code": "94203", "industry_code": "51"}, "bay", "postal_code"),
        ({"country": "GB", "postal_code": "sw1a 1aa"}, "bay", "postal_code"),
        ({"country": "GB", "postal_code": "SW1B 1AA"}, "nobody", "default"),
        ({"country": "DE", "postal_code": "94103"}, "nobody", "default"),
        ({"postal_code": "94103"}, "nobody", "default"),  # whose postal code is it?
        ({"country": "US", "postal_code": "94103", "company_domain": "acme.com"}, "named", "account"),
        ({"country": "DE", "company_domain": "acme.com.example"}, "nobody", "default"),
        ({"country": "LU"}, "named", "country"),
        ({"country": "DE", "industry_code": "92"}, "government", "worldwide"),
        ({"industry_code": "92"}, "government", "worldwide"),
        ({"country": "US", "industry_code": "92"}, "usa", "country"),
        ({}, "nobody", "default"),
    ],
)
def test_the_most_specific_claim_wins(classified, lead, territory, matched_on) -> None:  # type: ignore[no-untyped-def]
    (row,) = classified(lead)
    assert (row["territory"], row["territory_matched_on"]) == (territory, matched_on)
    assert ("territory" in row["defaults_applied"]) == (matched_on == "default")


def test_leads_in_one_table_don_t_disturb_each_other(classified) -> None:  # type: ignore[no-untyped-def]
    codes = ["94103", "90001", None, "95012", "10001"]
    rows = classified(*({"country": "US", "postal_code": code} for code in codes))
    assert [row["territory"] for row in rows] == ["bay", "california", "usa", "bay", "usa"]


def test_without_territories_everything_is_nobodys(classified) -> None:  # type: ignore[no-untyped-def]
    (row,) = classified({"country": "US", "postal_code": "94103"}, territories="default: {id: nobody, name: Nobody}")
    assert (row["territory"], row["territory_matched_on"]) == ("nobody", "default")


@pytest.mark.parametrize(
    ("lead", "priority", "rule"),
    [
        ({"lead_score": 75}, "P1", "top_score"),
        ({"lead_score": 74.99}, "P2", "good_score"),
        ({"lead_score": 65, "intent_score": 55, "segment_fit_score": 60}, "P1", "buying_and_fitting"),
        ({"lead_score": 64.9, "intent_score": 55, "segment_fit_score": 60}, "P2", "good_score"),
        ({"lead_score": 55, "employee_count": 5000, "job_seniority": "vp"}, "P1", "large_decision_maker"),
        ({"lead_score": 55, "employee_count": 50, "job_seniority": "vp"}, "P3", "fair_score"),
        ({"lead_score": 55, "employee_count": 5000}, "P3", "fair_score"),
        ({"lead_score": 55, "conversion_prob": 0.4}, "P2", "likely_to_convert"),
        ({"lead_score": 30, "intent_score": 60}, "P2", "asks_to_buy"),
        ({"lead_score": 45}, "P3", "fair_score"),
        ({"lead_score": 44.99}, "P4", "everything_else"),
        ({"lead_score": 99, "email_kind": "disposable"}, "P4", "throwaway_mailbox"),
    ],
)
def test_the_first_row_that_holds_gives_the_priority(classified, lead, priority, rule) -> None:  # type: ignore[no-untyped-def]
    (row,) = classified(lead)
    assert (row["priority"], row["priority_rule"]) == (priority, rule)


def test_text_of_the_rules_is_data_and_never_sql(con, lead_tables, write_rules, delivered_rules) -> None:  # type: ignore[no-untyped-def]
    folder = write_rules(
        "priorities.yaml",
        """
        size_segments:
          micro: {employees: 0, revenue_usd: 0}
          small: {employees: 10, revenue_usd: 10}
          mid_market: {employees: 20, revenue_usd: 20}
          enterprise: {employees: 30, revenue_usd: 30}
        rows:
          - {id: odd, when: {source: ["it's a \\"test\\"; --", "%"]}, priority: P1}
          - {id: rest, priority: P4}
        """,
    )
    enriched, scored = lead_tables({"source": 'it\'s a "test"; --'}, {"source": "web"})
    rules = load_territories(delivered_rules)
    rows = (
        classify_leads(con, enriched, scored, load_priorities(folder), rules).order("lead_id").project("priority_rule")
    )
    assert rows.fetchall() == [("odd",), ("rest",)]


def test_default_classes_say_that_classifying_failed(con, lead_tables) -> None:  # type: ignore[no-untyped-def]
    enriched, _ = lead_tables({"country": "US"}, {})
    relation = default_classes(con, enriched)
    rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    assert len(rows) == 2
    for row in rows:
        assert row["degraded"] == ["classification_failed"]
        assert row["defaults_applied"] == ["industry", "size", "priority", "territory"]
        assert (row["priority"], row["territory"]) == ("P3", "unassigned")
