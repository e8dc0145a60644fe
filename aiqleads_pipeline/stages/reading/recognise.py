"""Tells a file's format by its content, never by its name.

Belongs here: signatures. Does not belong here: reading or unpacking (``unpack``, the readers).
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Literal

from aiqleads_pipeline.stages.reading.drop import DropRefused

Format = Literal["text", "json", "parquet", "excel", "gzip", "zip"]

HEAD_BYTES = 64 * 1024
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of .xls, and of Word documents and encrypted workbooks
_NO_TABLES = {
    b"%PDF-": "a PDF document", b"\x89PNG": "a PNG image", b"\xff\xd8\xff": "a JPEG image", b"GIF8": "a GIF image",
    b"RIFF": "a media file", b"\x7fELF": "a program", b"MZ\x90": "a program", b"{\\rtf": "a text document (RTF)",
    b"ID3": "a sound file", b"OggS": "a media file", b"%!PS": "a PostScript document",
}  # fmt: skip
_UNSUPPORTED = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive", b"Rar!": "a RAR archive", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd", b"Obj\x01": "Avro", b"ORC": "ORC", b"SQLite format 3\x00": "an SQLite database",
    b"ARROW1": "an Arrow file", b"PARE": "encrypted Parquet", b"\x04\x22\x4d\x18": "lz4",
}  # fmt: skip
_MARKUP = re.compile(rb"\s*<(!doctype|html|head|body|table|\?xml|!--|[a-z][a-z0-9:]*[\s/>])", re.IGNORECASE)
_JSON = re.compile(rb"\s*(\[\s*[\[{\]]|\{\s*[\"}])")


def recognise(path: Path) -> Format:
    """The format of a file.

    Raises:
        DropRefused: it is empty, no table, or of a format that is not read here.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    bare = head.removeprefix(_BOMS[0])
    if not head or (not bare.strip() and path.stat().st_size <= HEAD_BYTES):
        raise DropRefused("empty_file")
    for code, signatures in (("not_a_table", _NO_TABLES), ("unsupported_format", _UNSUPPORTED)):
        for signature, what in signatures.items():
            if head.startswith(signature):
                raise DropRefused(code, f"It is {what}.")
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "excel" if _is_workbook(path) else "zip"
    if head.startswith(_OLE):
        return "excel"
    if _MARKUP.match(bare):
        raise DropRefused("not_a_table", "It is a page of HTML or XML.")
    if head.startswith(_BOMS[1:]) or looks_like_utf16(head):
        return "text"
    if _is_binary(head):
        raise DropRefused("not_a_table", "It is binary data.")
    return "json" if _JSON.match(bare) else "text"


def looks_like_utf16(head: bytes) -> Literal["utf-16-le", "utf-16-be", ""]:
    """Which UTF-16 a text without a byte order mark is in, if it is: every other byte of Latin text is null."""
    pairs = len(head) // 2
    if pairs < 4:
        return ""
    low, high = head[0 : 2 * pairs : 2].count(0) / pairs, head[1 : 2 * pairs : 2].count(0) / pairs
    if high > 0.4 and low < 0.05:
        return "utf-16-le"
    if low > 0.4 and high < 0.05:
        return "utf-16-be"
    return ""


def _is_binary(head: bytes) -> bool:
    # Delimiters of some exports (\x01, \x1e, \x1f) and form feeds are control characters too.
    strange = sum(head.count(bytes([byte])) for byte in (*range(1), *range(2, 9), 11, *range(14, 30)))
    return strange * 100 > len(head)


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and b"spreadsheet" in archive.open("mimetype").read(200):
                return True
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise DropRefused("corrupt_file", "The ZIP container can't be opened.") from error
    if "word/document.xml" in names or "ppt/presentation.xml" in names:
        raise DropRefused("not_a_table", "It is a text document or a presentation.")
    return any(name.startswith("xl/workbook.") for name in names)
