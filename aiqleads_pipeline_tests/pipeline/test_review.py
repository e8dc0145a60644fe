"""Leads that wait for a person: why, what is suggested, and what an assignment brings about."""

import json

import pytest

from aiqleads_pipeline.commands.review import UnknownOwner, assign
from aiqleads_pipeline.settings import FeatureFlags
from resources.store import reviews
from resources.store.deliveries import list_deliveries


@pytest.fixture
def waiting(house, leads_csv, request):
    """A batch that waits in review because automatic routing is off."""
    tag = f"wait{abs(hash(request.node.name)) % 10_000}"
    manual = house.with_settings(flags=FeatureFlags(enableAutoRouting=False))
    return manual.process(f"{tag}.csv", leads_csv(tag, 3), tag)


def test_without_automatic_routing_everything_waits_with_a_suggestion(house, waiting):
    assert (waiting.status, waiting.routed, waiting.in_review) == ("done", 0, 3)
    rows = [row for row in reviews.list_open(house.outside.store) if row["batch_id"] == waiting.batch_id]
    assert {row["reason_code"] for row in rows} == {"routing_disabled"}
    assert all(row["suggestion"]["owner"] and row["suggestion"]["priority"] for row in rows)


def test_an_assignment_resolves_counts_and_delivers(house, waiting):
    rows = [row for row in reviews.list_open(house.outside.store) if row["batch_id"] == waiting.batch_id]
    lead, owner = rows[0]["lead_id"], rows[0]["suggestion"]["owner"]
    assert f"{lead} → {owner}" in assign(house.outside, str(lead), owner, by="test")
    (delivery,) = list_deliveries(house.outside.store, lead_id=lead)
    assert delivery.state == "delivered"
    (file,) = (house.outside.settings.home / "deliveries" / "crm_file").glob(f"{waiting.batch_id}.*.ndjson")
    assert [json.loads(line)["lead_id"] for line in file.read_text().splitlines()] == [str(lead)]
    with pytest.raises(UnknownOwner, match="does not wait"):
        assign(house.outside, str(lead), owner, by="test")
    with pytest.raises(UnknownOwner, match="nobody_here"):
        assign(house.outside, str(rows[1]["lead_id"]), "nobody_here", by="test")


def test_what_a_person_decided_stays_when_the_batch_is_run_again(house, waiting):
    rows = [row for row in reviews.list_open(house.outside.store) if row["batch_id"] == waiting.batch_id]
    assign(house.outside, str(rows[0]["lead_id"]), rows[0]["suggestion"]["owner"], by="test")
    job = house.defs.resolve_job_def("process_batch")
    assert job.execute_in_process(instance=house.instance, partition_key=waiting.batch_id).success
    after = reviews.leads_of_batch(house.outside.store, waiting.batch_id).to_pylist()
    assert [row["resolved_at"] is None for row in after] == [False]  # the others were routed: routing is on here
    assert len(house.rows("routed_leads", waiting.batch_id)) == 2
