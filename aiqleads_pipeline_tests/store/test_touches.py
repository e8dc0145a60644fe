from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pyarrow as pa

from resources.store.database import Store
from resources.store.touches import count_touches, record_repeats

NOW = datetime(2026, 11, 23, 15, 45, 30, tzinfo=UTC)


def lead(number: int) -> UUID:
    return UUID(int=(1 << 80) + (8 << 76) + (2 << 62) + number)


def repeat(store: Store, batch: str, pairs: dict[int, int], at: datetime = NOW) -> None:
    def ids(numbers: list[int]) -> pa.Array:
        return pa.array([lead(number).bytes for number in numbers], pa.binary(16)).cast(pa.uuid())

    duplicates = pa.table({"lead_id": ids(list(pairs)), "existing_lead_id": ids(list(pairs.values()))})
    record_repeats(store, None, batch, duplicates, at)


def counts(store: Store, until: datetime = NOW, leads: list[int] | None = None) -> dict[int, tuple[int, datetime]]:
    asked = None if leads is None else [lead(number) for number in leads]
    found = count_touches(store, until, asked).to_pylist()
    return {row["lead_id"].int & 0xFFFF: (row["touches_count"], row["last_touched_at"]) for row in found}


def test_each_repeating_row_is_one_touch_however_often_its_batch_is_run(store: Store) -> None:
    for _ in range(2):
        repeat(store, "b1", {11: 1, 12: 1, 13: 2})
    repeat(store, "b2", {21: 1}, at=NOW + timedelta(days=1))
    assert counts(store) == {1: (2, NOW), 2: (1, NOW)}
    assert counts(store, until=NOW + timedelta(days=1)) == {1: (3, NOW + timedelta(days=1)), 2: (1, NOW)}
    assert counts(store, until=NOW - timedelta(seconds=1)) == {}
    assert counts(store, leads=[2, 9]) == {2: (1, NOW)}
    assert counts(store, leads=[]) == {}


def test_a_batch_run_again_replaces_its_touches(store: Store) -> None:
    repeat(store, "b1", {11: 1, 12: 1, 13: 2})
    repeat(store, "b2", {21: 1})
    repeat(store, "b1", {12: 3, 13: 2})
    assert counts(store) == {1: (1, NOW), 2: (1, NOW), 3: (1, NOW)}
    repeat(store, "b1", {})
    assert counts(store) == {1: (1, NOW)}
