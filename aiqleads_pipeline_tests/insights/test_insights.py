"""Insights: counts that add up, rates that are shrunk, recommendations for owners, each owner sees his own."""

from __future__ import annotations

import pytest

from aiqleads_pipeline.doors.insights import read_mart


@pytest.fixture(scope="module")
def marts(firm):  # type: ignore[no-untyped-def]
    """The marts, once all were made."""
    assert firm.defs.resolve_job_def("renew_insights").execute_in_process(instance=firm.instance).success
    names = ("source_value", "conversion_rates", "recommended_leads", "market_insights")
    return {name: read_mart(firm.outside, firm.outside.settings, name)["rows"] for name in names}


def test_sources_are_worth_what_became_of_their_leads(marts) -> None:  # type: ignore[no-untyped-def]
    value = {row["source"]: row for row in marts["source_value"]}
    assert value["fair"]["received_count"] >= 121
    assert value["fair"]["rejected_count"] == 1
    assert (value["fair"]["closed_count"], value["ads"]["closed_count"]) == (80, 80)
    assert value["fair"]["won_share"] > value["ads"]["won_share"]
    raw = value["fair"]["won_count"] / 80
    assert value["fair"]["won_share"] < raw  # shrunk towards the mean


def test_conversion_by_band_source_owner_and_rule_adds_up(marts) -> None:  # type: ignore[no-untyped-def]
    rows = marts["conversion_rates"]
    assert {row["what"] for row in rows} == {"score_band", "source", "owner", "rule"}
    counts = {what: sum(row["leads_count"] for row in rows if row["what"] == what) for what in ("score_band", "source")}
    assert counts["score_band"] == counts["source"]
    revenue = {
        what: sum(row["revenue_usd"] for row in rows if row["what"] == what) for what in ("score_band", "source")
    }
    assert revenue["score_band"] == revenue["source"] > 0


def test_each_owner_is_recommended_open_leads_of_his_own(firm, marts) -> None:  # type: ignore[no-untyped-def]
    rows = marts["recommended_leads"]
    routed = {str(lead): owner for lead, owner in firm.rows("routed_leads", "lead_id", "owner")}
    assert rows
    for row in rows:
        assert routed[row["lead_id"]] == row["owner"]
        assert 1 <= row["place"] <= 20
    emails = {str(lead): email for lead, email in firm.rows("enriched_leads", "lead_id", "email")}
    closed = {f"p{i}@{source}{i}-company.com" for source in ("fair", "ads") for i in range(80)}
    assert not {emails[row["lead_id"]] for row in rows} & closed


def test_the_market_is_told_by_territory_industry_and_week(marts) -> None:  # type: ignore[no-untyped-def]
    rows = marts["market_insights"]
    assert len({(row["territory"], row["industry_code"], row["week_date"]) for row in rows}) == len(rows)
    assert all(0 <= row["scarcity_share"] < 1 for row in rows)


def test_recommendations_of_one_owner_are_his_whatever_he_is_called(firm, marts) -> None:  # type: ignore[no-untyped-def]
    owner = marts["recommended_leads"][0]["owner"]
    found = read_mart(firm.outside, firm.outside.settings, "recommended_leads", owner)["rows"]
    assert {row["owner"] for row in found} == {owner}
    assert read_mart(firm.outside, firm.outside.settings, "recommended_leads", "x' OR true --")["rows"] == []
