"""Checksums of files written once and read often: DuckDB's Parquet has none, so a flipped byte would pass as data.

Belongs here: computing, noting, verifying. A note is made before its file becomes visible, and notes are only ever
added to, so that whenever a writer is killed or comes back late, the file that is there is among those noted. CRC-32
tells every damage of up to 32 bits in a row and misses others once in 4 billion times; it costs half a second per GB.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from resources.atomic_file import make_folder, sync

_CHUNK_BYTES = 1 << 20


class Checksums:
    """Notes under ``folder``, one per name. A file without a note (written by somebody else) is not doubted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._verified: dict[Path, tuple[int, int, int]] = {}

    def note(self, name: str, staged: Path) -> None:
        """Note what the file of this name is about to be; durable when this returns."""
        note = self._note(name)
        make_folder(note.parent)
        is_new = not note.exists()
        line = f"{_checksum(staged)}\n".encode("ascii")
        descriptor = os.open(note, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync(note.parent)

    def forget(self, name: str) -> None:
        """Remove the note of a file that is no more."""
        self._note(name).unlink(missing_ok=True)

    def trust(self, file: Path) -> None:
        """This process wrote the file just now: no need to read it again."""
        self._verified[file] = _version(file)

    def is_damaged(self, name: str, file: Path) -> bool:
        """Whether the file is none of those noted under its name; each version is read once per process."""
        version = _version(file)
        if self._verified.get(file) == version:
            return False
        noted = self._noted(name)
        if noted and _checksum(file) not in noted:
            return True
        self._verified[file] = version
        return False

    def _note(self, name: str) -> Path:
        return self._folder / f"{name}.crc32"

    def _noted(self, name: str) -> set[str]:
        try:
            return set(self._note(name).read_text(encoding="ascii").splitlines())
        except FileNotFoundError:
            return set()


def _checksum(file: Path) -> str:
    crc, size = 0, 0
    with file.open("rb", buffering=0) as content:
        while chunk := content.read(_CHUNK_BYTES):
            crc, size = zlib.crc32(chunk, crc), size + len(chunk)
    return f"{crc:08x} {size}"


def _version(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size
