from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import duckdb
import pytest
from sqlalchemy import text

from resources.store import reviews
from resources.store.database import Store
from resources.store.deliveries import delivery_id, list_deliveries

NOW = datetime(2026, 11, 23, 15, 45, 30, tzinfo=UTC)
INSERT = """
INSERT INTO aiqleads.review_queue (lead_id, batch_id, reason_code, suggestion, opened_at)
VALUES (:lead, :batch, 'no_rule', cast(:suggestion AS jsonb), :now)
"""


def lead(number: int) -> UUID:
    return UUID(int=(1 << 80) + (8 << 76) + (2 << 62) + number)


def wait(store: Store, number: int, batch: str = "b1", suggestion: str = "{}", hour: int = 12) -> None:
    row = {"lead": lead(number), "batch": batch, "suggestion": suggestion, "now": NOW.replace(hour=hour)}
    with store.transaction("test:wait") as con:
        con.execute(text(INSERT), row)


def assign(store: Store, number: int, owner: str = "ann") -> bool:
    return reviews.assign(store, str(lead(number)), owner, "sales", "me", ["crm_file", "hook"], NOW)


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.read() as con:
        return [tuple(row) for row in con.execute(text(query))]


def test_the_longest_waiting_is_listed_first(store: Store) -> None:
    wait(store, 1, hour=11)
    wait(store, 2, hour=9, suggestion='{"team": "sales"}')
    wait(store, 3, hour=10)
    assert assign(store, 3)
    listed = reviews.list_open(store)
    assert [each["lead_id"] for each in listed] == [lead(2), lead(1)]
    assert listed[0] == {
        "lead_id": lead(2),
        "batch_id": "b1",
        "reason_code": "no_rule",
        "suggestion": {"team": "sales"},
        "opened_at": NOW.replace(hour=9),
    }
    assert len(reviews.list_open(store, limit=1)) == 1


def test_assigning_resolves_counts_and_writes_the_intents(store: Store) -> None:
    wait(store, 1, suggestion='{"priority": "P1"}')
    wait(store, 2)
    assert assign(store, 1) and assign(store, 2)
    resolved = "SELECT lead_id, resolved_at, resolved_by, team, owner FROM aiqleads.review_queue ORDER BY 1"
    assert rows(store, resolved) == [(lead(number), NOW, "me", "sales", "ann") for number in (1, 2)]
    assert rows(store, "SELECT owner, pool, turns_count, given_count FROM aiqleads.owner_totals") == [("ann", "", 0, 2)]
    assert rows(store, "SELECT batch_id, owner, given_count FROM aiqleads.owner_loads") == [("review:b1", "ann", 2)]
    found = [
        (each.delivery_id, each.destination, each.priority, each.state, each.next_attempt_at)
        for number in (1, 2)
        for each in sorted(list_deliveries(store, lead_id=lead(number)), key=lambda each: each.destination)
    ]
    assert found == [
        (delivery_id(lead(number), name), name, priority, "pending", NOW)
        for number, priority in ((1, 1), (2, 3))
        for name in ("crm_file", "hook")
    ]


def test_a_lead_is_assigned_once_whoever_tries(store: Store) -> None:
    wait(store, 1)
    start = threading.Barrier(4)
    done: list[str] = []

    def work(owner: str) -> None:
        start.wait()
        if assign(store, 1, owner):
            done.append(owner)

    threads = [threading.Thread(target=work, args=(owner,)) for owner in ("ann", "bob", "cid", "dan")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(store, "SELECT owner, given_count FROM aiqleads.owner_totals") == [(done[0], 1)]
    assert len(done) == 1
    assert len(list_deliveries(store)) == 2


def test_a_lead_that_does_not_wait_is_left_alone(store: Store) -> None:
    assert not assign(store, 9)
    assert rows(store, "SELECT owner FROM aiqleads.owner_totals") == []
    with pytest.raises(ValueError, match="hexadecimal"):
        reviews.assign(store, "x; drop table", "ann", "sales", "me", [], NOW)


def test_a_batchs_leads_are_told_to_duckdb(store: Store) -> None:
    wait(store, 1)
    wait(store, 2)
    wait(store, 3, batch="b2")
    assign(store, 2)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        of_batch = con.from_arrow(reviews.leads_of_batch(store, "b1"))
        assert of_batch.fetchall() == [
            (lead(1), "no_rule", None, None, None, None),
            (lead(2), "no_rule", NOW, "sales", "ann", None),
        ]
        assert con.from_arrow(reviews.leads_of_batch(store, "b9")).fetchall() == []
        assert [str(kind) for kind in of_batch.types][:2] == ["UUID", "VARCHAR"]
