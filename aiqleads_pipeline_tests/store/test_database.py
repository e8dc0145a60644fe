"""Transactions: committed whole, refused without the lease, named, translated errors."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, InternalError

from resources.durable import CRASH_LOG
from resources.store.database import Store
from resources.store.errors import LeaseLost, StoreError, StoreUnavailable
from resources.store.leases import release_lease, take_lease
from resources.store.pins import pin

INSERT = text("INSERT INTO aiqleads.touches VALUES (gen_random_uuid(), gen_random_uuid(), :batch_id, 'email', now())")


def touches(store: Store) -> list[str]:
    with store.read() as con:
        return list(con.execute(text("SELECT batch_id FROM aiqleads.touches ORDER BY batch_id")).scalars())


def test_a_transaction_commits_at_its_end_and_not_at_all_on_an_error(store: Store) -> None:
    with store.transaction("store:touch") as con:
        con.execute(INSERT, {"batch_id": "a"})
    with pytest.raises(KeyError), store.transaction("store:touch") as con:
        con.execute(INSERT, {"batch_id": "b"})
        raise KeyError
    assert touches(store) == ["a"]


def test_each_commit_passes_its_two_crash_points_and_a_failed_one_only_none(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "points"
    monkeypatch.setenv(CRASH_LOG, str(log))
    with store.transaction("store:touch") as con:
        con.execute(INSERT, {"batch_id": "a"})
    with pytest.raises(KeyError), store.transaction("store:other"):
        raise KeyError
    assert log.read_text().split() == ["before:store:touch", "after:store:touch"]


def test_a_lost_lease_refuses_the_commit_and_a_kept_one_does_not(store: Store) -> None:
    lease = take_lease(store, "batch", "elsewhere:1:1:r", 60)
    assert lease is not None
    with store.transaction("store:touch", lease) as con:
        con.execute(INSERT, {"batch_id": "mine"})
    with pytest.raises(LeaseLost), store.transaction("store:touch", lease) as con:
        con.execute(INSERT, {"batch_id": "too late"})
        release_lease(store, lease)
    assert touches(store) == ["mine"]


def test_reading_is_read_only(store: Store) -> None:
    with pytest.raises(InternalError, match="read-only"), store.read() as con:
        con.execute(INSERT, {"batch_id": "a"})
    with store.transaction("store:touch") as con:  # the pooled connection can write again
        con.execute(INSERT, {"batch_id": "a"})
    assert touches(store) == ["a"]


def test_an_ended_session_is_transient_and_a_broken_constraint_is_not(store: Store) -> None:
    with pytest.raises(StoreUnavailable), store.transaction("store:touch") as con, store.transaction("store:kill") as k:
        k.execute(
            text("SELECT pg_terminate_backend(:pid)"),
            {"pid": con.execute(text("SELECT pg_backend_pid()")).scalar_one()},
        )
        con.execute(INSERT, {"batch_id": "a"})
    with pytest.raises(IntegrityError), store.transaction("store:touch") as con:
        con.execute(INSERT, {"batch_id": None})
    assert touches(store) == []


def test_an_error_tells_no_parameters(store: Store) -> None:
    with pytest.raises(IntegrityError) as raised, store.transaction("store:touch") as con:
        con.execute(text("INSERT INTO aiqleads.touches (batch_id, kind) VALUES (:b, :k)"), {"b": "x", "k": "secret"})
    assert "[SQL parameters hidden" in str(raised.value)


@pytest.mark.parametrize("url", ["mysql://root:hunter2@localhost/x", "hunter2", "postgresql://u:hunter2@h:notaport/x"])
def test_an_url_that_is_no_postgresql_is_refused_without_quoting_it(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as raised:
        Store.open(url, tmp_path)
    assert "hunter2" not in str(raised.value)


def test_an_external_url_gets_the_drivers_that_each_side_needs(tmp_path: Path) -> None:
    with Store.open("postgres://u:hunter2@db.example/x?sslmode=require", tmp_path) as store:
        assert store.url == "postgresql+psycopg://u:hunter2@db.example/x?sslmode=require"
        assert store.dagster_url == "postgresql+psycopg2://u:hunter2@db.example/x?sslmode=require"
        assert "hunter2" not in repr(store)


def test_a_database_that_is_not_there_is_transient(tmp_path: Path) -> None:
    with (
        Store.open(f"postgresql://u@/x?host={tmp_path}", tmp_path) as store,
        pytest.raises(StoreUnavailable, match="not available"),
        store.read(),
    ):
        pass


def test_a_forked_child_uses_connections_of_its_own(store: Store) -> None:
    with store.read() as con:
        parents = con.execute(text("SELECT pg_backend_pid()")).scalar_one()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # only system calls and the store here: pytest must not run in the child
        try:
            with store.read() as con:
                os.write(writing, str(con.execute(text("SELECT pg_backend_pid()")).scalar_one()).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        childs = int(answer.read())
    assert childs != parents
    with store.read() as con:
        assert con.execute(text("SELECT pg_backend_pid()")).scalar_one() == parents


def test_a_step_pins_once_and_reads_the_same_for_ever(store: Store) -> None:
    calls = []

    def compute() -> dict[str, int]:
        calls.append(1)
        return {"turns": len(calls)}

    assert [pin(store, "b1", "route", compute) for _ in range(3)] == [{"turns": 1}] * 3
    with pytest.raises(KeyError), store.transaction("store:route") as con:
        assert pin(con, "b2", "route", compute) == {"turns": 2}
        raise KeyError
    assert pin(store, "b2", "route", compute) == {"turns": 3}  # the first was rolled back with its transaction


def _pin_in_child(url: str, value: int, answers: multiprocessing.SimpleQueue[object]) -> None:
    with Store.open(url, Path("/nonexistent")) as store:
        answers.put(pin(store, "b", "s", lambda: {"value": value}))


def test_of_two_who_pin_at_once_both_get_the_first_value(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    children = [context.Process(target=_pin_in_child, args=(store.url, i, answers)) for i in range(2)]
    for child in children:
        child.start()
    first, second = answers.get(), answers.get()
    for child in children:
        child.join()
    assert first == second
