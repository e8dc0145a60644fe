"""The life of a batch: who may move it, and when."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aiqleads_pipeline.reasons import REASONS
from resources.bucket import Bucket
from resources.store import batches
from resources.store.database import Store
from resources.store.drops import register
from resources.store.errors import LeaseLost
from resources.store.leases import release_lease, take_lease

NOW = datetime(2026, 11, 23, 15, 45, 30, tzinfo=UTC)


@pytest.fixture
def new_batch(store: Store, tmp_path: Path) -> Callable[..., str]:
    bucket = Bucket(str(tmp_path / "bucket"))

    def make(
        content: str = "content", source: str = "acme", received_at: datetime = NOW, channel: str = "upload"
    ) -> str:
        file = tmp_path / "leads.csv"
        file.write_text(content)
        return register(bucket, store, bucket.put(file, channel, source), received_at).batch_id

    return make


def test_one_of_many_wins_a_request(store: Store, new_batch: Callable[..., str]) -> None:
    batch_id = new_batch()
    start = threading.Barrier(5)
    won: list[str] = []

    def ask(name: str) -> None:
        start.wait()
        if batches.request_batch(store, batch_id, by=name):
            won.append(name)

    threads = [threading.Thread(target=ask, args=(f"worker {n}",)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batch = batches.batch(store, batch_id)
    assert len(won) == 1
    assert (batch.state, batch.requested_by, batch.attempts_count) == ("requested", won[0], 1)


def test_from_waiting_to_done(store: Store, new_batch: Callable[..., str]) -> None:
    batch_id = new_batch()
    assert batches.request_batch(store, batch_id, by="sensor", now=NOW)
    batches.mark_running(store, batch_id, "run 1")
    running = batches.batch(store, batch_id)
    assert (running.state, running.run_id, running.attempts_count, running.requested_at) == ("running", "run 1", 1, NOW)
    batches.mark_finished(store, batch_id, {"received": 3, "routed": 2}, now=NOW + timedelta(seconds=4))
    done = batches.batch(store, batch_id)
    assert (done.state, done.counts, done.finished_at) == (
        "done", {"received": 3, "routed": 2}, NOW + timedelta(seconds=4),
    )  # fmt: skip
    assert not batches.request_batch(store, batch_id, by="sensor")
    assert batches.open_batches(store) == []


def test_each_request_is_an_attempt_and_so_is_a_run_without_one(store: Store, new_batch: Callable[..., str]) -> None:
    batch_id = new_batch()
    batches.request_batch(store, batch_id, by="sensor")
    batches.mark_running(store, batch_id, "run 1")
    batches.mark_failed(store, batch_id, "run_failed", "disk full")
    failed = batches.batch(store, batch_id)
    assert (failed.state, failed.reason_code, failed.detail) == ("failed", "run_failed", "disk full")
    assert "run_failed" in REASONS
    assert not batches.request_batch(store, batch_id, by="sensor")
    assert batches.reopen(store, batch_id)
    assert batches.request_batch(store, batch_id, by="sensor")
    batches.mark_running(store, batch_id, "run 2")
    batches.mark_finished(store, batch_id, {})
    batches.mark_running(store, batch_id, "by hand")
    assert batches.batch(store, batch_id).attempts_count == 3


def test_a_batch_that_is_done_or_waits_is_not_reopened(store: Store, new_batch: Callable[..., str]) -> None:
    batch_id = new_batch()
    assert not batches.reopen(store, batch_id)
    batches.mark_finished(store, batch_id, {})
    assert not batches.reopen(store, batch_id)
    assert batches.batch(store, batch_id).state == "done"


def test_a_zombie_cannot_mark_its_batch(store: Store, new_batch: Callable[..., str]) -> None:
    batch_id = new_batch()
    lease = take_lease(store, f"batch:{batch_id}", "other-host:1:1:zombie", 30)
    assert lease is not None
    batches.mark_running(store, batch_id, "run 1", lease=lease)
    release_lease(store, lease)
    assert take_lease(store, f"batch:{batch_id}", "other-host:2:2:successor", 30) is not None
    for write in (
        lambda: batches.mark_finished(store, batch_id, {}, lease=lease),
        lambda: batches.mark_failed(store, batch_id, "run_failed", "", lease=lease),
        lambda: batches.mark_quarantined(store, batch_id, "empty_file", "", lease=lease),
    ):
        with pytest.raises(LeaseLost):
            write()
    assert batches.batch(store, batch_id).state == "running"


def test_requests_nobody_took_up_wait_again(store: Store, new_batch: Callable[..., str]) -> None:
    forgotten, young, taken = new_batch("1"), new_batch("2"), new_batch("3")
    for batch_id, age in ((forgotten, 100), (young, 10), (taken, 100)):
        batches.request_batch(store, batch_id, by="sensor", now=NOW - timedelta(seconds=age))
    assert take_lease(store, f"batch:{taken}", "other-host:1:1:run", 30) is not None
    assert batches.release_stale_requests(store, NOW - timedelta(seconds=60)) == [forgotten]
    assert batches.release_stale_requests(store, NOW - timedelta(seconds=60)) == []
    states = {batch_id: batches.batch(store, batch_id).state for batch_id in (forgotten, young, taken)}
    assert states == {forgotten: "waiting", young: "requested", taken: "requested"}
    assert batches.request_batch(store, forgotten, by="sensor")


def test_open_batches_are_listed_oldest_first(store: Store, new_batch: Callable[..., str]) -> None:
    second, first = new_batch("2"), new_batch("1", received_at=NOW - timedelta(days=1))
    failed, quarantined = new_batch("3", channel="webhook", received_at=NOW + timedelta(1)), new_batch("4")
    batches.mark_failed(store, failed, "run_failed", "x")
    batches.mark_quarantined(store, quarantined, "empty_file", "x")
    assert [batch.batch_id for batch in batches.open_batches(store)] == [first, second, failed]
    assert [batch.batch_id for batch in batches.open_batches(store, state="waiting")] == [first, second]
    assert [batch.batch_id for batch in batches.open_batches(store, channel="webhook")] == [failed]


def test_a_sources_history_is_its_last_good_batches(store: Store, new_batch: Callable[..., str]) -> None:
    for day in range(4):
        batches.mark_finished(store, new_batch(str(day), received_at=NOW + timedelta(days=day)), {"received": day})
    batches.mark_failed(store, new_batch("failed"), "run_failed", "x")
    batches.mark_finished(store, new_batch("0", source="globex"), {"received": 99})
    assert [batch.counts for batch in batches.source_history(store, "acme", limit=3)] == [
        {"received": 3}, {"received": 2}, {"received": 1},
    ]  # fmt: skip


def test_old_ended_batches_are_retired_once(store: Store, new_batch: Callable[..., str]) -> None:
    old = [new_batch(str(n), received_at=NOW - timedelta(days=100 - n)) for n in range(3)]
    young = new_batch("young")
    for batch_id in (*old[:2], young):
        batches.mark_finished(store, batch_id, {})
    limit = NOW - timedelta(days=90)
    assert [batch.batch_id for batch in batches.batches_to_retire(store, limit)] == old[:2]
    batches.mark_retired(store, old[:1], NOW)
    assert [batch.batch_id for batch in batches.batches_to_retire(store, limit)] == old[1:2]
    batches.mark_failed(store, old[0], "run_failed", "run by hand")
    batches.reopen(store, old[0])
    batches.mark_finished(store, old[0], {})
    assert [batch.batch_id for batch in batches.batches_to_retire(store, limit)] == old[:2]
    batches.mark_retired(store, [], NOW)


def test_a_batch_that_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(batches.UnknownBatch, match="there is no batch 'nothing'"):
        batches.batch(store, "nothing")
    with pytest.raises(batches.UnknownBatch):
        batches.mark_running(store, "nothing", "run")
    with pytest.raises(batches.UnknownBatch):
        batches.mark_finished(store, "nothing", {})
