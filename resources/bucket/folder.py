"""The bucket as a folder of this machine.

Belongs here: walking without leaving the bucket, copying while hashing, renames. Names are ``names``' business.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from resources.atomic_file import make_folder, replace_synced, sync
from resources.bucket.names import (
    ARCHIVE_FOLDER,
    CHANNEL_FOLDERS,
    Archived,
    ArchiveMissing,
    BucketObject,
    BucketUnavailable,
    ObjectChanged,
    hashed_name,
    is_ignored,
    legal_source,
    place_of,
    shown,
)
from resources.bucket.receiving import Receiving
from resources.durable import durable_write

_CHUNK_BYTES = 1 << 20


class FolderBucket:
    """Objects are files. A file is known by size and modification time."""

    needs_settling = True  # a file can be seen while it is still being written

    def __init__(self, root: Path) -> None:
        self._root = root.expanduser().resolve()

    def scan(self, tops: Iterable[str]) -> tuple[list[BucketObject], dict[str, str]]:
        """All drops beneath the given top folders, and what was passed over for a reason worth telling."""
        objects: list[BucketObject] = []
        skipped: dict[str, str] = {}
        for key, entry in self._entries(tops, skipped):
            try:
                is_link = entry.is_symlink()
                if is_link and not self._stays_inside(entry.path):
                    skipped[shown(key)] = "a link that leads out of its place"
                    continue
                status = entry.stat(follow_symlinks=is_link)
            except OSError as error:
                skipped[shown(key)] = f"can't be read: {error.strerror}"
                continue
            if not stat.S_ISREG(status.st_mode):
                skipped[shown(key)] = "no regular file"
            elif place_of(key) is None:
                skipped[shown(key)] = "lies in no source's folder"
            else:
                objects.append(self._object(key, status))
        return objects, skipped

    def archive(self, obj: BucketObject) -> Archived:
        """Copy a file under its hash; see ``Bucket.archive``."""
        staged = self._root / ARCHIVE_FOLDER / ".staging" / f"{uuid.uuid4().hex}.part"
        make_folder(staged.parent)
        try:
            with self._open_listed(obj) as source, staged.open("xb") as copy:
                digest, size = _copy_hashing(source, copy)
                if _version(os.fstat(source.fileno())) != obj.version or size != obj.size_bytes:
                    raise ObjectChanged(f"{obj.uri} changed while it was read")
            target = self._root / ARCHIVE_FOLDER / digest[:2] / digest
            if not target.exists() or target.stat().st_size != size:
                with durable_write("bucket:archive"):
                    replace_synced(staged, target)
        finally:
            staged.unlink(missing_ok=True)
        return Archived(digest, str(target), size)

    def keep(self, content: bytes) -> Archived:
        """Write content under its hash; see ``Bucket.keep``."""
        digest = hashlib.sha256(content).hexdigest()
        target = self._root / ARCHIVE_FOLDER / digest[:2] / digest
        if not target.exists() or target.stat().st_size != len(content):
            staged = self._root / ARCHIVE_FOLDER / ".staging" / f"{uuid.uuid4().hex}.part"
            make_folder(staged.parent)
            try:
                staged.write_bytes(content)
                with durable_write("bucket:archive"):
                    replace_synced(staged, target)
            finally:
                staged.unlink(missing_ok=True)
        return Archived(digest, str(target), len(content))

    def receive(self) -> Receiving:
        """Content in pieces; see ``Bucket.receive``."""

        def archive(staged: Path, digest: str, size: int) -> Archived:
            target = self._root / ARCHIVE_FOLDER / digest[:2] / digest
            if not target.exists() or target.stat().st_size != size:
                with durable_write("bucket:archive"):
                    replace_synced(staged, target)
            return Archived(digest, str(target), size)

        return Receiving(self._root / ARCHIVE_FOLDER / ".staging", archive)

    def put(self, file: Path, top: str, source: str, name: str) -> BucketObject:
        """Copy a user's file into the bucket; see ``Bucket.put``."""
        folder = self._root / top / source
        staged = folder / f".{uuid.uuid4().hex}.part"
        try:
            make_folder(folder)
            with file.open("rb") as given, staged.open("xb") as copy:
                digest, _ = _copy_hashing(given, copy)
                os.fsync(copy.fileno())
            target = folder / name
            with durable_write("bucket:put"):
                try:
                    os.link(staged, target)  # unlike a rename, this never replaces a file that nobody has read yet
                    sync(folder)
                except FileExistsError:
                    target = folder / hashed_name(name, digest)
                    replace_synced(staged, target)
        except OSError as error:
            if error.filename == str(file):
                raise
            raise BucketUnavailable(f"{folder} can't be written: {error.strerror}") from error
        finally:
            staged.unlink(missing_ok=True)
        return self._object(str(target.relative_to(self._root)), target.stat())

    def local_path(self, archive_uri: str, work_dir: Path) -> Path:
        """The archived file itself."""
        path = Path(archive_uri)
        if not path.is_file():
            raise ArchiveMissing(f"{archive_uri} is gone: drop the file again")
        return path

    def prepare(self) -> None:
        """Make the folders that people drop into."""
        for top in CHANNEL_FOLDERS:
            make_folder(self._root / top)

    def remove_stale_files(self) -> None:
        """Remove what killed writers left behind."""
        for top in CHANNEL_FOLDERS:
            for stale in (self._root / top).glob("*/.*.part"):
                stale.unlink(missing_ok=True)
        shutil.rmtree(self._root / ARCHIVE_FOLDER / ".staging", ignore_errors=True)

    def _entries(self, tops: Iterable[str], skipped: dict[str, str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Everything beneath the top folders that is no folder, with its key."""
        folders = list(tops)
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(f"{self._root}/{folder}") as found:
                    entries = [entry for entry in found if not is_ignored(entry.name)]
            except FileNotFoundError:
                continue
            except OSError as error:
                skipped[shown(folder)] = f"can't be read: {error.strerror}"
                continue
            for entry in entries:
                key = f"{folder}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    folders.append(key)
                else:
                    yield key, entry

    def _stays_inside(self, link: str) -> bool:
        """Whether a link leads to a file among the drops. Links to folders are not followed: they may go in circles."""
        target = Path(os.path.realpath(link))
        return target.is_file() and any(target.is_relative_to(self._root / top) for top in CHANNEL_FOLDERS)

    @contextmanager
    def _open_listed(self, obj: BucketObject) -> Iterator[BinaryIO]:
        path = self._root / obj.key
        try:
            # Without blocking: a pipe put in the file's place must not hold us up.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ObjectChanged(f"{obj.uri} is gone") from error
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            opened = os.fstat(descriptor)
            there = Path(os.path.realpath(path))
            if not stat.S_ISREG(opened.st_mode) or _version(opened) != obj.version:
                raise ObjectChanged(f"{obj.uri} changed since it was listed")
            if not any(there.is_relative_to(self._root / top) for top in CHANNEL_FOLDERS):
                raise ObjectChanged(f"{obj.uri} became a link that leads out of its place")
            yield file

    def _object(self, key: str, status: os.stat_result) -> BucketObject:
        place = place_of(key)
        assert place is not None  # noqa: S101 - callers have looked
        channel, folder, name = place
        return BucketObject(
            uri=shown(f"{self._root}/{key}"),
            channel=channel,
            source=legal_source(folder),
            name=shown(name),
            size_bytes=status.st_size,
            version=_version(status),
            modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
            key=key,
        )


def _version(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}"


def _copy_hashing(source: BinaryIO, target: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK_BYTES):
        digest.update(chunk)
        target.write(chunk)
        size += len(chunk)
    return digest.hexdigest(), size
