from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from resources.bucket import ArchiveMissing, Bucket, BucketUnavailable, ObjectChanged
from resources.bucket import object_store as object_store_module


@pytest.fixture
def bucket(s3: Any) -> Bucket:
    return Bucket("s3://leads/prod")


def drop(s3: Any, key: str, content: bytes = b"email\na@example.com\n") -> None:
    s3.put_object(Bucket="leads", Key=f"prod/{key}", Body=content)


def test_drops_are_listed_as_in_a_folder(s3: Any, bucket: Bucket) -> None:
    for key in (
        "uploads/Acme/january/leads.csv", "webhooks/meta/1.json", "uploads/acme/.hidden/a.csv", "uploads/acme/a.part",
        "uploads/acme/folder/", "uploads/leads.csv", "other/acme/a.csv",
    ):  # fmt: skip
        drop(s3, key)
    listing = bucket.scan()
    assert sorted((obj.channel, obj.source, obj.name, obj.uri) for obj in listing.objects) == [
        ("upload", "acme", "january/leads.csv", "s3://leads/prod/uploads/Acme/january/leads.csv"),
        ("webhook", "meta", "1.json", "s3://leads/prod/webhooks/meta/1.json"),
    ]
    assert listing.skipped == {"uploads/leads.csv": "lies in no source's folder"}
    assert not bucket.needs_settling


def test_more_objects_than_a_page_holds_are_listed(s3: Any, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        drop(s3, f"uploads/acme/{number}.csv")
    call = object_store_module.ObjectStoreBucket._call

    def call_with_small_pages(self: Any, method: str, **arguments: Any) -> Any:
        if method == "list_objects_v2":
            arguments["MaxKeys"] = 3
        return call(self, method, **arguments)

    monkeypatch.setattr(object_store_module.ObjectStoreBucket, "_call", call_with_small_pages)
    assert sorted(obj.name for obj in bucket.list_objects()) == [f"{number}.csv" for number in range(7)]


@pytest.mark.parametrize("name", ["a[1]*?.csv", "tab\tin.csv", "ä 50%.csv", "a+b c&d.csv", "x?versionId=1.csv"])
def test_odd_names_are_data(s3: Any, bucket: Bucket, tmp_path: Path, name: str) -> None:
    drop(s3, f"uploads/acme/{name}", b"content")
    (obj,) = bucket.list_objects()
    assert obj.name.isprintable()
    kept = bucket.archive(obj)
    assert bucket.local_path(kept.archive_uri, tmp_path).read_bytes() == b"content"


def test_content_is_kept_once_under_its_hash_and_fetched_once(
    s3: Any, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store_module, "_CHUNK_BYTES", 100_000)
    content = os.urandom(250_001)
    drop(s3, "uploads/acme/a.bin", content)
    drop(s3, "uploads/acme/b.bin", content)
    a, b = bucket.list_objects()
    kept = bucket.archive(a)
    digest = hashlib.sha256(content).hexdigest()
    assert kept.archive_uri == f"s3://leads/prod/.drops/{digest[:2]}/{digest}"
    before = s3.head_object(Bucket="leads", Key=f"prod/.drops/{digest[:2]}/{digest}")["LastModified"]
    assert bucket.archive(b) == kept
    assert s3.head_object(Bucket="leads", Key=f"prod/.drops/{digest[:2]}/{digest}")["LastModified"] == before
    local = bucket.local_path(kept.archive_uri, tmp_path / "work")
    assert local.read_bytes() == content
    assert bucket.local_path(kept.archive_uri, tmp_path / "work") == local
    assert [path.name for path in (tmp_path / "work").iterdir()] == [digest]


def test_an_empty_object_is_kept(s3: Any, bucket: Bucket, tmp_path: Path) -> None:
    drop(s3, "uploads/acme/empty.csv", b"")
    kept = bucket.archive(bucket.list_objects()[0])
    assert bucket.local_path(kept.archive_uri, tmp_path).read_bytes() == b""


def test_an_object_that_changed_or_went_since_it_was_listed_is_not_kept(s3: Any, bucket: Bucket) -> None:
    drop(s3, "uploads/acme/a.csv", b"first")
    (obj,) = bucket.list_objects()
    drop(s3, "uploads/acme/a.csv", b"other")
    with pytest.raises(ObjectChanged):
        bucket.archive(obj)
    s3.delete_object(Bucket="leads", Key="prod/uploads/acme/a.csv")
    with pytest.raises(ObjectChanged):
        bucket.archive(obj)
    assert "Contents" not in s3.list_objects_v2(Bucket="leads", Prefix="prod/.drops")


def test_damaged_or_missing_archives_are_told(s3: Any, bucket: Bucket, tmp_path: Path) -> None:
    drop(s3, "uploads/acme/a.csv", b"first")
    kept = bucket.archive(bucket.list_objects()[0])
    key = kept.archive_uri.removeprefix("s3://leads/")
    s3.put_object(Bucket="leads", Key=key, Body=b"wrong")
    with pytest.raises(ArchiveMissing, match="damaged"):
        bucket.local_path(kept.archive_uri, tmp_path)
    s3.delete_object(Bucket="leads", Key=key)
    with pytest.raises(ArchiveMissing, match="gone"):
        bucket.local_path(kept.archive_uri, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_put_never_hides_another_drop(bucket: Bucket, tmp_path: Path) -> None:
    given = tmp_path / "leads.csv"
    put = []
    for content in (b"one", b"two"):
        given.write_bytes(content)
        put.append(bucket.put(given, "upload", "Acme"))
    assert [obj.name for obj in put] == ["leads.csv", f"leads-{hashlib.sha256(b'two').hexdigest()[:8]}.csv"]
    listed = {obj.uri: (obj.version, obj.source, obj.size_bytes) for obj in bucket.list_objects()}
    assert listed == {obj.uri: (obj.version, obj.source, obj.size_bytes) for obj in put}


def test_a_bucket_that_is_not_there_is_told(s3: Any) -> None:
    with pytest.raises(BucketUnavailable, match="s3://nowhere is not available"):
        Bucket("s3://nowhere").list_objects()
