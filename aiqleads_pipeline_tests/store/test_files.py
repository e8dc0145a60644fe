"""The file destination with the outbox: what is marked delivered lies in a file, and the other way round."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest
from duckdb import DuckDBPyConnection, DuckDBPyRelation
from sqlalchemy import text

from resources import files
from resources.files import deliver_batch, deliver_due, stage_batch
from resources.store import deliveries, reviews
from resources.store.database import Store
from resources.store.deliveries import count_batch, delivery_id
from resources.store.errors import LeaseLost
from resources.store.leases import release_lease, take_lease

NOW = datetime(2026, 11, 23, 15, 45, 30, tzinfo=UTC)


@pytest.fixture
def con() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect() as con:
        yield con


def lead(number: int) -> UUID:
    return UUID(int=(1 << 80) + (8 << 76) + (2 << 62) + number)


def intend(store: Store, numbers: Sequence[int], batch: str = "b1") -> None:
    insert = text(
        "INSERT INTO aiqleads.outbox (delivery_id, lead_id, batch_id, destination, priority, state, created_at) "
        "VALUES (:id, :lead, :batch, 'crm_file', 2, 'pending', :now)"
    )
    with store.transaction("test:intend") as transaction:
        for number in numbers:
            ids = {"id": delivery_id(lead(number), "crm_file"), "lead": lead(number)}
            transaction.execute(insert, {**ids, "batch": batch, "now": NOW})


def payload(con: DuckDBPyConnection, lead_ids: Sequence[UUID]) -> DuckDBPyRelation:
    leads = con.sql(f"SELECT unnest({[str(each) for each in lead_ids]}) AS lead_id")
    return leads.project("'{\"lead_id\":\"' || lead_id || '\"}' || chr(10)")


def leads_in(folder: Path) -> dict[str, list[UUID]]:
    return {
        file.name: [UUID(json.loads(line)["lead_id"]) for line in file.read_text().splitlines()]
        for file in sorted(folder.glob("[!.]*"))
    }


def test_a_batch_goes_out_in_one_file_however_often_it_is_run(
    store: Store, con: DuckDBPyConnection, tmp_path: Path
) -> None:
    intend(store, [1, 2])
    lead_ids = [lead(1), lead(2)]
    for seen_before in ({}, {"b1.ndjson": lead_ids}):
        staged = stage_batch([payload(con, lead_ids)], tmp_path, "b1")
        assert leads_in(tmp_path) == seen_before
        deliver_batch(store, staged, "crm_file", "b1", NOW)
    assert leads_in(tmp_path) == {"b1.ndjson": lead_ids}
    assert count_batch(store, "b1") == {"crm_file": {"delivered": 2}}


def test_a_zombie_neither_writes_nor_marks(store: Store, con: DuckDBPyConnection, tmp_path: Path) -> None:
    intend(store, [1])
    lease = take_lease(store, "batch:b1", "other-host:1:1:zombie", 30)
    assert lease is not None
    release_lease(store, lease)
    staged = stage_batch([payload(con, [lead(1)])], tmp_path, "b1")
    with pytest.raises(LeaseLost):
        deliver_batch(store, staged, "crm_file", "b1", NOW, lease)
    staged.discard()
    assert leads_in(tmp_path) == {}
    assert count_batch(store, "b1") == {"crm_file": {"pending": 1}}


def test_what_a_person_assigned_goes_out_on_its_own(store: Store, con: DuckDBPyConnection, tmp_path: Path) -> None:
    insert = text(
        "INSERT INTO aiqleads.review_queue (lead_id, batch_id, reason_code, suggestion, opened_at) "
        "VALUES (:lead, :batch, 'no_rule', '{}', :now)"
    )
    with store.transaction("test:wait") as transaction:
        for number, batch in ((1, "b1"), (2, "b1"), (3, "b2")):
            transaction.execute(insert, {"lead": lead(number), "batch": batch, "now": NOW})
    for number in (1, 2, 3):
        assert reviews.assign(store, lead(number), "ann", "sales", "me", ["crm_file"], NOW)

    def list_lines(batch_id: str, lead_ids: Sequence[UUID]) -> DuckDBPyRelation:
        return payload(con, lead_ids)

    assert deliver_due(store, "crm_file", tmp_path, list_lines, NOW) == 3
    assert deliver_due(store, "crm_file", tmp_path, list_lines, NOW + timedelta(days=1)) == 0
    found = leads_in(tmp_path)
    assert [name.split(".")[0] for name in found] == ["b1", "b2"]
    assert list(found.values()) == [[lead(1), lead(2)], [lead(3)]]
    assert count_batch(store, "b1") == {"crm_file": {"delivered": 2}}


def test_dying_between_file_and_mark_gives_the_same_file_again(
    store: Store, con: DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intend(store, [1])
    with store.transaction("test:due") as transaction:
        transaction.execute(text("UPDATE aiqleads.outbox SET next_attempt_at = :now"), {"now": NOW})

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    def list_lines(batch_id: str, lead_ids: Sequence[UUID]) -> DuckDBPyRelation:
        return payload(con, lead_ids)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(files, "mark_delivered", die)
        deliver_due(store, "crm_file", tmp_path, list_lines, NOW, hold_seconds=60)
    before = leads_in(tmp_path)
    assert deliver_due(store, "crm_file", tmp_path, list_lines, NOW + timedelta(seconds=59)) == 0
    assert deliver_due(store, "crm_file", tmp_path, list_lines, NOW + timedelta(seconds=61)) == 1
    assert leads_in(tmp_path) == before
    assert [each.attempts for each in deliveries.list_deliveries(store)] == [2]
