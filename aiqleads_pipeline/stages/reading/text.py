"""Brings a text drop to UTF-8 and takes the stock by which a fast read is proven.

Belongs here: encodings, counts of line ends. Does not belong here: cells, delimiters, quotes (``dialect``).
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.reading.drop import DropRefused
from aiqleads_pipeline.stages.reading.recognise import looks_like_utf16

_BLOCK = 1 << 20
_TAIL_BYTES = 4096
_SURROGATES = re.compile("[\udc80-\udcff]")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF8 = ("utf-8", "utf-8-sig")

# What ends a line: a line feed (perhaps behind a carriage return), a carriage return alone, or now this, now that.
Newline = Literal["\n", "\r", ""]


@dataclass(frozen=True)
class TextFile:
    """A text in UTF-8 at ``path`` and what it consists of.

    ``encoding`` is what it came in. ``broken`` says that some bytes are no text. ``lines`` counts the last line too
    where it has no end, and leaves out empty lines at the end of the file.
    """

    path: Path
    encoding: str
    broken: bool
    newline: Newline
    lines: int
    has_quotes: bool
    has_long_lines: bool
    head: str

    @property
    def line_end(self) -> str:
        """What lines end with, by the first of them: within cells there may be others."""
        return "\r\n" if self.newline == "\n" and self.head.partition("\n")[0].endswith("\r") else self.newline

    @property
    def starts_with_long_line(self) -> bool:
        """Whether the first line does not end within the head."""
        return self.has_long_lines and not ("\n" in self.head or "\r" in self.head)


def open_text(
    path: Path, workdir: Path, settings: Settings, encoding: str = "auto", thorough: bool = False
) -> TextFile:
    """Take stock of a text, writing it as UTF-8 into ``workdir`` first where it is in another encoding.

    Unless ``thorough``, a text without a mark is taken for UTF-8 by its first megabyte: the engine checks the rest.

    Raises:
        DropRefused: a declared or marked encoding does not hold.
    """
    found = _marked_encoding(path) if encoding == "auto" else encoding
    broken = False
    if found in _UTF8:
        invalid, valid = _count_broken(path, None if thorough else _BLOCK)
        broken = invalid > 0
        # Text of another encoding has hardly any valid sequence of UTF-8 beyond ASCII.
        if encoding == "auto" and found == "utf-8" and invalid > valid:
            found = "cp1252"
    if found not in _UTF8:
        target = workdir / f"{path.name[:80]}.utf8"
        broken = _transcode(path, target, found, settings)
        path = target
    return _take_stock(path, found, broken)


def _marked_encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_BLOCK)
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    return looks_like_utf16(head) or "utf-8"


def _count_broken(path: Path, limit: int | None) -> tuple[int, int]:
    """Bytes that are no UTF-8, and characters beyond ASCII that are; the whole file is counted if there is any."""
    strict = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            if limit is not None:
                strict.decode(file.read(limit))
                return 0, 0
            while block := file.read(_BLOCK):
                strict.decode(block)
            strict.decode(b"", final=True)
        return 0, 0
    except UnicodeDecodeError:
        pass
    lenient = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    invalid = beyond = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            text = lenient.decode(block)
            invalid += len(_SURROGATES.findall(text))
            beyond += len(_BEYOND_ASCII.findall(text))
    tail = len(lenient.decode(b"", final=True))
    return invalid + tail, beyond - invalid


def _transcode(path: Path, target: Path, encoding: str, settings: Settings) -> bool:
    """Write the text as UTF-8; whether it holds bytes without a meaning, which are kept as they are."""
    wide = encoding.startswith(("utf-16", "utf-32", "utf_16", "utf_32"))
    decoder = codecs.getincrementaldecoder(encoding)("strict" if wide else "surrogateescape")
    written = 0
    try:
        with path.open("rb") as file, target.open("wb") as out:
            while block := file.read(_BLOCK):
                written += _write(out, decoder.decode(block))
                if written > settings.MAX_DROP_MB << 20:
                    raise DropRefused("expands_too_much", f"As UTF-8 it exceeds {settings.MAX_DROP_MB} MB.")
            _write(out, decoder.decode(b"", final=True))
    except UnicodeError as error:
        raise DropRefused("corrupt_file", f"It is no valid {encoding.upper()}.") from error
    return not wide and _count_broken(target, None)[0] > 0


def _write(out: IO[bytes], text: str) -> int:
    return out.write(text.encode("utf-8", "surrogateescape"))


def _take_stock(path: Path, encoding: str, broken: bool) -> TextFile:
    with path.open("rb") as file:
        head = file.read(_BLOCK)
    newline = _newline_of(head)
    end = (newline or "\n").encode()
    ends = longest_run = run = 0
    has_quotes = False
    tail = b""
    with path.open("rb", buffering=0) as raw:
        while block := raw.read(_BLOCK):
            in_block = block.count(end)
            ends += in_block
            has_quotes = has_quotes or b'"' in block or b"'" in block
            run = 0 if in_block else run + len(block)
            longest_run = max(longest_run, run)
            tail = (tail + block[-_TAIL_BYTES:])[-_TAIL_BYTES:]
    blank_ends = tail[len(tail.rstrip(b"\r\n")) :].count(end)
    text = head.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    # A block without any line end means a line of at least that length.
    return TextFile(path, encoding, broken, newline, ends - blank_ends + 1, has_quotes, longest_run >= _BLOCK, text)


def _newline_of(head: bytes) -> Newline:
    feeds, returns = head.count(b"\n"), head.count(b"\r")
    lone = returns - head.count(b"\r\n")
    if not feeds:
        return "\r" if returns else "\n"
    # Few lone carriage returns are part of the text; many are line ends of another system.
    return "" if lone * 10 > feeds else "\n"
