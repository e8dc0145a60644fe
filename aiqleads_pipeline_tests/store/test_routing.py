"""The routing commit: counters, accounts, review queue and intents say what was decided last, and add up."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa
import pytest
from sqlalchemy import Connection, event, text

from resources.store import reviews
from resources.store.database import Store
from resources.store.deliveries import (
    count_batch,
    delivery_id,
    find_delivery,
    list_deliveries,
    mark_batch_delivered,
)
from resources.store.errors import StoreError
from resources.store.leases import release_lease, take_lease
from resources.store.routing import commit_routing, find_accounts, load_snapshot, routing_lock

NOW = datetime(2026, 11, 23, 15, 45, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Load:
    owner: str
    pool: str
    turns_count: int
    given_count: int


def lead(number: int, drop: int = 1) -> UUID:
    return UUID(int=(drop << 80) + (8 << 76) + (2 << 62) + number)


def accounts(**owners: str) -> pa.Table:
    rows = [(f"{company}.com", owner, "sales") for company, owner in owners.items()]
    return table({"company_domain": pa.string(), "owner": pa.string(), "team": pa.string()}, rows)


def waiting(leads: Iterable[UUID], code: str = "no_rule", suggestion: str = '{"team": "sales"}') -> pa.Table:
    columns = {
        "lead_id": pa.uuid(), "reason_code": pa.string(), "suggestion": pa.string(),
        "opened_at": pa.timestamp("us", "UTC"), "resolved_at": pa.timestamp("us", "UTC"),
    }  # fmt: skip
    return table(columns, [(each.bytes, code, suggestion, NOW, None) for each in leads])


def intents(batch_id: str, leads: Iterable[UUID], destinations: Sequence[str] = ("crm_file",)) -> pa.Table:
    columns = {
        "delivery_id": pa.uuid(), "lead_id": pa.uuid(), "batch_id": pa.string(), "destination": pa.string(),
        "priority": pa.int16(), "state": pa.string(), "next_attempt_at": pa.timestamp("us", "UTC"),
        "created_at": pa.timestamp("us", "UTC"),
    }  # fmt: skip
    rows = [
        (delivery_id(each, to).bytes, each.bytes, batch_id, to, 2, "pending", None, NOW)
        for each in leads
        for to in destinations
    ]
    return table(columns, rows)


def folded(batch_id: str, leads: Sequence[UUID], at_once: int = 2) -> pa.Table:
    """Intents for crm_file's file, some leads a row."""
    columns = {
        "batch_id": pa.string(), "destination": pa.string(), "priority": pa.int16(), "first_lead_id": pa.uuid(),
        "last_lead_id": pa.uuid(), "lead_ids": pa.list_(pa.binary(16)), "created_at": pa.timestamp("us", "UTC"),
    }  # fmt: skip
    pieces = [[each.bytes for each in leads[start : start + at_once]] for start in range(0, len(leads), at_once)]
    return table(columns, [(batch_id, "crm_file", 2, piece[0], piece[-1], piece, NOW) for piece in pieces])


def table(columns: dict[str, pa.DataType], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = []
    for kind, column in zip(columns.values(), values, strict=True):
        arrays.append(pa.array(column, pa.binary(16)).cast(kind) if kind == pa.uuid() else pa.array(column, kind))
    return pa.table(dict(zip(columns, arrays, strict=True)))


def route(con: Connection, batch_id: str, **more: Any) -> dict[str, Any]:
    snapshot = load_snapshot(con, batch_id)
    decided: dict[str, Any] = {
        "loads": [], "accounts": accounts(), "reviews": waiting([]), "deliveries": intents(batch_id, []),
        "file_deliveries": folded(batch_id, []), **more,
    }  # fmt: skip
    commit_routing(con, batch_id, snapshot["seq"], **decided)
    return snapshot


def commit(store: Store, batch_id: str, **more: Any) -> dict[str, Any]:
    with store.transaction("store:routing") as con:
        return route(con, batch_id, **more)


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.read() as con:
        return [tuple(row) for row in con.execute(text(query))]


TOTALS = "SELECT owner, pool, turns_count, given_count, closed_count FROM aiqleads.owner_totals ORDER BY 1, 2"


def snapshot_of(store: Store, batch_id: str) -> dict[str, Any]:
    with store.connect() as con, con.begin() as begun:
        found = load_snapshot(con, batch_id)
        begun.rollback()
        return found


def test_counters_add_up_over_batches(store: Store) -> None:
    assert commit(store, "b1", loads=[Load("", "p1", 3, 0), Load("ann", "p1", 0, 2), Load("bob", "p1", 0, 1)]) == {
        "seq": 1, "turns": {}, "given": {}, "closed": {},
    }  # fmt: skip
    second = commit(store, "b2", loads=[Load("", "p1", 2, 0), Load("ann", "p1", 0, 1), Load("ann", "", 0, 4)])
    assert second == {
        "seq": 2, "turns": {"p1": 3}, "given": {"ann": 2, "bob": 1}, "closed": {"ann": 0, "bob": 0},
    }  # fmt: skip
    assert rows(store, TOTALS) == [
        ("", "p1", 5, 0, 0), ("ann", "", 0, 4, 0), ("ann", "p1", 0, 3, 0), ("bob", "p1", 0, 1, 0),
    ]  # fmt: skip


def test_a_batch_routed_again_sees_what_it_saw_and_counts_once(store: Store) -> None:
    commit(store, "b1", loads=[Load("", "p1", 1, 0), Load("ann", "p1", 0, 1)])
    loads = [Load("", "p1", 2, 0), Load("bob", "p1", 0, 2)]
    first = commit(store, "b2", loads=loads)
    commit(store, "b3", loads=[Load("", "p1", 4, 0), Load("ann", "p1", 0, 4)])
    before = rows(store, TOTALS)
    assert commit(store, "b2", loads=loads) == first
    assert rows(store, TOTALS) == before
    commit(store, "b2", loads=[Load("", "p2", 1, 0), Load("cid", "p2", 0, 1)])
    assert rows(store, TOTALS) == [
        ("", "p1", 5, 0, 0), ("", "p2", 1, 0, 0),
        ("ann", "p1", 0, 5, 0), ("bob", "p1", 0, 0, 0), ("cid", "p2", 0, 1, 0),
    ]  # fmt: skip


def test_a_snapshot_is_pinned_only_with_what_was_decided_from_it(store: Store) -> None:
    with pytest.raises(RuntimeError, match="killed"), store.transaction("store:routing") as con:
        route(con, "b1", loads=[Load("ann", "p1", 0, 1)])
        raise RuntimeError("killed")
    commit(store, "b2", loads=[Load("ann", "p1", 0, 5)])
    assert snapshot_of(store, "b1")["given"] == {"ann": 5}


def test_the_own_part_is_left_out_of_a_snapshot_without_a_pin(store: Store) -> None:
    commit(store, "b1", loads=[Load("ann", "p1", 0, 5)])
    commit(store, "b2", loads=[Load("ann", "p1", 0, 2)])
    with store.transaction("test:unpin") as con:
        con.execute(text("DELETE FROM aiqleads.pins WHERE batch_id = 'b1'"))
    assert snapshot_of(store, "b1")["given"] == {"ann": 2}


def owners(store: Store, seq: int, *companies: str) -> dict[str, str]:
    asked = pa.table({"company_domain": pa.array([f"{company}.com" for company in companies], pa.string())})
    with store.transaction("store:routing") as con:
        found = find_accounts(con, asked, seq).to_pylist()
    return {row["company_domain"].removesuffix(".com"): row["owner"] for row in found}


def test_accounts_are_found_as_they_were_before_a_routing(store: Store) -> None:
    commit(store, "b1", accounts=accounts(acme="ann", globex="bob"))
    second = commit(store, "b2", accounts=accounts(initech="cid", acme="dan"))
    third = commit(store, "b3")
    assert (second["seq"], third["seq"]) == (2, 3)
    asked = ("acme", "globex", "initech", "hooli")
    assert owners(store, 1, *asked) == {}
    assert owners(store, second["seq"], *asked) == {"acme": "ann", "globex": "bob"}
    assert owners(store, third["seq"], *asked) == {"acme": "dan", "globex": "bob", "initech": "cid"}
    assert owners(store, third["seq"]) == {}


def test_a_batch_routed_again_replaces_its_accounts(store: Store) -> None:
    commit(store, "b1", accounts=accounts(acme="ann", globex="bob"))
    commit(store, "b2", accounts=accounts(initech="cid"))
    commit(store, "b1", accounts=accounts(acme="eve"))
    assert owners(store, 9, "acme", "globex", "initech") == {"acme": "eve", "initech": "cid"}


def test_the_review_queue_follows_the_last_run_but_for_what_a_person_decided(store: Store) -> None:
    commit(store, "b0", reviews=waiting([lead(1, drop=9)]))
    commit(store, "b1", reviews=waiting([lead(1), lead(2), lead(3)]))
    assert reviews.assign(store, lead(3), "ann", "sales", "me", [], NOW)
    commit(store, "b1", reviews=waiting([lead(2), lead(4)], code="no_capacity", suggestion="{}"))
    kept = "SELECT lead_id, reason_code, suggestion, owner FROM aiqleads.review_queue WHERE batch_id = 'b1' ORDER BY 1"
    assert rows(store, kept) == [
        (lead(2), "no_capacity", {}, None),
        (lead(3), "no_rule", {"team": "sales"}, "ann"),
        (lead(4), "no_capacity", {}, None),
    ]
    assert rows(store, "SELECT count(*) FROM aiqleads.review_queue WHERE batch_id = 'b0'") == [(1,)]


def states(store: Store, batch_id: str) -> dict[tuple[UUID, str], str]:
    return {(each.lead_id, each.destination): each.state for each in list_deliveries(store, batch_id=batch_id)}


def test_intents_are_written_once_and_follow_the_last_run(store: Store) -> None:
    commit(store, "b1", deliveries=intents("b1", [lead(1), lead(2), lead(3)]))
    with store.transaction("test:deliver") as con:
        con.execute(text("UPDATE aiqleads.outbox SET state = 'delivered' WHERE lead_id = :id"), {"id": lead(3)})
    commit(store, "b1", deliveries=intents("b1", [lead(2)], ["crm_file", "hook"]))
    assert states(store, "b1") == {
        (lead(1), "crm_file"): "cancelled",
        (lead(2), "crm_file"): "pending",
        (lead(2), "hook"): "pending",
        (lead(3), "crm_file"): "delivered",
    }
    commit(store, "b1", deliveries=intents("b1", [lead(1), lead(2), lead(3)]))
    assert states(store, "b1") == {
        (lead(1), "crm_file"): "pending",
        (lead(2), "crm_file"): "pending",
        (lead(2), "hook"): "cancelled",
        (lead(3), "crm_file"): "delivered",
    }


def test_what_a_file_delivered_stays_so_when_its_batch_is_routed_again(store: Store) -> None:
    commit(store, "b1", deliveries=intents("b1", [lead(1), lead(2)]))
    mark_batch_delivered(store, "b1", "crm_file", NOW)
    commit(store, "b1", deliveries=intents("b1", [lead(2), lead(3)]))
    again = {(lead(1), "crm_file"): "delivered", (lead(2), "crm_file"): "delivered", (lead(3), "crm_file"): "pending"}
    assert states(store, "b1") == again
    mark_batch_delivered(store, "b1", "crm_file", NOW + timedelta(hours=1))
    assert states(store, "b1") == dict.fromkeys(again, "delivered")
    assert [(each.attempts, each.delivered_at) for each in list_deliveries(store, batch_id="b1")] == [
        (1, NOW), (1, NOW), (1, NOW + timedelta(hours=1)),
    ]  # fmt: skip


def test_intents_of_a_file_stand_many_in_a_row_and_are_found_one_by_one(store: Store) -> None:
    commit(store, "b1", file_deliveries=folded("b1", [lead(1), lead(2), lead(5)]))
    commit(store, "b2", file_deliveries=folded("b2", [lead(1, drop=2)]))
    assert rows(store, "SELECT count(*) FROM aiqleads.outbox") == [(0,)]
    assert states(store, "b1") == {(lead(number), "crm_file"): "pending" for number in (1, 2, 5)}
    mark_batch_delivered(store, "b1", "crm_file", NOW)
    assert states(store, "b1") == {(lead(number), "crm_file"): "delivered" for number in (1, 2, 5)}
    (found,) = list_deliveries(store, lead_id=lead(2))
    assert (found.delivery_id, found.attempts, found.delivered_at) == (delivery_id(lead(2), "crm_file"), 1, NOW)
    assert find_delivery(store, found.delivery_id) == found
    assert list_deliveries(store, lead_id=lead(3)) == []
    assert find_delivery(store, delivery_id(lead(3), "crm_file")) is None
    assert count_batch(store, "b2") == {"crm_file": {"pending": 1}}


def test_intents_of_a_file_get_a_row_each_when_their_batch_is_routed_again(store: Store) -> None:
    commit(store, "b0", file_deliveries=folded("b0", [lead(1, drop=9)]))
    commit(store, "b1", file_deliveries=folded("b1", [lead(1), lead(2), lead(3)]))
    commit(store, "b1", file_deliveries=folded("b1", [lead(2), lead(3), lead(4)]))
    assert states(store, "b1") == {
        (lead(1), "crm_file"): "cancelled",
        **{(lead(number), "crm_file"): "pending" for number in (2, 3, 4)},
    }
    mark_batch_delivered(store, "b1", "crm_file", NOW)
    commit(store, "b1", file_deliveries=folded("b1", [lead(1), lead(2)]))
    assert states(store, "b1") == {
        (lead(1), "crm_file"): "pending",
        **{(lead(number), "crm_file"): "delivered" for number in (2, 3, 4)},
    }
    assert states(store, "b0") == {(lead(1, drop=9), "crm_file"): "pending"}


def test_what_a_person_assigned_is_not_cancelled_by_a_later_run(store: Store) -> None:
    commit(store, "b1", reviews=waiting([lead(1)]), deliveries=intents("b1", [lead(2)]))
    reviews.assign(store, lead(1), "ann", "sales", "me", ["crm_file"], NOW)
    commit(store, "b1", reviews=waiting([lead(1)]), deliveries=intents("b1", [lead(2)]))
    assert states(store, "b1") == {(lead(1), "crm_file"): "pending", (lead(2), "crm_file"): "pending"}
    assert rows(store, TOTALS) == [("ann", "", 0, 1, 0)]


def test_a_zombie_commits_nothing(store: Store) -> None:
    lease = take_lease(store, "batch:b1", "other-host:1:1:zombie", 30)
    assert lease is not None
    with pytest.raises(StoreError), store.transaction("store:routing", lease) as con:
        route(con, "b1", loads=[Load("ann", "p1", 0, 1)], deliveries=intents("b1", [lead(1)]))
        release_lease(store, lease)
        assert take_lease(store, "batch:b1", "other-host:2:2:successor", 30) is not None
    assert rows(store, TOTALS) == []
    assert list_deliveries(store, batch_id="b1") == []
    assert rows(store, "SELECT count(*) FROM aiqleads.pins") == [(0,)]


def test_batches_take_turns_from_snapshot_to_commit(store: Store) -> None:
    """Each adds one turn to what it saw; had two seen the same, the sum would be short."""
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait()
        with store.transaction("store:routing") as con:
            seen = load_snapshot(con, f"b{number}")["turns"].get("p1", 0)
            commit_routing(
                con, f"b{number}", 1, [Load("", "p1", 1, 0), Load(f"saw {seen}", "p1", 0, 1)],
                accounts(), waiting([]), intents("", []), folded("", []),
            )  # fmt: skip

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row[:4] for row in rows(store, TOTALS)] == [
        ("", "p1", 4, 0), *((f"saw {seen}", "p1", 0, 1) for seen in range(4)),
    ]  # fmt: skip


def test_the_lock_ends_with_its_transaction(store: Store) -> None:
    with store.transaction("store:routing") as con:
        routing_lock(con)
    with store.transaction("store:routing") as con:
        routing_lock(con)
        held = con.execute(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).scalar_one()
    assert held == 1


@pytest.mark.parametrize("size", [1, 3000])
def test_the_number_of_statements_does_not_grow_with_leads(store: Store, size: int) -> None:
    sent: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
    leads = [lead(number) for number in range(size)]
    for _ in range(2):
        sent.clear()
        commit(store, "b1", reviews=waiting(leads), deliveries=intents("b1", leads))
        assert len(sent) <= 24
    assert len(states(store, "b1")) == min(size, 1000)


def test_relations_of_duckdb_are_taken_as_they_are(store: Store) -> None:
    with duckdb.connect() as con:
        relation = con.sql(
            f"SELECT '{lead(1)}'::UUID AS lead_id, 'no_rule' AS reason_code, '{{}}' AS suggestion, "
            "'2026-11-23 15:45:30+00'::TIMESTAMPTZ AS opened_at"
        )
        commit(store, "b1", reviews=relation)
    assert rows(store, "SELECT lead_id, opened_at FROM aiqleads.review_queue") == [(lead(1), NOW)]
