"""What objects of the bucket are called: which names count, what a source is called, how odd names are shown.

A name is data: it may hold line breaks, glob characters, bytes that are no text. Raw keys (relative to the bucket,
undecodable bytes as surrogates) are only used to open objects; what goes to the store and to people is ``shown``.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import PurePosixPath

CHANNEL_FOLDERS = {"uploads": "upload", "webhooks": "webhook", "scrapes": "scrape"}
ARCHIVE_FOLDER = ".drops"
_UNFINISHED = (".part", ".tmp", ".crdownload")
_LEGAL_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_SHOWN_BYTES = 2000  # an index entry of the ledger holds 2,700
_FILE_NAME_BYTES = 180


class BucketError(Exception):
    """Base of everything the bucket says by itself."""


class BucketUnavailable(BucketError):
    """Transient: the bucket can't be listed or written just now. The message names it, never a credential."""


class ObjectChanged(BucketError):
    """The object changed or went away while it was read, or since it was listed: list again and take what is there."""


class ArchiveMissing(BucketError):
    """The archived content of a drop is gone or damaged: the file must be dropped again."""


@dataclass(frozen=True)
class BucketObject:
    """One object as it was listed. ``version`` tells a changed object from a known one."""

    uri: str
    channel: str  # upload | webhook | scrape
    source: str  # legal name; the folder's own name is in ``uri``
    name: str  # beneath the source's folder, as shown
    size_bytes: int
    version: str
    modified_at: datetime
    key: str = field(repr=False)  # raw, relative to the bucket


@dataclass(frozen=True)
class Listing:
    """What lies in the bucket, oldest first; ``skipped`` maps what is no drop (shown) to why."""

    objects: tuple[BucketObject, ...]
    skipped: dict[str, str]


@dataclass(frozen=True)
class Archived:
    """An object's content under its hash, as it was when listed."""

    sha256: str
    archive_uri: str
    size_bytes: int


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name is not (yet) a drop: unfinished, hidden, or a lock of an office program."""
    return name.startswith((".", "~$")) or name.lower().endswith(_UNFINISHED)


@lru_cache(maxsize=4096)
def legal_source(folder: str) -> str:
    """The source that a folder stands for: its lower-case name where that is legal, else a legal one made from it.

    The made name ends with a hash of the folder's name, so that two odd folders stay two sources.
    """
    lowered = folder.lower()
    if _LEGAL_SOURCE.fullmatch(lowered):
        return lowered
    words = re.sub(r"[^a-z0-9_]+", "-", lowered).strip("-_")[:40] or "source"
    return f"{words}-{hashlib.sha256(_raw(folder)).hexdigest()[:8]}"


def shown(key: str) -> str:
    """A raw name as one line of legal text: invisible characters, undecodable bytes and ``%`` as ``%XX``.

    One to one, but for very long names, whose end is a hash.
    """
    if not key.isprintable() or "%" in key:
        key = "".join(c if c.isprintable() and c != "%" else _percent(c) for c in key)
    if len(key) <= _SHOWN_BYTES // 4:
        return key
    encoded = key.encode()
    if len(encoded) <= _SHOWN_BYTES:
        return key
    return f"{encoded[:1500].decode(errors='ignore')}...{hashlib.sha256(encoded).hexdigest()[:32]}"


def visible_name(name: str) -> str:
    """A file name that the bucket does not ignore, made from a user's: the last step of a path, of bounded length."""
    name = PurePosixPath(name.replace("\0", "")).name or "drop"
    if name.startswith((".", "~$")):
        name = "_" + name.lstrip(".~$")
    if name.lower().endswith(_UNFINISHED):
        name += ".drop"
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
    return _cut(stem, _FILE_NAME_BYTES - len(_raw(suffix))) + suffix if len(_raw(suffix)) < 32 else _cut(name, 180)


def hashed_name(name: str, sha256: str) -> str:
    """The name for other content when ``name`` is taken."""
    path = PurePosixPath(name)
    return f"{path.stem}-{sha256[:8]}{path.suffix}"


def place_of(key: str) -> tuple[str, str, str] | None:
    """(channel, source's folder, name) of a raw key, or None where it is not ``<channel>/<source>/<name>``."""
    top, _, rest = key.partition("/")
    folder, _, name = rest.partition("/")
    return (CHANNEL_FOLDERS[top], folder, name) if top in CHANNEL_FOLDERS and folder and name else None


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in _raw(character))


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _cut(text: str, length: int) -> str:
    return _raw(text)[:length].decode("utf-8", "ignore")
