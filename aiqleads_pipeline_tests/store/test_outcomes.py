from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from resources.store.database import Store
from resources.store.outcomes import record_outcomes

Outcome = tuple[int, str, int, float | None, str | None]  # lead, result, day of November, revenue, owner


def lead(number: int) -> UUID:
    return UUID(int=(1 << 80) + (8 << 76) + (2 << 62) + number)


def day(number: int) -> datetime:
    return datetime(2026, 11, number, tzinfo=UTC)


def record(store: Store, *outcomes: Outcome, batch: str = "o1") -> int:
    leads, results, days, revenues, owners = list(zip(*outcomes, strict=True)) or [()] * 5
    rows = {
        "lead_id": pa.array([lead(number).bytes for number in leads], pa.binary(16)).cast(pa.uuid()),
        "result": pa.array(results, pa.string()),
        "closed_at": pa.array([day(number) for number in days], pa.timestamp("us", "UTC")),
        "revenue_usd": pa.array(revenues, pa.float64()),
        "owner": pa.array(owners, pa.string()),
        "is_bounced": pa.array([result == "returned" for result in results], pa.bool_()),
    }
    return record_outcomes(store, pa.table(rows), batch)


def known(store: Store) -> list[tuple[Any, ...]]:
    query = "SELECT lead_id, result, closed_at, revenue_usd, owner, batch_id FROM aiqleads.outcomes ORDER BY lead_id"
    with store.read() as con:
        return [tuple(row) for row in con.execute(text(query))]


def closed(store: Store) -> dict[str, int]:
    with store.read() as con:
        return {
            row.owner: row.n for row in con.execute(text("SELECT owner, closed_count n FROM aiqleads.owner_totals"))
        }


def test_outcomes_are_kept_and_close_their_owners_loads(store: Store) -> None:
    assert record(store, (1, "won", 2, 500.0, "ann"), (2, "lost", 3, None, "ann"), (3, "returned", 4, None, "bob")) == 3
    assert known(store) == [
        (lead(1), "won", day(2), 500.0, "ann", "o1"),
        (lead(2), "lost", day(3), None, "ann", "o1"),
        (lead(3), "returned", day(4), None, "bob", "o1"),
    ]
    assert closed(store) == {"ann": 2, "bob": 1}


def test_the_same_file_twice_changes_nothing(store: Store) -> None:
    for _ in range(2):
        record(store, (1, "won", 2, 500.0, "ann"), (2, "lost", 3, None, None))
    assert closed(store) == {"ann": 1}
    assert len(known(store)) == 2


def test_the_last_word_counts_in_whatever_order_it_comes(store: Store) -> None:
    record(store, (1, "lost", 5, None, "ann"), (2, "won", 1, 1.0, "ann"))
    record(store, (1, "won", 4, 9.0, "ann"), (2, "lost", 6, None, "ann"), batch="o2")
    assert known(store) == [(lead(1), "lost", day(5), None, "ann", "o1"), (lead(2), "lost", day(6), None, "ann", "o2")]
    assert closed(store) == {"ann": 2}


def test_a_lead_twice_in_a_file_counts_once(store: Store) -> None:
    record(store, (1, "lost", 5, None, None), (1, "won", 9, 7.0, "ann"), (1, "lost", 7, None, "ann"))
    assert known(store) == [(lead(1), "won", day(9), 7.0, "ann", "o1")]
    assert closed(store) == {"ann": 1}


def test_a_load_is_closed_when_the_owner_becomes_known_and_stays_his(store: Store) -> None:
    record(store, (1, "won", 5, None, None))
    assert closed(store) == {}
    record(store, (1, "won", 4, None, "ann"), batch="o2")
    record(store, (1, "won", 6, None, "bob"), batch="o3")
    assert closed(store) == {"ann": 1}
    assert known(store) == [(lead(1), "won", day(6), None, "ann", "o3")]


def test_a_file_with_an_unknown_result_changes_nothing(store: Store) -> None:
    with pytest.raises(IntegrityError, match="ck_outcomes_result_known"):
        record(store, (1, "won", 5, None, "ann"), (2, "perhaps", 5, None, "ann"))
    assert known(store) == []
    assert closed(store) == {}


def test_no_outcomes_are_no_harm(store: Store) -> None:
    assert record(store) == 0
