"""Bulk rows: what Arrow and DuckDB hold arrives in PostgreSQL as it is, whole or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import duckdb
import numpy as np
import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from resources.store.bulk import copy_fixed, copy_rows, select_arrays
from resources.store.database import Store
from resources.store.wire import uuid_bytes, uuid_column

ALL = text(
    "CREATE TEMP TABLE everything (i2 int2, i4 int4, i8 int8, f8 float8, b bool, t text, v varchar, j jsonb, u uuid, "
    "z timestamptz, d date) ON COMMIT DROP"
)
COLUMNS = ["i2", "i4", "i8", "f8", "b", "t", "v", "j", "u", "z", "d"]
A, B = UUID(int=1), UUID(int=2**128 - 1)
NOW = datetime(2026, 11, 23, 12, 30, 0, 123456, UTC)


def test_every_type_arrives_with_and_without_nulls(store: Store) -> None:
    full = (-5, 2**31 - 1, -(2**63), 0.1, True, 'Zoë "x",\n\t\\N', "", {"a": [1, None]}, A, NOW, date(1969, 7, 20))
    nulls = (None,) * len(COLUMNS)
    rows = pa.table(
        {
            "other": pa.array(["not asked for"] * 3),
            "i2": pa.array([-5, None, -5], pa.int64()),
            "i4": pa.array([2**31 - 1, None, 2**31 - 1], pa.int64()),
            "i8": pa.array([-(2**63), None, -(2**63)]),
            "f8": pa.array([0.1, None, 0.1]),
            "b": pa.array([True, None, True]),
            "t": pa.array([full[5], None, full[5]], pa.large_string()),
            "v": pa.array(["", None, ""]),
            "j": pa.array(['{"a": [1, null]}', None, '{"a": [1, null]}']),
            "u": pa.array([str(A), None, str(A)]),
            "z": pa.array([NOW, None, NOW], pa.timestamp("ns", "Asia/Dubai")),
            "d": pa.array([date(1969, 7, 20), None, date(1969, 7, 20)]),
        }
    )
    with store.transaction("store:bulk") as con:
        con.execute(ALL)
        assert copy_rows(con, "everything", rows, COLUMNS) == 3
        assert copy_rows(con, "everything", rows.slice(2), COLUMNS) == 1  # no nulls, and an offset
        assert copy_rows(con, "everything", rows.slice(0, 0), COLUMNS) == 0
        found = [tuple(row) for row in con.execute(text("SELECT * FROM everything"))]
    assert found == [full, nulls, full, full]


@pytest.mark.parametrize("is_lossless", [True, False])
def test_a_relation_of_duckdb_arrives_with_its_uuids(store: Store, is_lossless: bool) -> None:
    with duckdb.connect() as engine:
        engine.execute(f"SET arrow_lossless_conversion = {is_lossless}")
        relation = engine.sql(f"FROM (VALUES ('{A}'::UUID, 'x'), ('{B}', 'y')) AS _(u, t)")
        with store.transaction("store:bulk") as con:
            con.execute(ALL)
            copy_rows(con, "everything", relation, ["u", "t"])
            assert [tuple(r) for r in con.execute(text("SELECT u, t FROM everything"))] == [(A, "x"), (B, "y")]


@pytest.mark.parametrize(
    ("column", "values", "error"),
    [
        ("i2", pa.array([40_000]), pa.ArrowInvalid),
        ("i4", pa.array(["x"]), pa.ArrowInvalid),
        ("z", pa.array([datetime(2026, 1, 1)], pa.timestamp("us")), TypeError),  # noqa: DTZ001 (the point)
        ("nope", pa.array([1]), KeyError),
        ("t", pa.array(["\x00"]), psycopg.errors.CharacterNotInRepertoire),
    ],
)
def test_what_does_not_fit_is_refused(store: Store, column: str, values: pa.Array, error: type[Exception]) -> None:
    with pytest.raises(error), store.transaction("store:bulk") as con:
        con.execute(ALL)
        copy_rows(con, "everything", pa.table({column: values}), [column])


def test_an_unknown_type_is_refused(store: Store) -> None:
    with pytest.raises(TypeError, match="interval"), store.transaction("store:bulk") as con:
        con.execute(text("CREATE TEMP TABLE odd (i interval) ON COMMIT DROP"))
        copy_rows(con, "odd", pa.table({"i": pa.array(["1s"])}), ["i"])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.none() | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.uuids(),
        ),
        max_size=30,
    )
)
def test_any_rows_arrive_as_they_are(store: Store, rows: list[tuple[str | None, int | None, UUID | None]]) -> None:
    texts, numbers, ids = zip(*rows, strict=True) if rows else ((), (), ())
    table = pa.table(
        {
            "t": pa.array(texts, pa.string()),
            "i8": pa.array(numbers, pa.int64()),
            "u": pa.array([i and i.bytes for i in ids], pa.binary(16)).cast(pa.uuid()),
        }
    )
    with store.transaction("store:bulk") as con:
        con.execute(ALL)
        copy_rows(con, "everything", table, ["t", "i8", "u"])
        assert [tuple(row) for row in con.execute(text("SELECT t, i8, u FROM everything"))] == rows


def test_fixed_columns_go_in_and_arrays_come_out(store: Store) -> None:
    ids = uuid_bytes(pa.array([str(A), str(B)]))
    with store.transaction("store:bulk") as con:
        con.execute(ALL)
        fixed = {"i8": np.array([1, -2]), "i4": np.array([3, 4], np.int32), "u": ids}
        copy_fixed(con, "everything", fixed)
        query = "SELECT array_agg(i8 ORDER BY i8), array_agg(u ORDER BY i8) FROM everything WHERE i8 = ANY(%b)"
        numbers, found = select_arrays(con, query, np.array([1, -2, 5]), [">i8", "V16"])
        assert (numbers.tolist(), uuid_column(found).to_pylist()) == ([-2, 1], [B, A])
        numbers, found = select_arrays(con, query, np.array([], np.int64), [">i8", "V16"])
        assert (len(numbers), len(found)) == (0, 0)
