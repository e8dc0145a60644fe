"""Content that comes in pieces ends under its hash, whole, or nowhere."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from resources.bucket import Bucket


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_pieces_are_kept_whole_under_their_hash_once(tmp_path: Path) -> None:
    bucket = Bucket(str(tmp_path))
    for _ in range(2):
        with bucket.receive() as receiving:
            for piece in (b"one,", b"", b"two"):
                receiving.write(piece)
            kept = receiving.finish()
        assert kept.sha256 == hashlib.sha256(b"one,two").hexdigest()
        assert kept.size_bytes == 7
        assert files_of(tmp_path) == [Path(kept.archive_uri)]
        assert bucket.local_path(kept.archive_uri, tmp_path).read_bytes() == b"one,two"


def test_what_is_not_finished_goes_away(tmp_path: Path) -> None:
    bucket = Bucket(str(tmp_path))
    with pytest.raises(KeyError), bucket.receive() as receiving:
        receiving.write(b"half")
        raise KeyError
    assert files_of(tmp_path) == []
    assert bucket.list_objects() == []


def test_a_damaged_copy_is_replaced(tmp_path: Path) -> None:
    bucket = Bucket(str(tmp_path))
    kept = bucket.keep(b"content")
    Path(kept.archive_uri).write_bytes(b"cut")
    with bucket.receive() as receiving:
        receiving.write(b"content")
        assert receiving.finish() == kept
    assert Path(kept.archive_uri).read_bytes() == b"content"
