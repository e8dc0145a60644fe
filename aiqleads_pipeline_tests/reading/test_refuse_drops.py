"""Drops that are no leads are refused at once, with a code and one line; nothing of them is loaded."""

from __future__ import annotations

import gzip
import io
import random
import zipfile

import pytest

from aiqleads_pipeline import reasons
from aiqleads_pipeline.stages.reading import DropFile, DropRefused

HEADER = "Email,First Name,Last Name\n"
NOISE = random.Random(7).randbytes(20_000)


def zipped(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


REFUSED = {
    "empty_file": [b"", b"\n \n\n", b"\xef\xbb\xbf"],
    "no_rows": [HEADER.encode(), b"Email;Name\n\n\n", b"sep=,\nEmail,Name\n"],
    "not_a_table": [
        b"<!DOCTYPE html>\n<html><body>Not found</body></html>", b"  <table><tr><td>Email</td></tr></table>",
        b'<?xml version="1.0"?><Workbook/>', b"%PDF-1.7\n%\xe2\xe3", b"\x89PNG\r\n\x1a\n" + NOISE,
        b"\xff\xd8\xff\xe0" + NOISE, b"\0" * 5000, NOISE, b"x" * 3_000_000,
        zipped(("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w/>")),
    ],
    "unsupported_format": [
        zipped(("a.csv", HEADER.encode()), ("b.csv", HEADER.encode())), b"7z\xbc\xaf\x27\x1c" + NOISE,
        b"Rar!\x1a\x07" + NOISE, b"SQLite format 3\x00" + NOISE, zipped(),
        gzip.compress(gzip.compress(gzip.compress(HEADER.encode()))),
    ],
    "corrupt_file": [
        gzip.compress((HEADER + "a@x.com,A,B\n" * 999).encode())[:-9], gzip.compress(NOISE)[:9000] + NOISE[:500],
        zipped(("a.csv", NOISE))[:9000], b"PAR1" + NOISE, b"PK\x03\x04" + NOISE,
        "Email,Nämé\n".encode("utf-16")[:-1], b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + NOISE,
    ],
    "too_many_columns": [(",".join(f"c{n}" for n in range(2000)) + "\n" + ",".join("1" * 2000) + "\n").encode()],
    "expands_too_much": [gzip.compress(b"a,b\n" * 20_000_000, 6), zipped(("a.csv", b"a,b\n" * 20_000_000))],
    "no_readable_rows": [b"Email,Name\na@x.com\nb@x.com\n"],
    "no_contact_column": [
        b"Index,Organization Id,Name,Number of employees\n1,F1,Ferrell LLC,3498\n", b"a@x.com,Ann\nb@x.com,Bob\n",
        b'"age";"job";"contact"\n58;"management";"unknown"\n', b"Dear Sir,\nplease find attached our offer.\n",
        b'{"error": "unauthorized"}',
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "content"),
    [pytest.param(code, item, id=f"{code}-{n}") for code in REFUSED for n, item in enumerate(REFUSED[code])],
)
def test_refused_with_the_right_code_in_one_line(reader, code, content):
    with pytest.raises(DropRefused) as refusal:
        reader.drops(content)
    assert refusal.value.code == code
    assert reasons.REASONS[code].kind == "drop"
    message = str(refusal.value)
    assert message.startswith(reasons.describe(code))
    assert "\n" not in message and len(message) < 400


def test_a_drop_larger_than_the_limit_is_refused_unread(reader):
    with pytest.raises(DropRefused) as refusal:
        reader.table("Email\n" + "a@x.com\n" * 200_000, MAX_DROP_MB=1)
    assert refusal.value.code == "file_too_large"


def test_text_that_grows_beyond_the_limit_is_refused(reader):
    with pytest.raises(DropRefused) as refusal:
        reader.table(gzip.compress(NOISE.hex().encode() * 40), MAX_DROP_MB=1)
    assert refusal.value.code == "expands_too_much"


def test_a_drop_that_is_gone_is_refused(reader, tmp_path):
    from aiqleads_pipeline.stages.reading import read_table

    with pytest.raises(DropRefused) as refusal:
        read_table(reader.con, DropFile(tmp_path / "gone", "00", "gone.csv"), reader.settings, tmp_path)
    assert refusal.value.code == "drop_changed"


def test_the_refusal_carries_the_mapping_that_was_tried(reader):
    with pytest.raises(DropRefused) as refusal:
        reader.drops("Mitglied,Kontaktadresse\nAnn,a@x.com\nBob,b@x.com\nCy,c@x.com\n")
    assert refusal.value.mapping == [
        {"header": "Mitglied", "column": None, "how": "extra"},
        {"header": "Kontaktadresse", "column": None, "how": "extra", "looks_like": "email"},
    ]
    assert "'Kontaktadresse' looks like email" in str(refusal.value)
    assert "a@x.com" not in str(refusal.value)


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress((HEADER + "a@x.com,Ann,Lee\n").encode()),
        gzip.compress((HEADER + "a@x.com,Ann").encode()) + gzip.compress(b",Lee\n"),
        zipped(("__MACOSX/._leads.csv", b"junk"), ("leads.csv", (HEADER + "a@x.com,Ann,Lee\n").encode())),
        zipped(("leads.csv.gz", gzip.compress((HEADER + "a@x.com,Ann,Lee\n").encode()))),
    ],
    ids=["gzip", "gzip in two members", "zip", "gzip in zip"],
)
def test_packed_tables_are_unpacked(reader, content):
    assert reader.cells(content) == [("a@x.com", "Ann", "Lee")]
