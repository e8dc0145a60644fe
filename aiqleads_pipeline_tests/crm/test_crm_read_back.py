"""Read back: what the CRM holds against what was sent, what is mended, and outcomes on their usual way."""

import csv
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import text

from aiqleads_pipeline.assets.batch_run import BatchRuns
from aiqleads_pipeline.assets.crm_read_back import TABLE, crm_read_back
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline_tests.crm.conftest import parcel, told
from resources.store import crm as ledger
from resources.store.deliveries import list_deliveries

SECRETS = ("client_id", "client_secret", "access_token")


@pytest.fixture
def reading(workshop, box, monkeypatch):
    """Runs the asset for the enabled destination of a kind, as if all had been sent an hour ago."""
    for kind in ("salesforce", "hubspot"):
        for name in SECRETS:
            if name in box.credentials[kind]:
                monkeypatch.setenv(f"AIQLEADS_SECRET__{kind}_{name}".upper(), box.credentials[kind][name])
    settings = workshop.outside.settings
    empty_bucket(workshop)

    def read(kind, repair=True):
        rules = f"destinations:\n  - {{name: {kind}, kind: {kind}}}\n"
        (settings.rules_dir / "destinations.yaml").write_text(rules, encoding="utf-8")
        with workshop.store.engine.begin() as con:
            con.execute(text("UPDATE aiqleads.crm_records SET sent_at = sent_at - interval '1 hour'"))
        result = dg.materialize(
            [crm_read_back],
            resources={"runs": BatchRuns(settings)},
            run_config={"ops": {"crm_read_back": {"config": {"repair": repair}}}},
            selection=dg.AssetSelection.assets("crm_read_back"),
        )
        return result.asset_materializations_for_node("crm_read_back")[0].metadata

    return read


def empty_bucket(workshop):
    for file in (workshop.outside.settings.home / "bucket").rglob("*.csv"):
        file.unlink()


def sent(workshop, kind, parcels, **rules):
    """Deliver, and leave the outbox as the worker would."""
    destination = workshop.build(kind, **rules)
    receipts = destination.deliver(parcels, timeout_seconds=30)
    assert set(told(receipts)) == {"delivered"}
    with workshop.store.engine.begin() as con:
        con.execute(
            text(
                "INSERT INTO aiqleads.outbox (delivery_id, lead_id, batch_id, destination, priority, state, attempts, "
                "external_id, created_at) SELECT delivery_id, lead_id, 'b', destination, 2, 'delivered', 1, "
                "external_id, sent_at FROM aiqleads.crm_records"
            )
        )
    return destination, {each.delivery_id: receipt.external_id for each, receipt in zip(parcels, receipts, strict=True)}


def rows(workshop):
    outside = workshop.outside
    with open_engine(outside.settings) as con:
        table = outside.lake.read(con, TABLE, f"{outside.settings.now():%Y%m%d}")
        found = table.project("lead_id, state, differing_fields, is_repaired, result, revenue_usd").fetchall()
    return {row[0]: row[1:] for row in found}


def drops(workshop):
    (file,) = (workshop.outside.settings.home / "bucket/uploads/outcomes").glob("*.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        return {row["lead_id"]: row for row in csv.DictReader(lines)}


def pending(workshop):
    return {each.delivery_id for each in list_deliveries(workshop.store, state="pending")}


CHANGES = {
    "salesforce": ("Lead", "City", "fields", "object"),
    "hubspot": ("contacts", "city", "properties", "type"),
}


@pytest.mark.parametrize("kind", ["salesforce", "hubspot"])
def test_what_differs_is_found_and_sent_again_within_bounds(kind, workshop, box, reading):
    parcels = [parcel(number) for number in range(6)]
    destination, ids = sent(workshop, kind, parcels, read_back={"max_repairs": 2, "max_repairs_per_record": 1})
    of, city, values, what = CHANGES[kind]
    his = {"salesforce": {"Rating": "Hot"}, "hubspot": {"lifecyclestage": "customer"}}[kind]
    for number in (0, 1):
        box.act(kind, "edit", **{what: of, "id": ids[parcels[number].delivery_id], values: {city: "Elsewhere"} | his})
    box.act(kind, "edit", **{what: of, "id": ids[parcels[3].delivery_id], values: his})  # theirs to change
    box.act(kind, "delete", **{what: of, "id": ids[parcels[2].delivery_id]})
    metadata = reading(kind)
    found = rows(workshop)
    leads = [str(each.lead_id) for each in parcels]
    assert [found[lead][0] for lead in leads] == ["differs", "differs", "missing", "same", "same", "same"]
    assert found[leads[0]][1] == [city]
    told_of = metadata["by_destination"].value[kind]
    counts = ("sent_count", "held_count", "compared_count", "repaired_count", "left_count")
    assert [told_of[name] for name in counts] == [6, 5, 6, 2, 1]
    again = [each for each in parcels if each.delivery_id in pending(workshop)]
    assert len(again) == 2
    assert set(told(destination.deliver(again, timeout_seconds=10))) == {"delivered"}
    with workshop.store.engine.begin() as con:
        con.execute(text("UPDATE aiqleads.outbox SET state = 'delivered', next_attempt_at = NULL"))
    # The third comes on the second day; on the third all is as it was sent, but for what is theirs.
    assert reading(kind)["repaired_count"].value == 1
    last = [each for each in parcels if each.delivery_id in pending(workshop)]
    assert set(told(destination.deliver(last, timeout_seconds=10))) == {"delivered"}
    assert reading(kind)["same_count"].value == 6
    kinds = {"salesforce": "Lead", "hubspot": "contacts"}
    held = box.records(kind, kinds[kind])
    flat = [each if kind == "salesforce" else each["properties"] for each in held]
    assert len(flat) == 6
    ours = {str(each["AIQLeads_Id__c" if kind == "salesforce" else "aiqleads_lead_id"]): each for each in flat}
    assert ours[leads[0]].items() >= his.items()


def test_how_leads_ended_in_salesforce_goes_the_way_of_outcomes(workshop, box, reading):
    parcels = [parcel(number) for number in range(5)]
    _, ids = sent(workshop, "salesforce", parcels, owners={"ann": "005000000000001AAA", "bob": "005000000000003AAA"})
    box.configure("salesforce", writable=["IsConverted", "ConvertedOpportunityId", "ConvertedDate"])

    def edit(number, **fields):
        box.act("salesforce", "edit", object="Lead", id=ids[parcels[number].delivery_id], fields=fields)

    def deal(stage, owner="005000000000001AAA"):
        fields = {"Name": "D", "StageName": stage, "CloseDate": "2026-11-20", "Amount": 1250.5, "OwnerId": owner}
        return box.act("salesforce", "create", object="Opportunity", fields=fields)

    edit(0, IsConverted=True, ConvertedOpportunityId=deal("Closed Won", "005000000000003AAA"))
    edit(1, IsConverted=True, ConvertedOpportunityId=deal("Closed Lost"))
    edit(2, IsConverted=True, ConvertedOpportunityId=deal("Negotiation"))
    edit(3, Status="Bad Data", City="Elsewhere")
    metadata = reading("salesforce")
    ended = drops(workshop)
    lead = [str(each.lead_id) for each in parcels]
    assert {key: row["outcome"] for key, row in ended.items()} == {lead[0]: "won", lead[1]: "lost", lead[3]: "returned"}
    assert (ended[lead[0]]["revenue_usd"], ended[lead[0]]["owner"]) == ("1250.50", "bob")
    assert ended[lead[0]]["closed_at"] == "2026-11-20T00:00:00Z"
    told_of = metadata["by_destination"].value["salesforce"]
    assert (told_of["won_count"], told_of["revenue_usd"], told_of["owner_changes_count"]) == (1, 1250.5, 1)
    assert pending(workshop) == set()  # a lead that ended there is left as it is
    # The next day there is nothing new to say; a deal that is won later is.
    empty_bucket(workshop)
    assert reading("salesforce")["outcomes_drop"].value == "none"
    edit(4, Status="Unqualified")
    reading("salesforce")
    assert list(drops(workshop)) == [lead[4]]


def test_how_leads_ended_in_hubspot_goes_the_way_of_outcomes(workshop, box, reading):
    parcels = [parcel(number) for number in range(3)]
    _, ids = sent(workshop, "hubspot", parcels)
    won = {
        "dealname": "D",
        "hs_is_closed_won": "true",
        "hs_is_closed": "true",
        "amount": "990",
        "closedate": "2026-11-19T10:00:00Z",
    }
    deal_id = box.act("hubspot", "create", type="deals", properties=won)
    first = ids[parcels[0].delivery_id]
    box.act("hubspot", "associate", one="contacts", id=first, other="deals", other_id=deal_id)
    box.act(
        "hubspot", "edit", type="contacts", id=ids[parcels[1].delivery_id], properties={"hs_lead_status": "UNQUALIFIED"}
    )
    reading("hubspot")
    ended = drops(workshop)
    assert {key: (row["outcome"], row["revenue_usd"]) for key, row in ended.items()} == {
        str(parcels[0].lead_id): ("won", "990.00"),
        str(parcels[1].lead_id): ("lost", ""),
    }


def test_a_crm_that_is_away_is_told_of_and_read_the_next_day(workshop, box, reading):
    sent(workshop, "hubspot", [parcel(1)])
    number = box.fault("hubspot", "error", status=503)
    metadata = reading("hubspot")
    assert metadata["by_destination"].value["hubspot"]["error_code"] == "receiver_failed"
    with workshop.store.read() as con:
        query = text("SELECT code, subject FROM aiqleads.alerts WHERE closed_at IS NULL")
        assert ("crm_read_back_failed", "hubspot") in [tuple(row) for row in con.execute(query)]
    box.clear_faults(number)
    assert reading("hubspot")["same_count"].value == 1
    with workshop.store.read() as con:
        assert [row for row in con.execute(query) if row.subject == "hubspot"] == []


def test_the_day_s_calls_are_forecast(workshop):
    store, now = workshop.store, datetime(2026, 11, 23, 12, tzinfo=UTC)
    for minute in range(0, 120, 10):
        at = now - timedelta(minutes=120 - minute)
        ledger.save_usage(store, "salesforce", 1000 + 10 * minute, 5000, at)
    usage = ledger.read_usage(store, "salesforce", now)
    assert (usage.used_count, usage.limit_count) == (2100, 5000)
    assert usage.used_up_at == pytest.approx(now + timedelta(minutes=280), abs=timedelta(seconds=1))
    ledger.save_usage(store, "still", 10, 5000, now)
    assert ledger.read_usage(store, "still", now).used_up_at is None
    assert ledger.read_usage(store, "never", now) is None
