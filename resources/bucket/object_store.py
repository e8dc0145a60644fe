"""The bucket on an object store that speaks S3, through fsspec.

Belongs here: listing, reading and copying by exact key, each bound to the version that was listed. An object is
complete when it can be seen. Endpoint and credentials come from the environment (``AWS_*``), as for every S3 client.
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.bucket.names import (
    ARCHIVE_FOLDER,
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

if TYPE_CHECKING:
    from fsspec.asyn import AsyncFileSystem

_CHUNK_BYTES = 8 << 20
_ONE_COPY_BYTES = 5 << 30  # what S3 copies in one call
_OBJECT_GONE = ("NoSuchKey", "404", "NotFound")
_OBJECT_CHANGED = ("PreconditionFailed", "412", "InvalidRange", "416")


class ObjectStoreBucket:
    """Objects under ``s3://bucket/prefix``, known by size, ETag and time."""

    needs_settling = False

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._scheme, _, place = self._url.partition("://")
        self._bucket, _, prefix = place.partition("/")
        self._prefix = f"{prefix}/" if prefix else ""

    def scan(self, tops: Iterable[str]) -> tuple[list[BucketObject], dict[str, str]]:
        """All drops beneath the given top folders, and what was passed over for a reason worth telling."""
        objects: list[BucketObject] = []
        skipped: dict[str, str] = {}
        for top in tops:
            for found in self._list(f"{self._prefix}{top}/"):
                key = found["Key"].removeprefix(self._prefix)
                if key.endswith("/") or any(is_ignored(step) for step in key.split("/")):
                    continue
                if place_of(key) is None:
                    skipped[shown(key)] = "lies in no source's folder"
                else:
                    objects.append(self._object(key, found["Size"], found["ETag"], found["LastModified"]))
        return objects, skipped

    def archive(self, obj: BucketObject) -> Archived:
        """Hash an object and have the server copy it under its hash; see ``Bucket.archive``."""
        etag = f'"{obj.version.split("-", 2)[2]}"'
        digest, size = hashlib.sha256(), 0
        for chunk in self._read(self._prefix + obj.key, obj.size_bytes, IfMatch=etag):
            digest.update(chunk)
            size += len(chunk)
        if size != obj.size_bytes:
            raise ObjectChanged(f"{obj.uri} changed while it was read")
        sha256 = digest.hexdigest()
        key = f"{self._prefix}{ARCHIVE_FOLDER}/{sha256[:2]}/{sha256}"
        if self._size(key) != size:
            with durable_write("bucket:archive"):
                self._copy(self._prefix + obj.key, key, etag, size)
        return Archived(sha256, f"{self._scheme}://{self._bucket}/{key}", size)

    def keep(self, content: bytes) -> Archived:
        """Put content under its hash; see ``Bucket.keep``."""
        sha256 = hashlib.sha256(content).hexdigest()
        key = f"{self._prefix}{ARCHIVE_FOLDER}/{sha256[:2]}/{sha256}"
        if self._size(key) != len(content):
            with durable_write("bucket:archive"):
                self._call("put_object", Bucket=self._bucket, Key=key, Body=content)
        return Archived(sha256, f"{self._scheme}://{self._bucket}/{key}", len(content))

    def receive(self) -> Receiving:
        """Content in pieces, staged on this machine until it is whole; see ``Bucket.receive``."""

        def archive(staged: Path, sha256: str, size: int) -> Archived:
            key = f"{self._prefix}{ARCHIVE_FOLDER}/{sha256[:2]}/{sha256}"
            if self._size(key) != size:
                with durable_write("bucket:archive"), self._translated(key):
                    self._filesystem().put_file(str(staged), f"{self._bucket}/{key}")
            return Archived(sha256, f"{self._scheme}://{self._bucket}/{key}", size)

        return Receiving(Path(tempfile.gettempdir(), "aiqleads-receiving"), archive)

    def put(self, file: Path, top: str, source: str, name: str) -> BucketObject:
        """Copy a user's file into the bucket; see ``Bucket.put``."""
        key = f"{top}/{source}/{name}"
        file.stat()  # what is wrong with the user's file is said as such
        if self._size(self._prefix + key) is not None:
            with file.open("rb") as given:
                key = f"{top}/{source}/{hashed_name(name, hashlib.file_digest(given, 'sha256').hexdigest())}"
        with durable_write("bucket:put"), self._translated(key):
            self._filesystem().put_file(str(file), f"{self._bucket}/{self._prefix}{key}")
        head = self._call("head_object", Bucket=self._bucket, Key=self._prefix + key)
        return self._object(key, head["ContentLength"], head["ETag"], head["LastModified"])

    def local_path(self, archive_uri: str, work_dir: Path) -> Path:
        """The archived content, fetched to ``work_dir`` and held against its hash."""
        key = archive_uri.removeprefix(f"{self._scheme}://{self._bucket}/")
        sha256 = key.rsplit("/", 1)[-1]
        target = work_dir / sha256
        size = self._size(key)
        if size is None:
            raise ArchiveMissing(f"{archive_uri} is gone: drop the file again")
        if target.exists() and target.stat().st_size == size:
            return target
        work_dir.mkdir(parents=True, exist_ok=True)
        staged = work_dir / f".{uuid.uuid4().hex}.part"
        digest = hashlib.sha256()
        try:
            with staged.open("xb") as file:
                for chunk in self._read(key, size):
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != sha256:
                raise ArchiveMissing(f"{archive_uri} is damaged: remove it and drop the file again")
            staged.replace(target)
        finally:
            staged.unlink(missing_ok=True)
        return target

    def prepare(self) -> None:
        """Nothing to make: an object store has no folders."""

    def remove_stale_files(self) -> None:
        """Nothing to remove: a killed upload is not visible."""

    def _list(self, prefix: str) -> Iterator[dict[str, Any]]:
        more: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", Bucket=self._bucket, Prefix=prefix, **more)
            yield from page.get("Contents", ())
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def _read(self, key: str, size: int, **conditions: str) -> Iterator[bytes]:
        from fsspec.asyn import sync

        for start in range(0, size, _CHUNK_BYTES):
            part = f"bytes={start}-{min(start + _CHUNK_BYTES, size) - 1}"
            answer = self._call("get_object", Bucket=self._bucket, Key=key, Range=part, **conditions)
            with self._translated(key):
                yield sync(self._filesystem().loop, answer["Body"].read)

    def _size(self, key: str) -> int | None:
        try:
            return int(self._call("head_object", Bucket=self._bucket, Key=key)["ContentLength"])
        except ObjectChanged:
            return None

    def _copy(self, key: str, target: str, etag: str, size: int) -> None:
        if size <= _ONE_COPY_BYTES:
            source = {"Bucket": self._bucket, "Key": key}
            self._call("copy_object", Bucket=self._bucket, Key=target, CopySource=source, CopySourceIfMatch=etag)
            return
        with self._translated(key):
            self._filesystem().copy(f"{self._bucket}/{key}", f"{self._bucket}/{target}")
        if self._call("head_object", Bucket=self._bucket, Key=key)["ETag"] != etag:
            self._call("delete_object", Bucket=self._bucket, Key=target)
            raise ObjectChanged(f"{shown(key)} changed while it was copied")

    def _call(self, method: str, **arguments: Any) -> Any:
        with self._translated(arguments.get("Key", "")):
            return self._filesystem().call_s3(method, **arguments)

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        """Errors by kind: gone or changed is the object's, everything else is the bucket's and may pass."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (BotoCoreError, ClientError, OSError) as error:
            # s3fs turns the answer into an OSError and keeps it as the cause.
            answer = getattr(error, "response", None) or getattr(error.__cause__, "response", None) or {}
            code = answer.get("Error", {}).get("Code", "")
            if key and code in _OBJECT_GONE:
                raise ObjectChanged(f"{shown(key)} is gone") from error
            if key and code in _OBJECT_CHANGED:
                raise ObjectChanged(f"{shown(key)} changed since it was listed") from error
            raise BucketUnavailable(f"{self._url} is not available: {code or type(error).__name__}") from error

    def _filesystem(self) -> AsyncFileSystem:
        import fsspec

        return fsspec.filesystem(self._scheme, use_listings_cache=False)

    def _object(self, key: str, size: int, etag: str, modified_at: datetime) -> BucketObject:
        place = place_of(key)
        assert place is not None  # noqa: S101 - callers have looked
        channel, folder, name = place
        return BucketObject(
            uri=shown(f"{self._scheme}://{self._bucket}/{self._prefix}{key}"),
            channel=channel,
            source=legal_source(folder),
            name=shown(name),
            size_bytes=size,
            # To the second: a head answers without the fractions that a listing has.
            version=f"{size}-{int(modified_at.timestamp())}-{etag.strip(chr(34))}",
            modified_at=modified_at,
            key=key,
        )
