"""Answers of any length as Arrow, by COPY: no Python object per row.

Belongs here: getting the rows of a statement of ``sql/store`` out. Rows going in are ``bulk``'s business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from resources.store.database import statement

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection

_NULL = r"\N"


def fetch_table(con: Connection, name: str, values: Mapping[str, Any], types: Mapping[str, pa.DataType]) -> pa.Table:
    """The rows that ``sql/store/<name>.sql`` selects.

    Args:
        values: the statement's parameters.
        types: the Arrow type of each column, in the statement's order; UUIDs are ``pa.uuid()``.
    """
    import pyarrow as pa
    from pyarrow import csv

    con.exec_driver_sql("SET LOCAL datestyle = 'ISO'")  # and the transaction has begun
    query = str(statement(name).compile(dialect=con.dialect))
    answer = pa.BufferOutputStream()
    with con.connection.driver_connection.cursor() as cursor:  # type: ignore[union-attr]
        command = f"COPY (\n{query}\n) TO STDOUT (FORMAT csv, NULL '{_NULL}')".encode()
        with cursor.copy(command, dict(values)) as copy:
            for block in copy:
                answer.write(block)
    if answer.tell() == 0:
        return pa.schema(list(types.items())).empty_table()
    text = {column: pa.string() if kind == pa.uuid() else kind for column, kind in types.items()}
    table = csv.read_csv(
        pa.BufferReader(answer.getvalue()),
        csv.ReadOptions(column_names=list(types)),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types=text, null_values=[_NULL], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )
    for i, (column, kind) in enumerate(types.items()):
        if kind == pa.uuid():
            table = table.set_column(i, column, _uuids(table.column(i)))
    return table


def _uuids(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text to UUIDs; 36 characters each and never null."""
    import pyarrow as pa

    def parse(chunk: pa.Array) -> pa.Array:
        text = chunk.buffers()[2].slice(36 * chunk.offset, 36 * len(chunk)).to_pybytes()
        raw = bytes.fromhex(text.replace(b"-", b"").decode("ascii"))
        storage = pa.Array.from_buffers(pa.binary(16), len(chunk), [None, pa.py_buffer(raw)])
        return pa.ExtensionArray.from_storage(pa.uuid(), storage)

    return pa.chunked_array([parse(chunk) for chunk in column.chunks], pa.uuid())
