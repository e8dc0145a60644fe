"""Evidence: what a page said when leads were read from it, kept under the hash of its content.

Belongs here: keeping bytes beside the bucket's drops, once per content, and giving them back. Does not belong here:
which lead was read from which page (the lead itself says so).
"""

from __future__ import annotations

import gzip
import hashlib
import uuid
from pathlib import Path
from typing import Any

from resources.atomic_file import make_folder, replace_synced
from resources.durable import durable_write

FOLDER = ".evidence"


class EvidenceMissing(Exception):
    """Nothing is kept under this hash, or it is damaged."""


class Evidence:
    """The evidence beside a bucket: a folder or ``s3://bucket/prefix``. Contents are packed; names are of the content
    unpacked."""

    def __init__(self, bucket_url: str) -> None:
        self._url = bucket_url.rstrip("/")

    def keep(self, content: bytes) -> str:
        """Keep a content; durable when this returns its SHA-256 in hex.

        Raises:
            OSError: it can't be written.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        packed = gzip.compress(content, compresslevel=6, mtime=0)
        key = f"{FOLDER}/{sha256[:2]}/{sha256}.gz"
        if "://" in self._url:
            filesystem = _filesystem(self._url)
            if not filesystem.exists(f"{self._url}/{key}"):
                with durable_write("bucket:evidence"):
                    filesystem.pipe_file(f"{self._url}/{key}", packed)
            return sha256
        target = Path(self._url) / key
        if not target.exists():
            make_folder(target.parent)
            staged = target.with_name(f".{uuid.uuid4().hex}.part")
            try:
                staged.write_bytes(packed)
                with durable_write("bucket:evidence"):
                    replace_synced(staged, target)
            finally:
                staged.unlink(missing_ok=True)
        return sha256

    def read(self, sha256: str) -> bytes:
        """The content kept under a hash.

        Raises:
            EvidenceMissing: there is none, or it is not what the hash says.
        """
        key = f"{FOLDER}/{sha256[:2]}/{sha256}.gz"
        try:
            if "://" in self._url:
                packed = _filesystem(self._url).cat_file(f"{self._url}/{key}")
            else:
                packed = (Path(self._url) / key).read_bytes()
            content = gzip.decompress(packed)
        except (OSError, EOFError) as error:
            raise EvidenceMissing(f"no evidence is kept under {sha256}") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise EvidenceMissing(f"the evidence kept under {sha256} is damaged")
        return content


def _filesystem(url: str) -> Any:
    import fsspec

    return fsspec.filesystem(url.partition("://")[0], use_listings_cache=False)
