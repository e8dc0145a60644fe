"""The outbox: claimed once, marked once, and a million of a batch in one statement."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from resources.store.database import Store
from resources.store.deliveries import (
    Delivery,
    Failure,
    claim_due,
    count_batch,
    delivery_id,
    list_deliveries,
    mark_batch_delivered,
    mark_delivered,
    mark_failed,
)

NOW = datetime(2026, 11, 23, 15, 45, 30, tzinfo=UTC)
INSERT = """
INSERT INTO aiqleads.outbox
    (delivery_id, lead_id, batch_id, destination, priority, state, next_attempt_at, created_at)
VALUES (:id, :lead, :batch, :destination, :priority, 'pending', :due, :now)
"""


def lead(number: int) -> UUID:
    return UUID(int=(1 << 80) + (8 << 76) + (2 << 62) + number)


def intend(
    store: Store,
    leads: Sequence[int],
    destination: str = "hook",
    due: datetime | None = NOW,
    priority: int = 2,
    batch: str = "b1",
) -> None:
    rows: list[dict[str, Any]] = [
        {
            "id": delivery_id(lead(number), destination), "lead": lead(number), "batch": batch,
            "destination": destination, "priority": priority, "due": due, "now": NOW,
        }
        for number in leads
    ]  # fmt: skip
    with store.transaction("test:intend") as con:
        con.execute(text(INSERT), rows)


def claim(store: Store, limit: int = 10, now: datetime = NOW, destination: str = "hook") -> list[Delivery]:
    return claim_due(store, destination, now, hold_seconds=60, limit=limit)


def numbers(found: Sequence[Delivery]) -> list[int]:
    return [each.lead_id.int & 0xFFFF for each in found]


def test_the_most_urgent_due_deliveries_are_claimed_first(store: Store) -> None:
    intend(store, [1, 2], priority=3)
    intend(store, [3], priority=1)
    intend(store, [4], priority=1, due=NOW + timedelta(hours=1))
    intend(store, [5], destination="other", priority=1)
    intend(store, [6], due=None, priority=1)
    first = claim(store, limit=2)
    assert [(each.state, each.attempts, each.next_attempt_at) for each in first] == [
        ("in_flight", 1, NOW + timedelta(seconds=60))
    ] * 2
    assert numbers(first) == [3, 1]
    assert numbers(claim(store)) == [2]
    assert claim(store) == []


def test_no_two_claim_the_same(store: Store) -> None:
    intend(store, range(100))
    start = threading.Barrier(4)
    taken: list[int] = []

    def work() -> None:
        start.wait()
        while found := claim(store, limit=7):
            taken.extend(numbers(found))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(100))


def test_what_a_dead_worker_held_is_due_again(store: Store) -> None:
    intend(store, [1])
    (lost,) = claim(store)
    assert claim(store, now=NOW + timedelta(seconds=59)) == []
    (found,) = claim(store, now=NOW + timedelta(seconds=60))
    assert (found.delivery_id, found.attempts) == (lost.delivery_id, 2)


def test_delivered_is_final_and_keeps_the_receivers_id(store: Store) -> None:
    intend(store, [1, 2])
    one, two = claim(store)
    mark_delivered(store, [(one.delivery_id, "00Q1"), (two.delivery_id, None)], NOW + timedelta(seconds=1))
    mark_delivered(store, [(one.delivery_id, "other")], NOW + timedelta(seconds=2))
    mark_failed(store, [Failure(two, "timeout", NOW)])
    found = [(each.state, each.external_id, each.delivered_at, each.next_attempt_at) for each in list_deliveries(store)]
    then = NOW + timedelta(seconds=1)
    assert found == [("delivered", "00Q1", then, None), ("delivered", None, then, None)]
    assert claim(store, now=NOW + timedelta(days=1)) == []


def test_failed_ones_come_again_at_their_time_or_never(store: Store) -> None:
    intend(store, [1, 2])
    one, two = claim(store)
    later = NOW + timedelta(minutes=5)
    mark_failed(store, [Failure(one, "timeout", later), Failure(two, "refused", None)])
    found = [(each.state, each.last_error_code, each.next_attempt_at) for each in list_deliveries(store)]
    assert found == [("pending", "timeout", later), ("dead", "refused", None)]
    assert numbers(claim(store, now=later)) == [1]


def test_a_slow_worker_cannot_fail_what_another_one_holds(store: Store) -> None:
    intend(store, [1])
    (slow,) = claim(store)
    (quick,) = claim(store, now=NOW + timedelta(seconds=61))
    mark_failed(store, [Failure(slow, "timeout", None)])
    assert [(each.state, each.attempts) for each in list_deliveries(store)] == [("in_flight", 2)]
    mark_failed(store, [Failure(quick, "timeout", None)])
    assert [each.state for each in list_deliveries(store)] == ["dead"]


def test_nothing_to_mark_is_no_write(store: Store) -> None:
    mark_delivered(store, [], NOW)
    mark_failed(store, [])
    assert list_deliveries(store) == []


def test_a_batchs_file_delivers_what_has_no_time_of_its_own(store: Store) -> None:
    intend(store, [1, 2], destination="crm_file", due=None)
    intend(store, [3], destination="crm_file", due=NOW)
    intend(store, [1], destination="hook")
    intend(store, [4], destination="crm_file", due=None, batch="b2")
    mark_batch_delivered(store, "b1", "crm_file", NOW)
    mark_batch_delivered(store, "b1", "crm_file", NOW + timedelta(hours=1))
    assert {(each.attempts, each.delivered_at) for each in list_deliveries(store, state="delivered")} == {(1, NOW)}
    assert count_batch(store, "b1") == {"crm_file": {"delivered": 2, "pending": 1}, "hook": {"pending": 1}}
    assert count_batch(store, "b2") == {"crm_file": {"pending": 1}}


def test_deliveries_are_listed_by_lead_batch_state_and_destination(store: Store) -> None:
    intend(store, [1, 2], destination="crm_file", due=None)
    intend(store, [1], destination="hook")
    intend(store, [3], destination="hook", batch="b2")
    mark_batch_delivered(store, "b1", "crm_file", NOW)
    of_lead = list_deliveries(store, lead_id=lead(1))
    assert sorted((each.destination, each.state) for each in of_lead) == [
        ("crm_file", "delivered"),
        ("hook", "pending"),
    ]
    assert numbers(list_deliveries(store, state="pending")) == [1, 3]
    assert numbers(list_deliveries(store, state="pending", batch_id="b2")) == [3]
    assert numbers(list_deliveries(store, destination="crm_file")) == [1, 2]
    assert numbers(list_deliveries(store, limit=1)) == [1]


def test_a_leads_deliveries_are_found_without_reading_the_table(store: Store) -> None:
    """There is no index on lead_id: they lie side by side under the primary key."""
    intend(store, range(3000))
    with store.transaction("test:analyze") as con:
        con.execute(text("ANALYZE aiqleads.outbox"))
        first, last = delivery_id(lead(7), "hook"), delivery_id(lead(8), "hook")
        plan = con.execute(
            text("EXPLAIN SELECT * FROM aiqleads.deliveries WHERE delivery_id BETWEEN :a AND :b"),
            {"a": first, "b": last},
        ).scalars()
        assert "pk_outbox" in "\n".join(plan)
    assert numbers(list_deliveries(store, lead_id=lead(7))) == [7]


@pytest.mark.parametrize("destination", ["crm_file", "hook"])
def test_ids_ascend_as_leads_do_and_stay_the_same(destination: str) -> None:
    ids = [delivery_id(lead(number), destination) for number in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
    assert {each.version for each in ids} == {8}


def test_an_id_once_given_stays_the_same() -> None:
    given = delivery_id(UUID("0190abcd-1234-8123-8000-000000000001"), "crm_file")
    assert str(given) == "0190abcd-1234-8123-8000-000001da205c"
