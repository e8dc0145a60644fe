from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pyarrow as pa
import pytest
from sqlalchemy import text

from resources.store import database
from resources.store.database import Store
from resources.store.fetch import fetch_table

TYPES = {
    "lead_id": pa.uuid(),
    "label": pa.string(),
    "n": pa.int64(),
    "happened_at": pa.timestamp("us", "UTC"),
}


@pytest.fixture
def statement(monkeypatch: pytest.MonkeyPatch) -> None:
    query = text(
        "SELECT lead_id, label, n, happened_at FROM unnest(cast(:ids AS uuid[]), cast(:labels AS text[]), "
        "cast(:numbers AS bigint[]), cast(:times AS timestamptz[])) AS rows (lead_id, label, n, happened_at)"
    )
    monkeypatch.setattr("resources.store.fetch.statement", lambda name: {"odd": query}.get(name, database.statement))


@pytest.mark.usefixtures("statement")
def test_whatever_text_holds_comes_as_it_is(store: Store) -> None:
    labels = ["", None, r"\N", "NULL", 'a "quoted" one', "two\nlines\r\n", "a,b;c", "ünï 🙂", " spaces ", "%s :x", "'"]
    ids = [UUID(int=number) for number in range(len(labels))]
    numbers = [None, *range(-1, len(labels) - 2)]
    times = [None, *[datetime(2026, 11, 23, 15, 45, 30, micro, tzinfo=UTC) for micro in range(len(labels) - 1)]]
    with store.read() as con:
        values = {"ids": ids, "labels": labels, "numbers": numbers, "times": times}
        found = fetch_table(con, "odd", values, TYPES)
    assert found.schema == pa.schema(list(TYPES.items()))
    assert found.to_pydict() == {"lead_id": ids, "label": labels, "n": numbers, "happened_at": times}


@pytest.mark.usefixtures("statement")
@pytest.mark.parametrize("count", [0, 50_000])
def test_none_or_many_rows(store: Store, count: int) -> None:
    ids = [UUID(int=number) for number in range(count)]
    with store.read() as con:
        values = {"ids": ids, "labels": ["x"] * count, "numbers": [1] * count, "times": [None] * count}
        found = fetch_table(con, "odd", values, TYPES)
    assert found.schema == pa.schema(list(TYPES.items()))
    assert found.column("lead_id").to_pylist() == ids
