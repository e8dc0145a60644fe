"""Insights: counts that add up, rates that are shrunk, recommendations for owners, each owner sees his own."""

from __future__ import annotations

import json

import dagster as dg
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from aiqleads_pipeline.automation.watching import build_insights_sensor
from aiqleads_pipeline.commands import insights_cli
from aiqleads_pipeline.doors.insights import read_mart
from aiqleads_pipeline.marts import CLAIMS, MARTS, forget_old_versions, mart_inputs
from aiqleads_pipeline.stages.engine import open_engine, run_sql

CALLED = (
    "INSERT INTO aiqleads.provider_calls (call_id, provider, kind, started_at, seconds, outcome, is_probe, keys_count, "
    "known_count, facts_count, refused_facts_count, cost_usd) "
    "VALUES (gen_random_uuid(), 'zero', 'email', :now, 0.1, 'answered', false, 2, 2, 3, 1, 0)"
)
SAID = (
    "INSERT INTO aiqleads.enrichment_additions "
    "(lead_id, field, value, provider, confidence_share, cost_usd, answered_at, added_at) "
    "VALUES (:lead, :field, :value, 'zero', 1, 0, :now, :now)"
)


@pytest.fixture(scope="module")
def run(firm):  # type: ignore[no-untyped-def]
    """The run that made all marts; a provider was asked about two leads before, and one address bounced."""
    leads = [firm.lead_id(f"p{i}@{source}{i}-company.com") for i, source in ((1, "fair"), (2, "ads"))]
    now = firm.outside.settings.now()
    with firm.outside.store.transaction("test") as con:
        con.execute(text(CALLED), {"now": now})
        con.execute(text("INSERT INTO aiqleads.provider_spend VALUES ('zero', '2026-01-01', 2.5)"))
        for lead, field, value in ((leads[0], "city", "Rome"), (leads[1], "email_status", "invalid")):
            con.execute(text(SAID), {"lead": lead, "now": now, "field": field, "value": value})
    done = firm.defs.resolve_job_def("renew_insights").execute_in_process(instance=firm.instance)
    assert done.success
    return done


@pytest.fixture(scope="module")
def marts(firm, run):  # type: ignore[no-untyped-def]
    """The marts, once all were made."""
    return {name: read_mart(firm.outside, firm.outside.settings, name)["rows"] for name in MARTS}


def test_every_mart_holds_its_claims_and_is_shown_in_pictures(run) -> None:  # type: ignore[no-untyped-def]
    checks = {check.check_name: check.passed for check in run.get_asset_check_evaluations()}
    assert checks == dict.fromkeys(CLAIMS, True)
    shown = {
        event.asset_key.to_user_string(): {key for key in event.materialization.metadata if key.startswith("picture_")}
        for event in run.filter_events(lambda event: event.event_type_value == "ASSET_MATERIALIZATION")
    }
    assert shown.keys() == set(MARTS)
    assert {f"picture_conversion_by_{what}" for what in ("score_band", "source", "owner", "rule")} <= shown[
        "conversion_rates"
    ]
    assert {"picture_bounced_share", "picture_duplicate_share", "picture_valid_share"} <= shown["source_value"]
    assert all(shown.values())


@pytest.mark.parametrize(
    ("claim", "wrong"),
    [
        ("every_source_has_its_value", "* REPLACE (1.5 AS won_share)"),
        ("providers_shares_are_shares", "* REPLACE (-0.1 AS bounced_share)"),
        ("conversion_adds_up", "* REPLACE (leads_count + 1 AS leads_count)"),
        ("recommended_leads_are_open_and_their_owners", "* REPLACE ('nobody' AS owner)"),
        ("the_market_is_all_leads", "* REPLACE (leads_count + 1 AS leads_count)"),
    ],
)
def test_a_mart_that_breaks_its_claim_is_found(firm, run, claim, wrong) -> None:  # type: ignore[no-untyped-def]
    with open_engine(firm.outside.settings) as con:
        inputs = mart_inputs(con, firm.outside)
        mart = firm.outside.lake.read(con, CLAIMS[claim], firm.outside.lake.batches(CLAIMS[claim])[-1])
        assert run_sql(con, f"checks/{claim}", **inputs, mart=mart).fetchall() == []
        assert run_sql(con, f"checks/{claim}", **inputs, mart=mart.project(wrong)).fetchall() != []


def test_a_provider_is_worth_what_became_of_the_leads_it_told_of(marts) -> None:  # type: ignore[no-untyped-def]
    [zero] = marts["provider_value"]
    assert (zero["provider"], zero["calls_count"], zero["facts_used_count"], zero["cost_usd"]) == ("zero", 1, 2, 2.5)
    assert (zero["leads_count"], zero["closed_count"], zero["bounced_count"]) == (2, 2, 1)
    assert zero["cost_per_lead_usd"] == 1.25
    assert 0.5 < zero["valid_share"] < 1  # 3 of 4 facts were valid
    assert 0 < zero["bounced_share"] < 0.1  # 1 of 2, shrunk


def test_sources_are_worth_what_became_of_their_leads(marts) -> None:  # type: ignore[no-untyped-def]
    value = {row["source"]: row for row in marts["source_value"]}
    assert value["fair"]["received_count"] >= 121
    assert value["fair"]["rejected_count"] == 1
    for row in value.values():
        assert row["received_count"] == row["rejected_count"] + row["duplicates_count"] + row["accepted_count"]
    assert (value["fair"]["bounced_count"], value["ads"]["bounced_count"]) == (0, 1)
    assert value["ads"]["bounced_share"] > value["fair"]["bounced_share"] > 0
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


def test_the_first_insights_are_made_when_they_are_asked_for(firm, marts, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("aiqleads_pipeline.outside.open_outside", lambda: firm.outside)
    for version in firm.outside.lake.batches("market_insights"):
        firm.outside.lake.remove("market_insights", version)
    asked = CliRunner().invoke(insights_cli.app, ["show", "market_insights", "--json"])
    assert asked.exit_code == 0
    assert "making the first ones" in asked.stderr
    assert json.loads(asked.stdout)["rows"] == marts["market_insights"]
    shown = CliRunner().invoke(insights_cli.app, ["show", "source_value"])
    assert {line.split()[0] for line in shown.stdout.splitlines()[:-1]} == {"source", "fair", "ads"}
    assert CliRunner().invoke(insights_cli.app, ["show", "raw_leads"]).exit_code == 2


def test_the_first_insights_are_asked_for_when_leads_were_routed(firm, marts) -> None:  # type: ignore[no-untyped-def]
    sensor = build_insights_sensor(firm.outside.settings)
    with dg.build_sensor_context(instance=firm.instance, definitions=firm.defs) as context:
        assert isinstance(sensor(context), dg.SkipReason)
        for version in firm.outside.lake.batches("source_value"):
            firm.outside.lake.remove("source_value", version)
        first, again = sensor(context), sensor(context)
    assert isinstance(first, dg.RunRequest) and isinstance(again, dg.RunRequest)
    assert first.run_key == again.run_key


def test_old_versions_are_forgotten_and_the_newest_stays(firm, marts) -> None:  # type: ignore[no-untyped-def]
    lake = firm.outside.lake
    with open_engine(firm.outside.settings) as con:
        for version in ("20200101T000000000000Z", "20200102T000000000000Z"):
            lake.write(con.sql("SELECT 1 AS x"), "provider_value", version)
    newest = lake.batches("provider_value")[-1]
    assert forget_old_versions(firm.outside, "provider_value") == 2
    assert lake.batches("provider_value")[-1] == newest
    assert forget_old_versions(firm.outside, "provider_value") == 0
