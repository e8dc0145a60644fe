"""Unpacks gz and ZIP drops within bounds.

Belongs here: decompression with limits on size and ratio. Does not belong here: what is inside.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.reading.drop import DropRefused

_BLOCK = 1 << 20
# A table of leads shrinks 3 to 30 times. Beyond this it is filler, and stops long before the disk is full.
_MAX_RATIO = 200
_RATIO_FROM_BYTES = 64 << 20


def unpack_gzip(path: Path, target: Path, settings: Settings) -> Path:
    """Write the content of a gz file to ``target``.

    Raises:
        DropRefused: it is damaged or cut short, or expands beyond the limit.
    """
    with path.open("rb") as packed, target.open("wb") as out:
        _copy_bounded(_inflate(packed), out, path.stat().st_size, settings)
    return target


def unpack_zip(path: Path, target: Path, settings: Settings) -> Path:
    """Write the one table of a ZIP file to ``target``.

    Raises:
        DropRefused: it holds no file or several, is encrypted, damaged, or expands beyond the limit.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                member
                for member in archive.infolist()
                if not member.is_dir() and not _is_clutter(member.filename) and member.file_size
            ]
            if len(members) != 1:
                raise DropRefused("unsupported_format", f"The ZIP holds {len(members)} files, not one table.")
            if members[0].flag_bits & 1:
                raise DropRefused("unsupported_format", "The ZIP is protected by a password.")
            with archive.open(members[0]) as packed, target.open("wb") as out:
                blocks = iter(lambda: packed.read(_BLOCK), b"")
                _copy_bounded(blocks, out, members[0].compress_size, settings)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise DropRefused("corrupt_file", "The ZIP can't be unpacked.") from error
    return target


def check_workbook_size(path: Path, settings: Settings) -> None:
    """Refuse a workbook whose parts claim to expand beyond the limit; those that lie meet the child's memory limit."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        total = sum(member.file_size for member in archive.infolist())
    if total > settings.MAX_DROP_MB << 20:
        raise DropRefused("expands_too_much", f"It expands to {total >> 20} MB, the limit is {settings.MAX_DROP_MB}.")


def _copy_bounded(blocks: Iterator[bytes], out: IO[bytes], packed_bytes: int, settings: Settings) -> None:
    written = 0
    for block in blocks:
        written += len(block)
        if written > settings.MAX_DROP_MB << 20:
            raise DropRefused("expands_too_much", f"Unpacked it exceeds {settings.MAX_DROP_MB} MB.")
        if written > _RATIO_FROM_BYTES and written > packed_bytes * _MAX_RATIO:
            raise DropRefused("expands_too_much", f"It expands more than {_MAX_RATIO} times.")
        out.write(block)


def _inflate(packed: IO[bytes]) -> Iterator[bytes]:
    """The content of all members of a gz stream, in blocks of at most 1 MB."""
    inflater = zlib.decompressobj(wbits=31)
    pending = packed.read(_BLOCK)
    try:
        while True:
            block = inflater.decompress(pending, _BLOCK)
            if block:
                yield block
            if inflater.eof:
                pending = inflater.unused_data or packed.read(_BLOCK)
                if not pending.strip(b"\0"):
                    return  # padding behind the last member, or nothing
                inflater = zlib.decompressobj(wbits=31)
            elif inflater.unconsumed_tail or len(block) == _BLOCK:
                pending = inflater.unconsumed_tail
            else:
                pending = packed.read(_BLOCK)
                if not pending:
                    raise DropRefused("corrupt_file", "The gz stream is cut short.")
    except zlib.error as error:
        raise DropRefused("corrupt_file", "The gz stream is damaged.") from error


def _is_clutter(name: str) -> bool:
    return name.startswith("__MACOSX/") or Path(name).name.startswith(".")
