"""Parquet tables by batch, on a folder or an object store.

Belongs here: where a table's batch lies, and the one atomic step that makes it visible. Does not belong here: what
is in it. Layout: ``<lake>/<table>/batch=<batch_id>/part-0.parquet``; one file, so that one rename replaces a batch.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from resources.durable import durable_write

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation
    from fsspec import AbstractFileSystem


class TableMissing(Exception):
    """A table has no such batch; the message names both and what would make it."""


class TableCorrupt(Exception):
    """A table's file is damaged; the message names it and the command that writes it again."""


class Lake:
    """The lake at ``url``: a folder, or ``s3://bucket/prefix`` through fsspec."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.is_local = "://" not in url

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
        target = self.path(table, batch_id)
        options = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {compression_level}"
        staged = self._staging_path(table, batch_id) if self.is_local else target
        if not self.is_local:
            guard()
        try:
            if self.is_local:
                relation.query("_", f"COPY (FROM _) TO '{_quoted(staged)}' ({options})")
                guard()
                with durable_write(f"lake:{table}"):
                    _replace(Path(staged), Path(target))
            else:
                # An object becomes visible when its upload completes: the put itself is the atomic step.
                with durable_write(f"lake:{table}"):
                    relation.query("_", f"COPY (FROM _) TO '{_quoted(target)}' ({options})")
        finally:
            if self.is_local:
                Path(staged).unlink(missing_ok=True)

    def read(self, con: DuckDBPyConnection, table: str, batch_id: str) -> DuckDBPyRelation:
        """One table's batch as a lazy relation.

        Raises:
            TableMissing: the batch was not written yet.
            TableCorrupt: the file is no readable Parquet.
        """
        path = self.path(table, batch_id)
        if not self.exists(table, batch_id):
            raise TableMissing(f"{table} has no batch {batch_id}: run the batch's earlier steps first")
        try:
            return con.read_parquet(path, hive_partitioning=False)
        except Exception as error:
            raise TableCorrupt(
                f"{path} is damaged ({type(error).__name__}): materialise {table} of batch {batch_id} again"
            ) from error

    def exists(self, table: str, batch_id: str) -> bool:
        """Whether a table has the batch."""
        path = self.path(table, batch_id)
        return Path(path).exists() if self.is_local else bool(self._filesystem().exists(path))

    def glob(self, table: str) -> str:
        """The pattern of all batches of a table, for ``read_parquet(..., hive_partitioning = true)``."""
        return f"{self.url}/{table}/**/*.parquet"

    def remove_stale_files(self) -> None:
        """Remove what killed writers left behind. Call it while nobody writes (at start)."""
        if self.is_local:
            shutil.rmtree(f"{self.url}/.staging", ignore_errors=True)

    def _staging_path(self, table: str, batch_id: str) -> str:
        # Hidden and outside of the tables, so that no glob of a reader can meet a half-written file.
        folder = Path(self.url, ".staging")
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder / f"{table}-{batch_id}-{uuid.uuid4().hex}.parquet")

    def _filesystem(self) -> AbstractFileSystem:
        import fsspec

        return fsspec.filesystem(self.url.split("://", 1)[0])


def _replace(staged: Path, target: Path) -> None:
    """Rename with both file and folder synced: after a power cut there is the old batch or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _sync(staged)
    os.replace(staged, target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _quoted(path: str) -> str:
    return path.replace("'", "''")
