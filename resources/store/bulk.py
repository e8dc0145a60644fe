"""Rows in bulk from Arrow or DuckDB into PostgreSQL, by binary COPY, inside the caller's transaction.

Belongs here: sending and asking. Does not belong here: encodings (``wire``) and what any table means. Made for a
million rows: a delivery of eight columns costs 0.3 s to encode and 2 s to send; what costs is the table's indexes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from psycopg import Connection as Driver
from psycopg import pq, sql
from psycopg.adapt import Dumper
from sqlalchemy import Connection

from resources.store.database import statement

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyRelation

    from resources.store.wire import Values

_BLOCK_BYTES = 1 << 20
_BATCH_BYTES = 32 << 20  # of Arrow data encoded at once


def copy_rows(
    con: Connection,
    table: str,
    source: DuckDBPyRelation | pa.Table | pa.RecordBatchReader,
    columns: Sequence[str],
    constants: Mapping[str, int] = MappingProxyType({}),
) -> int:
    """Append the named columns of a source to a table (``schema.table`` or a temporary one); returns the rows.

    ``constants`` are columns that have one value in all rows.

    Values are cast to the table's types where nothing is lost; UUIDs may be Arrow's or text, JSON is text, times have a
    zone. Memory is bounded.

    Raises:
        KeyError: the table or the source lacks a column.
        TypeError, pyarrow.ArrowInvalid: a column that can't be cast.
        psycopg.Error: rows that the table refuses; nothing of the source is in the table then.
    """
    import pyarrow as pa

    from resources.store.wire import encode_rows

    found = con.execute(statement("column_types"), {"table": table})
    types: dict[str, str] = {row.name: row.type for row in found}
    names = [*columns, *constants]
    kinds = [types[name] for name in names]
    rows = 0

    def blocks() -> Iterator[memoryview]:
        nonlocal rows
        for batch in pa.RecordBatchReader.from_stream(source):
            step = max(1, batch.num_rows * _BATCH_BYTES // max(1, batch.nbytes))
            for start in range(0, batch.num_rows, step):
                piece = batch.slice(start, step)
                rows += piece.num_rows
                repeated = [pa.repeat(value, piece.num_rows) for value in constants.values()]
                values = [*(piece[name] for name in columns), *repeated]
                yield encode_rows(list(zip(values, kinds, strict=True)))

    _send(con, table, names, blocks())
    return rows


def copy_fixed(con: Connection, table: str, columns: Mapping[str, Values]) -> None:
    """Append NumPy columns of the table's very types, without nulls; UUIDs are ``V16``."""
    from resources.store.wire import encode_fixed

    _send(con, table, list(columns), [encode_fixed(columns)])


def select_arrays(con: Connection, query: str, values: Values, kinds: Sequence[str]) -> list[Values]:
    """Run a query that has one parameter, a ``bigint[]``, and answers one row of arrays of fixed width without nulls.

    Args:
        query: in psycopg's form, with ``%b`` for the parameter.
        kinds: NumPy's names of the arrays' elements: ``>i4``, ``>i8``, ``V16`` for UUIDs.
    """
    from resources.store.wire import decode_array

    with _driver(con).cursor(binary=True) as cursor:
        cursor.adapters.register_dumper(_Int8Array, _Int8ArrayDumper)
        cursor.execute(query.encode(), (_Int8Array(values),))
        result = cursor.pgresult
        assert result is not None  # noqa: S101 (psycopg: there is one after every execute)
        return [decode_array(result.get_value(0, i), kind) for i, kind in enumerate(kinds)]


def _send(con: Connection, table: str, columns: Sequence[str], blocks: Iterable[memoryview]) -> None:
    from resources.store.wire import COPY_BEGIN, COPY_END

    command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with _driver(con).cursor() as cursor, cursor.copy(command) as copy:
        copy.write(COPY_BEGIN)
        for block in blocks:
            for start in range(0, len(block), _BLOCK_BYTES):
                copy.write(block[start : start + _BLOCK_BYTES])
        copy.write(COPY_END)


def _driver(con: Connection) -> Driver[Any]:
    """psycopg's connection below, in the same transaction."""
    connection = con.connection.driver_connection
    if not isinstance(connection, Driver):
        raise TypeError("bulk work needs a connection of psycopg 3")
    return connection


class _Int8Array:
    def __init__(self, values: Values) -> None:
        self.values = values


class _Int8ArrayDumper(Dumper):
    format = pq.Format.BINARY
    oid = 1016  # bigint[]

    def dump(self, obj: _Int8Array) -> bytes:
        from resources.store.wire import encode_int8_array

        return encode_int8_array(obj.values)
