"""The watched bucket: where drops appear, and the archive that keeps their content under its hash.

Belongs here: what lies under ``uploads/<source>/`` and ``webhooks/<source>/``. Does not belong here: which of it is
known already (``resources.store.drops``) and what is in it (``stages``).
"""

from __future__ import annotations

from pathlib import Path

from resources.bucket.folder import FolderBucket
from resources.bucket.names import (
    CHANNEL_FOLDERS,
    Archived,
    ArchiveMissing,
    BucketError,
    BucketObject,
    BucketUnavailable,
    Listing,
    ObjectChanged,
    legal_source,
    shown,
    visible_name,
)
from resources.bucket.object_store import ObjectStoreBucket
from resources.bucket.receiving import Receiving

__all__ = [
    "ArchiveMissing",
    "Archived",
    "Bucket",
    "BucketError",
    "BucketObject",
    "BucketUnavailable",
    "Listing",
    "ObjectChanged",
    "Receiving",
    "legal_source",
    "shown",
    "visible_name",
]


class Bucket:
    """The bucket at ``url``: a folder, or ``s3://bucket/prefix``."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") or url
        self._place = ObjectStoreBucket(url) if "://" in url else FolderBucket(Path(url))

    @property
    def needs_settling(self) -> bool:
        """Whether an object can be seen before it is complete."""
        return self._place.needs_settling

    def list_objects(self) -> list[BucketObject]:
        """All drops, oldest first."""
        return list(self.scan().objects)

    def scan(self, channel: str | None = None) -> Listing:
        """All drops (of one channel), oldest first, and what lies about in the wrong place.

        Raises:
            BucketUnavailable: transient.
        """
        tops = [top for top, known in CHANNEL_FOLDERS.items() if channel in (None, known)]
        objects, skipped = self._place.scan(tops)
        return Listing(tuple(sorted(objects, key=lambda obj: (obj.modified_at, obj.uri))), skipped)

    def archive(self, obj: BucketObject) -> Archived:
        """Read an object once, and keep its content at ``.drops/<sha[:2]>/<sha256>``; there already, it stays.

        Raises:
            ObjectChanged: it is not (or no longer) what was listed. Nothing was kept.
            BucketUnavailable, OSError: transient.
        """
        return self._place.archive(obj)

    def keep(self, content: bytes) -> Archived:
        """Archive content that lies in no place of the bucket, whole and synced; there already, it stays.

        Raises:
            BucketUnavailable, OSError: transient.
        """
        return self._place.keep(content)

    def receive(self) -> Receiving:
        """Content that comes in pieces, to be archived when it is whole. Leave it by ``with``: what was not finished
        goes away.

        Raises:
            BucketUnavailable, OSError: transient.
        """
        return self._place.receive()

    def local_path(self, archive_uri: str, work_dir: Path) -> Path:
        """Archived content as a file of this machine; from an object store it is fetched into ``work_dir``.

        Raises:
            ArchiveMissing: it is gone or damaged.
            BucketUnavailable: transient.
        """
        return self._place.local_path(archive_uri, work_dir)

    def put(self, file: Path, channel: str, source: str, name: str | None = None) -> BucketObject:
        """Copy a user's file to where drops appear, visible only when whole; ``name`` is the file's by default.

        A name that is taken is given a hash of the content, so that no drop hides another that was not read yet. A
        name that the bucket would ignore is changed.

        Raises:
            OSError: the file can't be read.
            BucketUnavailable: transient.
        """
        top = {known: top for top, known in CHANNEL_FOLDERS.items()}[channel]
        return self._place.put(file, top, legal_source(source), visible_name(name or file.name))

    def prepare(self) -> None:
        """Make the folders that people drop into."""
        self._place.prepare()

    def remove_stale_files(self) -> None:
        """Remove what killed writers left behind. Call it while nobody writes (at start)."""
        self._place.remove_stale_files()
