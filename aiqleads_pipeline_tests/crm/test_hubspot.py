"""HubSpot, against a portal that keeps its records: contacts, companies, associations, multi-status, limits."""

import json

import pytest

from aiqleads_pipeline_tests.crm.conftest import GOLDEN, parcel, told
from resources.destinations import Destination, Parcel


def contacts(box):
    return {each["properties"]["aiqleads_lead_id"]: each for each in box.records("hubspot", "contacts")}


def calls(box, part):
    return [each for each in box.requests("hubspot") if part in each["path"]]


@pytest.fixture
def portal(workshop):
    return workshop.build("hubspot")


def test_contacts_stand_at_their_companies_and_a_second_time_changes_nothing(portal, box):
    assert isinstance(portal, Destination)
    parcels = [parcel(number) for number in range(150)]
    receipts = portal.deliver(parcels, timeout_seconds=30)
    assert set(told(receipts)) == {"delivered"}
    held = contacts(box)
    assert [held[str(each.lead_id)]["id"] for each in parcels] == [each.external_id for each in receipts]
    companies = {each["id"]: each["properties"]["domain"] for each in box.records("hubspot", "companies")}
    assert sorted(companies.values()) == ["example0.com", "example1.com", "example2.com"]
    linked = {row["id"]: row["to_ids"] for row in box.records("hubspot", "associations") if row["from"] == "contacts"}
    for number in (0, 7, 149):
        (company,) = linked[held[str(parcels[number].lead_id)]["id"]]
        assert companies[company] == f"example{number % 3}.com"
    effects = box.counts("hubspot")["effects"]
    assert told(portal.deliver(parcels, timeout_seconds=30)) == ["delivered"] * 150
    assert box.counts("hubspot")["effects"] == effects


def test_the_requests_are_the_golden_ones(workshop, box):
    bodies = [json.loads((GOLDEN / name).read_text(encoding="utf-8")) for name in ("lead.json", "bare_lead.json")]
    portal = workshop.build("hubspot", owners={"ann": "005A0000001a2b3"})
    at = parcel(0).created_at
    parcels = [Parcel(parcel(0).delivery_id, parcel(0).lead_id, "crm", 1, 1, at, bodies[0])]
    parcels = [
        Parcel(type(each.delivery_id)(body["delivery_id"]), type(each.lead_id)(body["lead_id"]), "crm", 1, 1, at, body)
        for each, body in zip(parcels * 2, bodies, strict=True)
    ]
    assert told(portal.deliver(parcels, timeout_seconds=10)) == ["delivered", "delivered"]
    (companies,) = calls(box, "/companies/batch/upsert")
    (people,) = calls(box, "/contacts/batch/upsert")
    assert companies["body"] + "\n" == (GOLDEN / "hubspot_companies.json").read_text(encoding="utf-8")
    assert people["body"] + "\n" == (GOLDEN / "hubspot_contacts.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("route", ["contacts", "companies", "associations"])
def test_work_done_and_the_answer_lost_makes_no_second_record(portal, box, route):
    # A connection that was kept and breaks is asked again at once; the first call has none yet.
    times = 1 if route == "companies" else 2
    box.fault("hubspot", "lost", route=f"POST */{route}/*", times=times, how="reset")
    parcels = [parcel(number) for number in range(3)]
    assert told(portal.deliver(parcels, timeout_seconds=10)) == ["retry:answer_lost"] * 3
    assert told(portal.deliver(parcels, timeout_seconds=10)) == ["delivered"] * 3
    facts = box.counts("hubspot")["facts"]
    assert (facts["contacts"], facts["companies"]) == (3, 3)


def test_each_contact_has_its_own_end(portal, box):
    parcels = [parcel(1), parcel(2, contact__email="no address"), parcel(3)]
    receipts = portal.deliver(parcels, timeout_seconds=10)
    assert told(receipts) == ["delivered", "refused:crm_value_refused", "delivered"]
    assert receipts[1].detail == "VALIDATION_ERROR"


def test_some_fail_for_now_and_come_again(portal, box):
    box.fault("hubspot", "partial", route="POST */contacts/*", records=0.5, times=1)
    parcels = [parcel(number) for number in range(40)]
    first = portal.deliver(parcels, timeout_seconds=10)
    assert set(told(first)) == {"delivered", "retry:crm_unavailable"}
    assert set(told(portal.deliver(parcels, timeout_seconds=10))) == {"delivered"}
    assert box.counts("hubspot")["facts"]["contacts"] == 40


def test_a_contact_with_the_same_address_becomes_the_lead_unless_it_is_another(workshop, box):
    portal = workshop.build("hubspot")
    known = box.act("hubspot", "create", type="contacts", properties={"email": "lead1@example1.com"})
    adopted, other = portal.deliver([parcel(1), parcel(2, contact__email="LEAD1@example1.com")], timeout_seconds=10)
    assert (adopted.outcome.value, adopted.external_id) == ("delivered", known)
    assert told([other]) == ["refused:crm_duplicate"]
    assert contacts(box)[str(parcel(1).lead_id)]["id"] == known
    refusing = workshop.build("hubspot", same_email="refuse")
    box.act("hubspot", "create", type="contacts", properties={"email": "lead5@example5.com"})
    assert told(refusing.deliver([parcel(5)], timeout_seconds=10)) == ["refused:crm_duplicate"]


def test_the_same_lead_twice_goes_in_two_calls_in_its_order(portal, box):
    older, newer = parcel(1, contact__city="Bonn"), parcel(2, contact__city="Köln", contact__email="lead1@example1.com")
    newer = Parcel(newer.delivery_id, older.lead_id, "crm", 1, 1, newer.created_at, newer.body)
    assert told(portal.deliver([older, newer], timeout_seconds=10)) == ["delivered", "delivered"]
    assert contacts(box)[str(older.lead_id)]["properties"]["city"] == "Köln"
    assert len(calls(box, "/contacts/batch/upsert")) == 2


def test_a_property_that_the_portal_lacks_keeps_all_leads_waiting(workshop, box):
    portal = workshop.build("hubspot", fields={"nothing_such": {"from": "source"}})
    receipts = portal.deliver([parcel(1), parcel(2)], timeout_seconds=10)
    assert told(receipts) == ["later:crm_mapping_wrong"] * 2
    assert receipts[0].detail == "400 PROPERTY_DOESNT_EXIST"


def test_one_record_that_spoils_a_batch_is_found_and_stands_alone(portal, box):
    # As a value that is no text would, were there one: the portal refuses the call as a whole.
    box.fault("hubspot", "error", status=400, route="POST */contacts/*", times=1)
    parcels = [parcel(number) for number in range(8)]
    assert told(portal.deliver(parcels, timeout_seconds=10)) == ["delivered"] * 8
    assert len(calls(box, "/contacts/batch/upsert")) == 3


def test_tokens_of_oauth_are_renewed(workshop, box):
    login = {"login": "refresh_token", "access_token": None, "client_id": "HUBSPOT_CLIENT_ID"}
    login |= {"client_secret": "HUBSPOT_CLIENT_SECRET", "refresh_token": "HUBSPOT_REFRESH_TOKEN"}
    portal = workshop.build("hubspot", **login)
    assert told(portal.deliver([parcel(1)], timeout_seconds=10)) == ["delivered"]
    box.act("hubspot", "expire_tokens")
    assert told(portal.deliver([parcel(2)], timeout_seconds=10)) == ["delivered"]
    assert len(calls(box, "/oauth/v1/token")) == 2


def test_a_private_app_that_is_refused_waits(workshop, box):
    portal = workshop.build("hubspot", access_token="HUBSPOT_CLIENT_ID")
    assert told(portal.deliver([parcel(1)], timeout_seconds=10)) == ["later:crm_auth_failed"]


@pytest.mark.parametrize(
    ("settings", "expected", "least_seconds"),
    [
        ({"daily_requests": 0}, "later:crm_limit_reached", 900),
        ({"requests_per_window": 0}, "later:crm_limit_reached", 1),
    ],
    ids=["day", "ten seconds"],
)
def test_limits_make_all_wait_as_long_as_is_of_use(portal, box, settings, expected, least_seconds):
    box.configure("hubspot", **settings)
    (receipt,) = portal.deliver([parcel(1)], timeout_seconds=10)
    assert told([receipt]) == [expected]
    assert least_seconds <= receipt.retry_after_seconds < least_seconds + 60


def test_near_the_daily_limit_only_urgent_leads_go_on(workshop, box):
    box.configure("hubspot", daily_requests=22)
    portal = workshop.build("hubspot")
    for number in range(6):
        assert told(portal.deliver([parcel(number, priority=4)], timeout_seconds=10)) == ["delivered"]
    receipts = portal.deliver([parcel(20, priority=4), parcel(21, priority=1)], timeout_seconds=10)
    assert told(receipts) == ["later:crm_limit_reserved", "delivered"]


def test_a_whole_chunk_never_meets_the_limit_of_ten_seconds(workshop, box):
    box.configure("hubspot", requests_per_window=12, window_seconds=1.0)
    portal = workshop.build("hubspot", pace={"requests": 12, "seconds": 1}, batch_size=5)
    parcels = [parcel(number) for number in range(25)]
    assert told(portal.deliver(parcels, timeout_seconds=30)) == ["delivered"] * 25
    assert "429" not in box.counts("hubspot")["statuses"]


def test_a_look_makes_no_record_and_names_what_is_wrong(workshop, box):
    assert told([workshop.build("hubspot").test(timeout_seconds=10)]) == ["delivered"]
    lacking = workshop.build("hubspot", id_property="nickname")
    assert told([lacking.test(timeout_seconds=10)]) == ["refused:crm_mapping_wrong"]
    assert box.records("hubspot", "contacts") == []
