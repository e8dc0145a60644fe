"""Content that comes in pieces ends under its hash, whole, or nowhere."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

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


def test_on_an_object_store_it_lies_under_its_hash_too(s3: Any, tmp_path: Path) -> None:
    bucket = Bucket("s3://leads/prod")
    with bucket.receive() as receiving:
        receiving.write(b"one,")
        receiving.write(b"two")
        kept = receiving.finish()
    assert kept.archive_uri == f"s3://leads/prod/.drops/{kept.sha256[:2]}/{kept.sha256}"
    assert bucket.local_path(kept.archive_uri, tmp_path).read_bytes() == b"one,two"
    assert not receiving.path.exists()
    assert bucket.list_objects() == []
