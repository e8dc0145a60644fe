"""Salesforce, against an org that keeps its records: collections, log-in, limits, Bulk 2.0."""

import csv
import io
import threading
from datetime import UTC, datetime

import pytest

from aiqleads_pipeline_tests.crm.conftest import parcel, told
from resources.destinations import Destination, Outcome
from resources.store import crm as ledger


def leads(box):
    return {each["AIQLeads_Id__c"]: each for each in box.records("salesforce", "Lead")}


def calls(box, part):
    return [each for each in box.requests("salesforce") if part in each["path"]]


@pytest.fixture
def org(workshop):
    return workshop.build("salesforce", bulk_from=None)


def test_leads_stand_in_the_org_and_a_second_time_changes_nothing(org, box):
    assert isinstance(org, Destination)
    parcels = [parcel(number) for number in range(450)]
    receipts = org.deliver(parcels, timeout_seconds=30)
    assert [each.delivery_id for each in receipts] == [each.delivery_id for each in parcels]
    assert set(told(receipts)) == {"delivered"}
    held = leads(box)
    assert [held[str(each.lead_id)]["Id"] for each in parcels] == [each.external_id for each in receipts]
    assert [len(each["body"]) > 0 for each in calls(box, "/composite/")] == [True] * 3
    changed = held[str(parcels[7].lead_id)]
    assert (changed["LastName"], changed["Industry"], changed["AnnualRevenue"]) == ("Lead7", "Technology", 1234567.89)
    assert told(org.deliver(parcels, timeout_seconds=30)) == ["delivered"] * 450
    assert box.counts("salesforce")["effects"] == 450


def test_work_done_and_the_answer_lost_makes_no_second_record(org, box):
    box.fault("salesforce", "lost", route="PATCH *", times=1, how="reset")
    parcels = [parcel(number) for number in range(3)]
    assert told(org.deliver(parcels, timeout_seconds=10)) == ["retry:answer_lost"] * 3
    again = [parcel(number, attempt=2) for number in range(3)]
    assert told(org.deliver(again, timeout_seconds=10)) == ["delivered"] * 3
    assert len(leads(box)) == 3
    assert box.counts("salesforce")["effects"] == 3
    # The lost call assigned them already: the second must not take them from whoever has them by now.
    assert [each["headers"]["sforce-auto-assign"] for each in calls(box, "/composite/")] == ["TRUE", "FALSE"]


def test_each_record_has_its_own_end(workshop, box):
    org = workshop.build("salesforce", bulk_from=None)
    box.act("salesforce", "create", object="Lead", fields={"LastName": "T", "Company": "C", "Email": "taken@x.com"})
    broken = [
        parcel(1),
        parcel(2, contact__email="no address"),
        parcel(3, contact__email="taken@x.com"),
        parcel(4, contact__phone="+1 415 555 0100"),
    ]
    receipts = org.deliver(broken, timeout_seconds=10)
    assert told(receipts) == ["delivered", "refused:crm_value_refused", "refused:crm_duplicate", "delivered"]
    assert [each.detail for each in receipts] == [None, "INVALID_EMAIL_ADDRESS", "DUPLICATES_DETECTED", None]
    allowing = workshop.build("salesforce", bulk_from=None, duplicates="allow")
    assert told(allowing.deliver([broken[2]], timeout_seconds=10)) == ["delivered"]


def test_locked_rows_come_again_and_the_others_stay_delivered(org, box):
    box.fault("salesforce", "partial", route="PATCH *", records=0.5, times=1)
    parcels = [parcel(number) for number in range(40)]
    first = org.deliver(parcels, timeout_seconds=10)
    assert set(told(first)) == {"delivered", "retry:crm_row_locked"}
    left = [each for each, receipt in zip(parcels, first, strict=True) if receipt.outcome is Outcome.RETRY]
    assert set(told(org.deliver(left, timeout_seconds=10))) == {"delivered"}
    assert len(leads(box)) == box.counts("salesforce")["effects"] == 40


def test_the_same_lead_twice_in_a_call_goes_in_its_order(org, box):
    older, newer = parcel(1, contact__city="Bonn"), parcel(2, contact__city="Köln")
    newer = type(newer)(newer.delivery_id, older.lead_id, "crm", 1, 1, newer.created_at, newer.body)
    assert told(org.deliver([older, newer], timeout_seconds=10)) == ["delivered", "delivered"]
    assert leads(box)[str(older.lead_id)]["City"] == "Köln"


def test_a_token_that_ends_in_mid_batch_is_renewed_once_for_all(workshop, box):
    box.configure("salesforce", token_calls=2)
    org = workshop.build("salesforce", bulk_from=None, collection_size=5)
    assert told(org.deliver([parcel(0)], timeout_seconds=10)) == ["delivered"]
    box.configure("salesforce", token_calls=None)
    found = []
    threads = [
        threading.Thread(target=lambda start=start: found.extend(
            org.deliver([parcel(start + number) for number in range(10)], timeout_seconds=20)))
        for start in (100, 200, 300, 400)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told(found) == ["delivered"] * 40
    assert len(calls(box, "/oauth2/token")) == 2


def test_tokens_that_end_after_every_few_calls(workshop, box):
    box.configure("salesforce", token_calls=2)
    org = workshop.build("salesforce", bulk_from=None, collection_size=5)
    assert told(org.deliver([parcel(number) for number in range(30)], timeout_seconds=20)) == ["delivered"] * 30
    assert len(calls(box, "/oauth2/token")) == 3


def test_without_a_log_in_everything_waits_and_no_attempt_is_used_up(workshop, box):
    org = workshop.build("salesforce", bulk_from=None, client_id="SALESFORCE_USERNAME")
    receipts = org.deliver([parcel(number) for number in range(3)], timeout_seconds=10)
    assert told(receipts) == ["later:crm_auth_failed"] * 3
    assert "username" not in str(receipts) and "sandbox-secret" not in str(receipts)
    assert all(each.retry_after_seconds for each in receipts)


def test_a_field_that_the_org_lacks_keeps_all_leads_waiting(workshop, box):
    org = workshop.build("salesforce", bulk_from=None, external_id_field="Nothing__c")
    receipts = org.deliver([parcel(number) for number in range(3)], timeout_seconds=10)
    assert told(receipts) == ["later:crm_mapping_wrong"] * 3
    assert len(calls(box, "/composite/")) == 1


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("error", {"status": 503, "retry_after": 7}, "retry:receiver_failed"),
        ("throttle", {"retry_after": 7}, "later:crm_limit_reached"),
        ("html", {}, "retry:crm_unreadable"),
        ("empty", {}, "retry:crm_unreadable"),
        ("truncated", {}, "retry:answer_lost"),
        ("charset", {}, "delivered"),
        ("redirect", {}, "retry:crm_unreadable"),
        ("reset", {}, "retry:answer_lost"),
        ("hang", {"seconds": 30}, "retry:receiver_timed_out"),
    ],
)
def test_whatever_an_org_answers_each_parcel_has_its_receipt(org, box, kind, options, expected):
    box.fault("salesforce", kind, route="PATCH *", times=1, **options)
    seconds = 0.5 if kind == "hang" else 10
    receipts = org.deliver([parcel(number) for number in range(3)], timeout_seconds=seconds)
    assert told(receipts) == [expected] * 3
    if "retry_after" in options:
        assert receipts[0].retry_after_seconds == 7
        receipts = org.deliver([parcel(1)], timeout_seconds=10)
        assert told(receipts) == ["later:receiver_unreachable"]
        return
    assert told(org.deliver([parcel(number) for number in range(3)], timeout_seconds=10)) == ["delivered"] * 3
    assert len(leads(box)) == 3


def test_what_one_call_spoils_the_next_is_not_even_tried(workshop, box):
    org = workshop.build("salesforce", bulk_from=None, collection_size=2)
    box.fault("salesforce", "error", status=503, route="PATCH *")
    receipts = org.deliver([parcel(number) for number in range(6)], timeout_seconds=10)
    assert told(receipts) == ["retry:receiver_failed"] * 2 + ["later:receiver_failed"] * 4
    assert len(calls(box, "/composite/")) == 1


def test_near_the_daily_limit_only_urgent_leads_go_on(org, box, workshop):
    box.configure("salesforce", daily_api_requests=10)
    for number in range(8):
        assert told(org.deliver([parcel(number, priority=4)], timeout_seconds=10)) == ["delivered"]
    mixed = [parcel(20, priority=4), parcel(21, priority=1), parcel(22, priority=3), parcel(23, priority=2)]
    receipts = org.deliver(mixed, timeout_seconds=10)
    assert told(receipts) == ["later:crm_limit_reserved", "delivered", "later:crm_limit_reserved", "delivered"]
    # Another process knows it from the store, before its first call.
    other = workshop.build("salesforce", bulk_from=None)
    ledger.save_usage(workshop.store, "salesforce", 10, 10, datetime.now(UTC))
    before = len(box.requests("salesforce"))
    assert told(other.deliver([parcel(30, priority=1)], timeout_seconds=10)) == ["later:crm_limit_reached"]
    assert len(box.requests("salesforce")) == before


def test_the_limit_itself_keeps_what_is_left(org, box):
    box.configure("salesforce", daily_api_requests=1)
    assert told(org.deliver([parcel(1, priority=1)], timeout_seconds=10)) == ["delivered"]
    receipts = org.deliver([parcel(2, priority=1)], timeout_seconds=10)
    assert told(receipts) == ["later:crm_limit_reached"]
    assert receipts[0].retry_after_seconds == 900


def test_the_pace_is_kept_and_what_has_no_turn_waits(workshop, box):
    org = workshop.build("salesforce", bulk_from=None, collection_size=1, pace={"requests": 2, "seconds": 60})
    receipts = org.deliver([parcel(number) for number in range(3)], timeout_seconds=5)
    assert told(receipts) == ["delivered", "later:crm_paced", "later:crm_paced"]
    assert receipts[1].retry_after_seconds > 5


def test_a_look_makes_no_record_and_names_what_is_wrong(workshop, box):
    org = workshop.build("salesforce")
    assert told([org.test(timeout_seconds=10)]) == ["delivered"]
    assert leads(box) == {}
    lacking = workshop.build("salesforce", owner_field="Keeper__c")
    assert told([lacking.test(timeout_seconds=10)]) == ["later:crm_mapping_wrong"]


def test_a_notice_is_no_lead(org):
    assert told(org.deliver([parcel(1, topic="alert.opened")], timeout_seconds=10)) == ["refused:crm_refused"]


# --- Bulk 2.0


@pytest.fixture
def bulky(workshop):
    return workshop.build("salesforce", bulk_from=5)


def test_many_leads_go_as_one_job(bulky, box):
    odd = parcel(3, contact__last_name='Quote " comma, newline\nend', company__name="=cmd|' /C calc'!A1")
    parcels = [parcel(0), parcel(1, contact__email="none"), parcel(2), odd, parcel(4), parcel(5)]
    receipts = bulky.deliver(parcels, timeout_seconds=30)
    assert told(receipts) == ["delivered", "refused:crm_value_refused", *["delivered"] * 4]
    held = leads(box)
    assert held[str(odd.lead_id)]["LastName"] == 'Quote " comma, newline\nend'
    assert held[str(odd.lead_id)]["Company"] == "=cmd|' /C calc'!A1"
    assert [each.external_id for each in receipts if each.external_id] == [
        held[str(each.lead_id)]["Id"] for each in parcels if each is not parcels[1]
    ]
    (uploaded,) = calls(box, "/batches")
    rows = list(csv.reader(io.StringIO(uploaded["body"], newline="")))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert "\r" not in uploaded["body"]
    (job,) = box.records("salesforce", "jobs")
    assert (job["lineEnding"], job["externalIdFieldName"]) == ("LF", "AIQLeads_Id__c")


def test_a_job_that_is_not_done_in_time_is_found_again_and_not_doubled(bulky, box):
    box.configure("salesforce", bulk_polls=1000)
    parcels = [parcel(number) for number in range(6)]
    assert told(bulky.deliver(parcels, timeout_seconds=0.9)) == ["later:crm_job_running"] * 6
    assert leads(box) == {}
    box.configure("salesforce", bulk_polls=0)
    # They come back in other company, and fewer than make a job.
    assert told(bulky.deliver([*parcels[:2], parcel(50)], timeout_seconds=10)) == ["delivered"] * 3
    assert told(bulky.deliver(parcels[2:], timeout_seconds=10)) == ["delivered"] * 4
    assert len(box.records("salesforce", "jobs")) == 1
    assert len(leads(box)) == box.counts("salesforce")["effects"] == 7
    # Delivered again later, they go out anew: the job owes them nothing any more.
    assert told(bulky.deliver([parcel(0, contact__city="Ulm")], timeout_seconds=10)) == ["delivered"]
    assert leads(box)[str(parcels[0].lead_id)]["City"] == "Ulm"


@pytest.mark.parametrize(
    ("route", "first", "jobs"),
    [
        ("POST */jobs/ingest", "retry:answer_lost", 2),  # made, empty, and known to nobody
        ("PUT *", "retry:answer_lost", 2),  # filled, never begun: given up
        ("PATCH */jobs/*", "retry:answer_lost", 1),  # begun
        ("GET */jobs/ingest/750*", "retry:answer_lost", 1),
        ("GET *successfulResults", "retry:answer_lost", 1),
    ],
    ids=["made", "filled", "begun", "polled", "read"],
)
def test_a_lost_answer_at_any_point_of_a_job_doubles_nothing(bulky, box, route, first, jobs):
    box.fault("salesforce", "lost", route=route, times=2 if route.startswith("GET") else 1, how="reset")
    parcels = [parcel(number) for number in range(6)]
    assert told(bulky.deliver(parcels, timeout_seconds=10)) == [first] * 6
    assert told(bulky.deliver(parcels, timeout_seconds=10)) == ["delivered"] * 6
    assert len(leads(box)) == box.counts("salesforce")["facts"]["Lead"] == 6
    assert [job["state"] for job in box.records("salesforce", "jobs")].count("JobComplete") == 1
    assert len(box.records("salesforce", "jobs")) == jobs


def test_a_job_that_fails_as_a_whole_is_sent_again(workshop, box):
    bulky = workshop.build("salesforce", bulk_from=2, fields={
        "LastName": {"from": "contact.last_name", "required": True},
        "Company": {"from": "company.name", "required": True},
        "Unheard__c": {"from": "source"},
    })  # fmt: skip
    receipts = bulky.deliver([parcel(1), parcel(2)], timeout_seconds=10)
    assert told(receipts) == ["retry:crm_job_failed"] * 2
