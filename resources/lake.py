"""Parquet tables by batch, on a folder or an object store.

Belongs here: where a table's batch lies, and the one atomic step that makes it visible. Does not belong here: what
is in it. Layout: ``<lake>/<table>/batch=<batch_id>/part-0.parquet``; one file, so that one rename replaces a batch.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from resources.atomic_file import replace_synced
from resources.checksums import Checksums
from resources.durable import durable_write

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation
    from fsspec import AbstractFileSystem

# Rows that a writer holds before it writes them out. DuckDB's default (122,880) made wide tables spill at a gigabyte.
GROUP_ROWS = 20_480


class TableMissing(Exception):
    """A table has no such batch; the message names both and what would make it."""


class TableCorrupt(Exception):
    """A table's file is damaged; the message names it and the command that writes it again."""


class Lake:
    """The lake at ``url``: a folder, or ``s3://bucket/prefix`` through fsspec."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.is_local = "://" not in url
        # An object store keeps checksums of its own.
        self._checksums = Checksums(Path(self.url, ".checksums")) if self.is_local else None

    def path(self, table: str, batch_id: str) -> str:
        """The file of one table's batch."""
        return f"{self.url}/{table}/batch={batch_id}/part-0.parquet"

    def attach(self, con: DuckDBPyConnection) -> None:
        """Let a DuckDB connection reach the lake."""
        if not self.is_local:
            con.register_filesystem(self._filesystem())

    def write(
        self,
        relation: DuckDBPyRelation,
        table: str,
        batch_id: str,
        guard: Callable[[], object] = lambda: None,
        compression_level: int = 1,
    ) -> None:
        """Write a relation as the batch of a table, replacing what was there in one atomic step.

        ``guard`` is asked right before the new file becomes visible: it raises if this process lost its lease.
        """
        if not self.is_local:
            guard()
            # An object becomes visible when its upload completes: the put itself is the atomic step.
            with durable_write(f"lake:{table}"):
                _copy(relation, self.path(table, batch_id), compression_level)
            return
        staged = self.stage(relation, table, batch_id, compression_level)
        try:
            self.publish(staged, table, batch_id, guard)
        finally:
            staged.unlink(missing_ok=True)

    def stage(self, relation: DuckDBPyRelation, table: str, batch_id: str, compression_level: int = 1) -> Path:
        """Write a relation to a file of a local lake that nobody sees until it is published. Whoever staged it removes
        it otherwise; what a killed process leaves, the batch's next run removes."""
        staged = self._staging_path(table, batch_id)
        try:
            _copy(relation, str(staged), compression_level)
        except BaseException:
            staged.unlink(missing_ok=True)
            raise
        return staged

    def publish(self, staged: Path, table: str, batch_id: str, guard: Callable[[], object] = lambda: None) -> None:
        """Let a staged file be the batch of a table from now on; ``guard`` as for ``write``."""
        assert self._checksums is not None  # noqa: S101 - only a local lake stages files
        target = Path(self.path(table, batch_id))
        self._checksums.note(_note_name(table, batch_id), staged)
        guard()
        with durable_write(f"lake:{table}"):
            replace_synced(staged, target)
        self._checksums.trust(target)

    def read(self, con: DuckDBPyConnection, table: str, batch_id: str) -> DuckDBPyRelation:
        """One table's batch as a lazy relation.

        Raises:
            TableMissing: the batch was not written yet.
            TableCorrupt: the file is no readable Parquet, or not what was written.
        """
        path = self.path(table, batch_id)
        if not self.exists(table, batch_id):
            raise TableMissing(f"{table} has no batch {batch_id}: run the batch's earlier steps first")
        self.verify(table, batch_id)
        try:
            return con.read_parquet(path, hive_partitioning=False)
        except Exception as error:
            raise TableCorrupt(
                f"{path} is damaged ({type(error).__name__}): materialise {table} of batch {batch_id} again"
            ) from error

    def read_sample(self, table: str, batch_id: str, groups_count: int) -> pa.Table:
        """The first, the last and evenly spaced row groups of one table's batch: a fraction of the cost of all rows.

        A table of no more groups than asked for is returned whole.
        """
        import pyarrow.parquet as pq

        source = self.path(table, batch_id)
        with pq.ParquetFile(source if self.is_local else self._filesystem().open(source)) as file:
            last = max(file.num_row_groups - 1, 0)
            steps = max(groups_count - 1, 1)
            chosen = sorted({round(i * last / steps) for i in range(groups_count)})
            return file.read_row_groups(chosen[: file.num_row_groups])

    def verify(self, table: str, batch_id: str) -> None:
        """Compare one table's batch with the checksum it was written with (once per process and version of the file).

        Raises:
            TableCorrupt: it is not what was written.
        """
        path = self.path(table, batch_id)
        if self._checksums and self._checksums.is_damaged(_note_name(table, batch_id), Path(path)):
            raise TableCorrupt(f"{path} is damaged (wrong checksum): materialise {table} of batch {batch_id} again")

    def exists(self, table: str, batch_id: str) -> bool:
        """Whether a table has the batch."""
        path = self.path(table, batch_id)
        return Path(path).exists() if self.is_local else bool(self._filesystem().exists(path))

    def remove(self, table: str, batch_id: str) -> None:
        """Take a batch out of a table; nothing happens if it is not there. Readers that have it open read on."""
        folder = self.path(table, batch_id).rsplit("/", 1)[0]
        if not self.is_local:
            if self.exists(table, batch_id):
                self._filesystem().rm(folder, recursive=True)
            return
        shutil.rmtree(folder, ignore_errors=True)
        assert self._checksums is not None  # noqa: S101 - only a local lake keeps notes
        self._checksums.forget(_note_name(table, batch_id))

    def glob(self, table: str) -> str:
        """The pattern of all batches of a table, for ``read_parquet(..., hive_partitioning = true)``."""
        return f"{self.url}/{table}/**/*.parquet"

    def has_table(self, table: str) -> bool:
        """Whether a table holds any batch."""
        folder = f"{self.url}/{table}"
        return Path(folder).exists() if self.is_local else bool(self._filesystem().exists(folder))

    def batches(self, table: str) -> list[str]:
        """The batches of a table, oldest first."""
        folder = f"{self.url}/{table}"
        if not self.has_table(table):
            return []
        names = (
            [p.name for p in Path(folder).iterdir()] if self.is_local else self._filesystem().ls(folder, detail=False)
        )
        return sorted(name.rsplit("batch=", 1)[1] for name in map(str, names) if "batch=" in name)

    def remove_stale_files(self, batch_id: str | None = None) -> None:
        """Remove what killed writers left behind (of one batch): call it while nobody writes it."""
        if self.is_local and batch_id is None:
            shutil.rmtree(f"{self.url}/.staging", ignore_errors=True)
        elif self.is_local:
            for left in Path(self.url, ".staging").glob(f"*-{batch_id}-*.parquet"):
                left.unlink(missing_ok=True)

    def _staging_path(self, table: str, batch_id: str) -> Path:
        # Hidden and outside of the tables, so that no glob of a reader can meet a half-written file.
        folder = Path(self.url, ".staging")
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{table}-{batch_id}-{uuid.uuid4().hex}.parquet"

    def _filesystem(self) -> AbstractFileSystem:
        import fsspec

        return fsspec.filesystem(self.url.split("://", 1)[0])


def _copy(relation: DuckDBPyRelation, target: str, compression_level: int) -> None:
    options = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {compression_level}, ROW_GROUP_SIZE {GROUP_ROWS}"
    relation.query("_", f"COPY (FROM _) TO '{_quoted(target)}' ({options})")


def _note_name(table: str, batch_id: str) -> str:
    return f"{table}/{batch_id}"


def _quoted(path: str) -> str:
    return path.replace("'", "''")
