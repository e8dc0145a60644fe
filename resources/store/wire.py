"""PostgreSQL's binary forms made by Arrow and NumPy, whole columns at a time, without a Python object per value.

Belongs here: encodings of rows (COPY) and arrays (parameters and answers). Does not belong here: sending (``bulk``).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COPY_BEGIN, COPY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
INT8_OID, INT8_ARRAY_OID, UUID_OID = 20, 1016, 2950
_NULL = struct.pack("!i", -1)
_EPOCH_US = 946_684_800_000_000  # 2000-01-01, where PostgreSQL's times begin
_EPOCH_DAYS = 10_957
Values = NDArray[Any]


def encode_rows(columns: Sequence[tuple[pa.Array, str]]) -> memoryview:
    """Rows in COPY's binary format, without its head and tail.

    Args:
        columns: values and the PostgreSQL type (``int8``, ``text``, ...) of each column, all of the same length.

    Raises:
        TypeError: a type that is not known here.
        pyarrow.ArrowInvalid: a value that does not fit its type.
    """
    count = len(columns[0][0])
    if count == 0:
        return memoryview(b"")
    parts: list[pa.Array] = []
    run: list[Values] = [np.full(count, len(columns), ">i2")]  # neighbours of fixed width, joined into one part
    for column, kind in columns:
        if kind in _VARIABLE:
            data = _uuid_arrays(column) if kind == "_uuid" else column.cast(pa.string()).cast(pa.binary())
            prefix = _VARIABLE[kind]
            lengths = pc.fill_null(pc.add(pc.binary_length(data), len(prefix)), -1)
            run.append(_numbers(lengths, ">i4"))
            parts.append(_joined(run))
            run = []
            if prefix:
                parts.append(pc.if_else(data.is_valid(), prefix, b""))
            parts.append(pc.fill_null(data, b""))
            continue
        if kind not in _FIXED:
            raise TypeError(f"no binary form of the type {kind!r} is known here")
        values = _FIXED[kind](column)
        length = np.full(count, values.dtype.itemsize, ">i4")
        if column.null_count:
            if run:
                parts.append(_joined(run))
                run = []
            parts.append(pc.if_else(column.is_valid(), _joined([length, values]), _NULL))
        else:
            run += [length, values]
    if run:
        parts.append(_joined(run))
    rows = pc.binary_join_element_wise(*parts, b"")
    ends = np.frombuffer(rows.buffers()[1], np.int32)
    return memoryview(rows.buffers()[2])[: ends[count]]


def encode_fixed(columns: Mapping[str, Values]) -> memoryview:
    """The same for columns of fixed width without nulls: big-endian numbers, or 16 bytes (``V16``) for UUIDs."""
    count = len(next(iter(columns.values())))
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, column in columns.items():
        wire = column.dtype.str if column.dtype.kind == "V" else f">{column.dtype.kind}{column.dtype.itemsize}"
        layout += [(f"{name}:bytes", ">i4"), (name, wire)]
    rows = np.empty(count, layout)
    rows["fields"] = len(columns)
    for name, column in columns.items():
        rows[f"{name}:bytes"] = column.dtype.itemsize
        rows[name] = column
    return memoryview(rows.tobytes())


def encode_int8_array(values: Values) -> bytes:
    """A ``bigint[]``."""
    elements = np.empty(len(values), [("bytes", ">i4"), ("value", ">i8")])
    elements["bytes"], elements["value"] = 8, values
    return struct.pack("!iiIii", 1, 0, INT8_OID, len(elements), 1) + elements.tobytes()


def _uuid_arrays(column: pa.ListArray) -> pa.Array:
    """Lists of UUIDs, without nulls, as ``uuid[]``: a Python object per list."""
    arrays = []
    for leads in (column[i].values for i in range(len(column))):
        elements = np.empty(len(leads), [("bytes", ">i4"), ("value", "V16")])
        elements["bytes"], elements["value"] = 16, uuid_bytes(leads)
        arrays.append(struct.pack("!iiIii", 1, 0, UUID_OID, len(elements), 1) + elements.tobytes())
    return pa.array(arrays, pa.binary())


def decode_array(data: bytes | None, kind: str) -> Values:
    """The elements of an array of fixed width without null elements; SQL's null is empty.

    Args:
        kind: NumPy's name of an element: ``>i4``, ``>i8``, ``V16`` for UUIDs.
    """
    if data is None or struct.unpack_from("!i", data)[0] == 0:
        return np.empty(0, kind)
    return np.frombuffer(data, [("bytes", ">i4"), ("value", kind)], offset=20)["value"]


def uuid_bytes(column: pa.Array) -> Values:
    """A column of UUIDs (Arrow's type, 16 bytes, or text) as 16 bytes each (``V16``); what nulls give is undefined."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        # All digits in one piece: nulls become zeros, dashes go, and one call reads the whole column.
        text = pc.replace_substring(pc.fill_null(column.cast(pa.string()), "0" * 32), "-", "")
        whole = pa.ListArray.from_arrays(pa.array([0, len(text)], pa.int32()), text)
        return np.frombuffer(bytes.fromhex(pc.binary_join(whole, "")[0].as_py()), "V16")
    storage = column.storage if isinstance(column, pa.ExtensionArray) else column.cast(pa.binary(16))
    if not len(storage):
        return np.empty(0, "V16")
    return np.frombuffer(storage.buffers()[1], "V16", len(storage), 16 * storage.offset)


def uuid_column(values: Values) -> pa.Array:
    """16 bytes each as Arrow's UUIDs."""
    storage = pa.Array.from_buffers(pa.binary(16), len(values), [None, pa.py_buffer(values.tobytes())])
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


def _numbers(column: pa.Array, kind: str) -> Values:
    values: Values = column.to_numpy(zero_copy_only=False)
    return values.astype(kind)


def _filled(column: pa.Array, kind: pa.DataType) -> pa.Array:
    return pc.fill_null(column.cast(kind), pa.scalar(0, pa.int8()).cast(kind))


def _time(column: pa.Array) -> Values:
    if pa.types.is_timestamp(column.type) and column.type.tz is None:
        raise TypeError("a time without a zone: which instant is meant?")
    return (_numbers(_filled(column.cast(pa.timestamp("us", "UTC")), pa.int64()), "i8") - _EPOCH_US).astype(">i8")


def _date(column: pa.Array) -> Values:
    return (_numbers(_filled(column.cast(pa.date32()), pa.int32()), "i4") - _EPOCH_DAYS).astype(">i4")


def _joined(columns: Sequence[Values]) -> pa.Array:
    """Columns of fixed width as one binary column: their bytes side by side."""
    layout = [(str(i), column.dtype.str) for i, column in enumerate(columns)]
    rows = np.empty(len(columns[0]), layout)
    for i, column in enumerate(columns):
        rows[str(i)] = column
    fixed = pa.Array.from_buffers(pa.binary(rows.dtype.itemsize), len(rows), [None, pa.py_buffer(rows.tobytes())])
    return fixed.cast(pa.binary())


# Types whose values differ in length, with what stands before them; and those of fixed width, as NumPy columns (nulls
# as anything).
_VARIABLE: dict[str, bytes] = {"_uuid": b"", "text": b"", "varchar": b"", "json": b"", "jsonb": b"\x01"}
_FIXED: dict[str, Callable[[pa.Array], Values]] = {
    "bool": lambda column: _numbers(_filled(column.cast(pa.bool_()), pa.uint8()), "u1"),
    "int2": lambda column: _numbers(_filled(column, pa.int16()), ">i2"),
    "int4": lambda column: _numbers(_filled(column, pa.int32()), ">i4"),
    "int8": lambda column: _numbers(_filled(column, pa.int64()), ">i8"),
    "float8": lambda column: _numbers(_filled(column, pa.float64()), ">f8"),
    "uuid": uuid_bytes,
    "timestamptz": _time,
    "date": _date,
}
