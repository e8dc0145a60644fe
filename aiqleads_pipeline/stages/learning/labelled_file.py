"""A labelled file of any format that drops may have, as a table of text.

Belongs here: finding its header and naming its columns. Does not belong here: the formats (``stages.reading``).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from aiqleads_pipeline.stages.learning.table import Untrainable
from aiqleads_pipeline.stages.reading import DropFile, read_table
from aiqleads_pipeline.stages.reading.mapping import meaning_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from aiqleads_pipeline.settings import Settings


def read_labelled(con: DuckDBPyConnection, path: Path, settings: Settings, workdir: Path, *named: str) -> pa.Table:
    """The readable rows of a file, one column of text per header; ``named`` are headers that it should have.

    Raises:
        Untrainable: there is no such file.
        DropRefused: it can't be read.
    """
    if not path.is_file():
        raise Untrainable(f"there is no file {path}")
    wanted = {name.strip().casefold() for name in named}

    def knows(header: str) -> str | None:
        plain = header.strip().casefold()
        return plain if plain in wanted else meaning_of(header)

    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    table = read_table(con, DropFile(path, sha256, path.name), settings, workdir, knows=knows)
    try:
        cells = ", ".join(f"c{place}" for place in range(len(table.headers)))
        rows = table.relation.filter("read_error_code IS NULL").order("drop_row").project(cells).to_arrow_table()
    finally:
        table.release()
    return rows.rename_columns(table.headers)
