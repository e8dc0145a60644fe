"""The ledger: whoever looks, and however often, each content of a source makes one batch."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from resources.bucket import Bucket
from resources.store import drops as drops_module
from resources.store.database import Store
from resources.store.drops import Discovery, discover, drops_of, open_batches, register

NOW = datetime(2026, 11, 23, 15, 45, 30, tzinfo=UTC)
SETTLE = 2.0


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    bucket = Bucket(str(tmp_path / "bucket"))
    bucket.prepare()
    return bucket


def drop(bucket: Bucket, path: str, content: str = "email\na@example.com\n", age_seconds: float = 60) -> Path:
    file = Path(bucket.url, path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    written = (NOW - timedelta(seconds=age_seconds)).timestamp()
    os.utime(file, (written, written))
    return file


def look(bucket: Bucket, store: Store, now: datetime = NOW, **more: Any) -> Discovery:
    return discover(bucket, store, now, SETTLE, **{"remembered": {}, **more})


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.read() as con:
        return [tuple(row) for row in con.execute(text(query))]


def test_a_new_file_makes_one_waiting_batch(bucket: Bucket, store: Store) -> None:
    drop(bucket, "uploads/acme/leads.csv", "content")
    found = look(bucket, store)
    (batch,) = open_batches(store)
    assert found == Discovery((batch.batch_id,), (), {}, {})
    assert (batch.source, batch.channel, batch.state, batch.size_bytes, batch.received_at, batch.counts) == (
        "acme", "upload", "waiting", 7, NOW, {},
    )  # fmt: skip
    (kept,) = drops_of(store, batch.batch_id)
    assert (kept.name, kept.size_bytes, kept.is_repeat, kept.first_seen_at) == ("leads.csv", 7, False, NOW)
    assert bucket.local_path(kept.archive_uri, Path("/nonexistent")).read_text() == "content"
    assert re.fullmatch(rf"20261123T154530Z-{kept.content_sha256[:10]}-[0-9a-f]{{6}}", batch.batch_id)


def test_the_same_tick_twice_finds_nothing_new(bucket: Bucket, store: Store) -> None:
    drop(bucket, "uploads/acme/leads.csv")
    first = look(bucket, store)
    assert look(bucket, store) == Discovery((), (), {}, {})
    assert look(bucket, store, now=NOW + timedelta(hours=1)) == Discovery((), (), {}, {})
    assert [batch.batch_id for batch in open_batches(store)] == list(first.batches)
    assert rows(store, "SELECT count(*) FROM aiqleads.drops") == [(1,)]


def test_one_channel_can_be_looked_at_alone(bucket: Bucket, store: Store) -> None:
    drop(bucket, "uploads/acme/leads.csv")
    drop(bucket, "webhooks/meta/1.json", "{}")
    look(bucket, store, channel="webhook")
    assert [batch.source for batch in open_batches(store)] == ["meta"]
    look(bucket, store, channel="upload")
    assert [batch.source for batch in open_batches(store)] == ["acme", "meta"]
    assert [batch.source for batch in open_batches(store, state="waiting", channel="upload")] == ["acme"]


def test_a_young_file_waits_until_it_stands_still(bucket: Bucket, store: Store) -> None:
    file = drop(bucket, "uploads/acme/leads.csv", "half", age_seconds=0.5)
    first = look(bucket, store)
    assert first.batches == () and list(first.waiting) == [str(file)]
    file = drop(bucket, "uploads/acme/leads.csv", "half and more", age_seconds=0.2)
    second = look(bucket, store, remembered=first.waiting)
    assert second.batches == () and second.waiting != first.waiting
    third = look(bucket, store, remembered=second.waiting)
    assert len(third.batches) == 1 and third.waiting == {}
    assert [each.size_bytes for each in drops_of(store, third.batches[0])] == [13]


def test_an_old_file_needs_no_second_look(bucket: Bucket, store: Store) -> None:
    drop(bucket, "uploads/acme/old.csv", "old", age_seconds=SETTLE)
    drop(bucket, "uploads/acme/young.csv", "young", age_seconds=SETTLE - 0.1)
    drop(bucket, "uploads/acme/future.csv", "future", age_seconds=-3600)
    found = look(bucket, store)
    assert len(found.batches) == 1
    assert sorted(Path(uri).name for uri in found.waiting) == ["future.csv", "young.csv"]


def test_a_file_that_changes_while_it_is_read_waits(
    bucket: Bucket, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = drop(bucket, "uploads/acme/leads.csv", "half")
    scan = Bucket.scan

    def scan_and_grow(self: Bucket, channel: str | None = None) -> Any:
        listing = scan(self, channel)
        drop(bucket, "uploads/acme/leads.csv", "half and more")
        return listing

    with monkeypatch.context() as patched:
        patched.setattr(Bucket, "scan", scan_and_grow)
        found = look(bucket, store)
    assert found.batches == () and list(found.waiting) == [str(file)]
    assert len(look(bucket, store, remembered=found.waiting).batches) == 1


def test_the_same_bytes_under_another_name_are_a_repeat(bucket: Bucket, store: Store) -> None:
    drop(bucket, "uploads/acme/leads.csv", "same")
    (batch_id,) = look(bucket, store).batches
    drop(bucket, "uploads/acme/copy of leads.csv", "same")
    later = look(bucket, store)
    assert later.batches == ()
    assert [(each.name, each.batch_id, each.is_repeat) for each in later.repeats] == [
        ("copy of leads.csv", batch_id, True)
    ]
    assert [each.name for each in drops_of(store, batch_id)] == ["leads.csv"]
    assert look(bucket, store).repeats == ()
    assert len(open_batches(store)) == 1


def test_twins_of_one_tick_make_one_batch(bucket: Bucket, store: Store) -> None:
    drop(bucket, "uploads/acme/a.csv", "same")
    drop(bucket, "uploads/acme/b.csv", "same")
    found = look(bucket, store)
    assert len(found.batches) == 1
    assert [(each.name, each.batch_id) for each in found.repeats] == [("b.csv", found.batches[0])]


def test_the_same_bytes_of_two_sources_are_two_batches(bucket: Bucket, store: Store) -> None:
    drop(bucket, "uploads/acme/leads.csv", "same")
    drop(bucket, "uploads/globex/leads.csv", "same")
    found = look(bucket, store)
    assert len(set(found.batches)) == 2 and found.repeats == ()


def test_a_changed_file_is_a_new_batch(bucket: Bucket, store: Store) -> None:
    drop(bucket, "uploads/acme/leads.csv", "one")
    first = look(bucket, store).batches
    drop(bucket, "uploads/acme/leads.csv", "two", age_seconds=30)
    second = look(bucket, store, now=NOW + timedelta(seconds=1)).batches
    assert len(first) == len(second) == 1 and first < second


@pytest.mark.parametrize("mark", [drops_module.mark_quarantined, drops_module.mark_failed])
def test_a_repeat_lets_a_quarantined_or_failed_batch_wait_again(bucket: Bucket, store: Store, mark: Any) -> None:
    drop(bucket, "uploads/acme/leads.csv", "same")
    (batch_id,) = look(bucket, store).batches
    mark(store, batch_id, "no_contact_column", "tried: a, b")
    assert drops_module.batch(store, batch_id).reason_code == "no_contact_column"
    assert look(bucket, store).batches == ()
    drop(bucket, "uploads/acme/leads.csv", "same", age_seconds=10)  # dropped again under its name
    again = look(bucket, store, now=NOW + timedelta(minutes=5))
    assert again.batches == (batch_id,)
    batch = drops_module.batch(store, batch_id)
    assert (batch.state, batch.reason_code, batch.detail, batch.received_at) == ("waiting", None, None, NOW)


def test_a_repeat_of_a_batch_that_is_done_changes_nothing(bucket: Bucket, store: Store) -> None:
    drop(bucket, "uploads/acme/leads.csv", "same")
    (batch_id,) = look(bucket, store).batches
    drops_module.mark_finished(store, batch_id, {"received": 1})
    drop(bucket, "uploads/acme/copy.csv", "same")
    assert look(bucket, store).batches == ()
    assert drops_module.batch(store, batch_id).state == "done"


def test_small_webhook_drops_of_a_tick_share_a_batch_by_source(bucket: Bucket, store: Store) -> None:
    for number in range(5):
        drop(bucket, f"webhooks/meta/{number}.json", f'{{"n": {number}}}', age_seconds=60 - number)
    drop(bucket, "webhooks/google/1.json", '{"n": 1}')
    drop(bucket, "uploads/meta/1.csv", "one")
    drop(bucket, "uploads/meta/2.csv", "two")
    found = look(bucket, store)
    batches = {batch.batch_id: batch for batch in open_batches(store)}
    assert sorted((batch.source, batch.channel, batch.size_bytes) for batch in batches.values()) == [
        ("google", "webhook", 8), ("meta", "upload", 3), ("meta", "upload", 3), ("meta", "webhook", 40),
    ]  # fmt: skip
    assert set(found.batches) == set(batches)
    gathered = next(batch for batch in batches.values() if batch.size_bytes == 40)
    assert [each.name for each in drops_of(store, gathered.batch_id)] == [f"{number}.json" for number in range(5)]


def test_gathered_batches_are_bounded(bucket: Bucket, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drops_module, "GATHER_DROPS", 3)
    monkeypatch.setattr(drops_module, "GATHER_BYTES", 100)
    for number, size in enumerate((10, 10, 10, 10, 95, 10, 200, 10)):
        drop(bucket, f"webhooks/meta/{number}.json", str(number) * size, age_seconds=60 - number)
    found = look(bucket, store)
    groups = [[int(each.name[0]) for each in drops_of(store, batch_id)] for batch_id in found.batches]
    assert groups == [[0, 1, 2], [3], [4], [5], [6], [7]]


def test_a_flood_is_taken_in_over_several_ticks(bucket: Bucket, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drops_module, "TICK_OBJECTS", 2)
    for number in range(5):
        drop(bucket, f"uploads/acme/{number}.csv", str(number), age_seconds=60 - number)
    seen = []
    waiting: dict[str, str] = {}
    for tick in range(4):
        found = look(bucket, store, now=NOW + timedelta(seconds=tick), remembered=waiting)
        waiting = found.waiting
        seen.append((len(found.batches), len(waiting)))
    assert seen == [(2, 3), (2, 1), (1, 0), (0, 0)]


def test_what_cannot_be_read_holds_nothing_up(bucket: Bucket, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = drop(bucket, "uploads/acme/bad.csv", "bad", age_seconds=90)
    drop(bucket, "uploads/acme/good.csv", "good")
    drop(bucket, "uploads/stray.csv")
    archive = Bucket.archive

    def archive_but_bad(self: Bucket, obj: Any) -> Any:
        if obj.name == "bad.csv":
            raise PermissionError(13, "Permission denied", str(bad))
        return archive(self, obj)

    monkeypatch.setattr(Bucket, "archive", archive_but_bad)
    found = look(bucket, store)
    assert len(found.batches) == 1
    assert list(found.waiting) == [str(bad)]
    assert found.problems == {
        str(bad): "can't be read: Permission denied",
        "uploads/stray.csv": "lies in no source's folder",
    }


def test_threads_that_look_at_once_make_one_batch_each_content(bucket: Bucket, store: Store) -> None:
    for number in range(20):
        drop(bucket, f"uploads/acme/{number}.csv", f"content {number % 10}")
        drop(bucket, f"webhooks/meta/{number}.json", f"payload {number}")
    start = threading.Barrier(4)
    found: list[Discovery] = []

    def work() -> None:
        start.wait()
        found.append(look(bucket, store))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = sorted(batch_id for each in found for batch_id in each.batches)
    assert told == sorted(batch.batch_id for batch in open_batches(store))
    assert len(told) == 11
    assert rows(store, "SELECT is_repeat, count(*) FROM aiqleads.drops GROUP BY 1 ORDER BY 1") == [
        (False, 30), (True, 10),
    ]  # fmt: skip


LOOK = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from resources.bucket import Bucket
from resources.store.database import Store
from resources.store.drops import discover
sys.stdin.readline()
with Store.open(sys.argv[1], Path("/nonexistent")) as store:
    found = discover(Bucket(sys.argv[2]), store, datetime(2026, 11, 23, 15, 45, 30, tzinfo=UTC), 2.0, {})
print(len(found.batches))
"""


def test_processes_that_look_at_once_make_one_batch(bucket: Bucket, store: Store) -> None:
    drop(bucket, "uploads/acme/leads.csv")
    command = [sys.executable, "-c", LOOK, store.url, bucket.url]
    root = Path(__file__).parents[2]
    children = [
        subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    assert sorted(child.communicate()[0].strip() for child in children) == ["0", "1"]
    assert len(open_batches(store)) == 1


def test_a_user_registers_a_file_and_the_watcher_leaves_it_alone(bucket: Bucket, store: Store, tmp_path: Path) -> None:
    given = tmp_path / "leads.csv"
    given.write_text("content")
    obj = bucket.put(given, "upload", "acme")
    mine = register(bucket, store, obj, NOW)
    assert register(bucket, store, obj, NOW + timedelta(seconds=9)).batch_id == mine.batch_id
    assert look(bucket, store, now=NOW + timedelta(days=9999)) == Discovery((), (), {}, {})
    again = register(bucket, store, bucket.put(given, "upload", "acme"), NOW)
    assert (again.batch_id, again.is_repeat, again.name != mine.name) == (mine.batch_id, True, True)


def test_odd_names_reach_the_ledger(bucket: Bucket, store: Store) -> None:
    drop(bucket, "uploads/Müller & Co/" + "d" * 200 + "/" + os.fsdecode(b"a\n[1]\xff.csv"))
    drop(bucket, "uploads/acme/" + "/".join(["🙂" * 50] * 12) + "/leads.csv")
    assert len(look(bucket, store).batches) == 2
    assert look(bucket, store).batches == ()


def test_a_listing_costs_one_statement_whatever_its_length(bucket: Bucket, store: Store) -> None:
    from sqlalchemy import event

    for number in range(30):
        drop(bucket, f"uploads/acme/{number}.csv", str(number))
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    look(bucket, store)
    first = len(statements)
    statements.clear()
    look(bucket, store)
    assert len(statements) == 1
    assert first <= 8
