from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from resources.bucket import ArchiveMissing, Bucket, ObjectChanged
from resources.bucket import folder as folder_module


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    bucket = Bucket(str(tmp_path / "bucket"))
    bucket.prepare()
    return bucket


def drop(bucket: Bucket, path: str, content: bytes = b"email\na@example.com\n") -> Path:
    file = Path(bucket.url, path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def test_drops_are_listed_with_channel_source_and_name(bucket: Bucket) -> None:
    drop(bucket, "uploads/acme/january/leads.csv", b"12345")
    drop(bucket, "webhooks/meta/0001.json", b"{}")
    found = {obj.name: (obj.channel, obj.source, obj.size_bytes, obj.uri) for obj in bucket.list_objects()}
    assert found == {
        "january/leads.csv": ("upload", "acme", 5, f"{bucket.url}/uploads/acme/january/leads.csv"),
        "0001.json": ("webhook", "meta", 2, f"{bucket.url}/webhooks/meta/0001.json"),
    }
    assert [obj.channel for obj in bucket.scan("webhook").objects] == ["webhook"]


def test_the_oldest_comes_first(bucket: Bucket) -> None:
    for name, age in (("b", 30), ("a", 10), ("c", 20)):
        os.utime(drop(bucket, f"uploads/acme/{name}"), (1_800_000_000 - age, 1_800_000_000 - age))
    assert [obj.name for obj in bucket.list_objects()] == ["b", "c", "a"]


@pytest.mark.parametrize(
    "path",
    [
        "uploads/acme/leads.csv.part",
        "uploads/acme/leads.TMP",
        "uploads/acme/leads.csv.crdownload",
        "uploads/acme/~$leads.xlsx",
        "uploads/acme/.leads.csv",
        "uploads/acme/.git/leads.csv",
        "uploads/.acme/leads.csv",
        "uploads/acme/copying.part/leads.csv",
        "elsewhere/acme/leads.csv",
        ".drops/ab/abcdef",
    ],
)
def test_unfinished_and_hidden_files_are_no_drops(bucket: Bucket, path: str) -> None:
    drop(bucket, path)
    assert bucket.scan().objects == ()
    assert bucket.scan().skipped == {}


def test_a_file_without_a_source_is_named(bucket: Bucket) -> None:
    drop(bucket, "uploads/leads.csv")
    assert bucket.scan().objects == ()
    assert bucket.scan().skipped == {"uploads/leads.csv": "lies in no source's folder"}


@pytest.mark.parametrize(
    "name",
    [
        "a[1]*?.csv",
        "line\nbreak.csv",
        "päckchen 50%.csv",
        "right\u202eto left.csv",
        "x" * 250,
        "'; drop table leads; --.csv",
        os.fsdecode(b"latin\xe9.csv"),
    ],
)
def test_odd_names_are_data(bucket: Bucket, name: str) -> None:
    drop(bucket, f"uploads/acme/{name}", b"content")
    drop(bucket, "uploads/acme/a1.csv", b"other")
    obj = next(obj for obj in bucket.list_objects() if obj.size_bytes == 7)
    assert obj.name.isprintable() and obj.uri.isprintable()
    obj.uri.encode()
    kept = bucket.archive(obj)
    assert Path(kept.archive_uri).read_bytes() == b"content"


def test_names_are_shown_one_to_one(bucket: Bucket) -> None:
    drop(bucket, "uploads/acme/a\n.csv")
    drop(bucket, "uploads/acme/a%0A.csv")
    assert sorted(obj.name for obj in bucket.list_objects()) == ["a%0A.csv", "a%250A.csv"]


def test_very_deep_paths_are_shown_shortened_and_stay_apart(bucket: Bucket) -> None:
    deep = "/".join(["d" * 200] * 12)
    drop(bucket, f"uploads/acme/{deep}/a.csv")
    drop(bucket, f"uploads/acme/{deep}/b.csv")
    uris = {obj.uri for obj in bucket.list_objects()}
    assert len(uris) == 2
    assert all(len(uri.encode()) < 2100 for uri in uris)


@pytest.mark.parametrize(("folder", "source"), [("Acme", "acme"), ("meta_ads-2", "meta_ads-2")])
def test_folders_name_their_source(bucket: Bucket, folder: str, source: str) -> None:
    drop(bucket, f"uploads/{folder}/a.csv")
    assert [obj.source for obj in bucket.list_objects()] == [source]


def test_odd_folders_become_legal_sources_that_stay_apart(bucket: Bucket) -> None:
    for folder in ("Müller & Co", "M ller & Co", "..x", "🙂", "a" * 200):
        drop(bucket, f"uploads/{folder}/a.csv")
    sources = [obj.source for obj in bucket.list_objects()]
    assert len(set(sources)) == 4  # ..x is hidden
    assert all(source.isascii() and source[0].isalnum() and len(source) <= 63 for source in sources)
    assert sources == [obj.source for obj in bucket.list_objects()]


def test_links_that_lead_out_are_not_followed(bucket: Bucket, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("secret")
    folder = Path(bucket.url, "uploads/acme")
    folder.mkdir()
    (folder / "out.csv").symlink_to(secret)
    (folder / "out_dir").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder)
    (folder / "broken.csv").symlink_to(tmp_path / "nothing")
    (folder / "home.csv").symlink_to(drop(bucket, "uploads/acme/leads.csv"))
    listing = bucket.scan()
    assert sorted(obj.name for obj in listing.objects) == ["home.csv", "leads.csv"]
    assert sorted(listing.skipped) == [f"uploads/acme/{name}" for name in ("broken.csv", "loop", "out.csv", "out_dir")]


def test_a_file_that_becomes_a_link_leading_out_is_not_read(bucket: Bucket, tmp_path: Path) -> None:
    file = drop(bucket, "uploads/acme/leads.csv", b"123456")
    (obj,) = bucket.list_objects()
    secret = tmp_path / "secret.csv"
    secret.write_bytes(b"secret")
    os.utime(secret, ns=(file.stat().st_mtime_ns, file.stat().st_mtime_ns))
    file.unlink()
    file.symlink_to(secret)
    with pytest.raises(ObjectChanged, match="leads out"):
        bucket.archive(obj)


def test_a_pipe_is_no_drop(bucket: Bucket) -> None:
    folder = Path(bucket.url, "uploads/acme")
    folder.mkdir()
    os.mkfifo(folder / "pipe.csv")
    assert bucket.scan().objects == ()
    assert bucket.scan().skipped == {"uploads/acme/pipe.csv": "no regular file"}


def test_content_is_kept_once_under_its_hash(bucket: Bucket) -> None:
    content = os.urandom(3_000_001)
    drop(bucket, "uploads/acme/a.bin", content)
    drop(bucket, "uploads/acme/b.bin", content)
    a, b = sorted(bucket.list_objects(), key=lambda obj: obj.name)
    kept = bucket.archive(a)
    digest = hashlib.sha256(content).hexdigest()
    assert (kept.sha256, kept.size_bytes) == (digest, 3_000_001)
    assert kept.archive_uri == f"{bucket.url}/.drops/{digest[:2]}/{digest}"
    before = Path(kept.archive_uri).stat()
    assert bucket.archive(b) == kept
    after = Path(kept.archive_uri).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert bucket.local_path(kept.archive_uri, Path("/nonexistent")).read_bytes() == content
    assert list(Path(bucket.url, ".drops/.staging").iterdir()) == []


def test_an_archived_drop_outlives_the_file(bucket: Bucket) -> None:
    file = drop(bucket, "uploads/acme/a.csv", b"first")
    kept = bucket.archive(bucket.list_objects()[0])
    file.write_bytes(b"second")
    assert Path(kept.archive_uri).read_bytes() == b"first"
    Path(kept.archive_uri).unlink()
    with pytest.raises(ArchiveMissing):
        bucket.local_path(kept.archive_uri, Path("/nonexistent"))


def test_an_object_that_changed_or_went_since_it_was_listed_is_not_kept(bucket: Bucket) -> None:
    file = drop(bucket, "uploads/acme/a.csv", b"first")
    (obj,) = bucket.list_objects()
    file.write_bytes(b"first and more")
    with pytest.raises(ObjectChanged, match="changed"):
        bucket.archive(obj)
    file.unlink()
    with pytest.raises(ObjectChanged, match="gone"):
        bucket.archive(obj)
    assert not any(path.is_file() for path in Path(bucket.url, ".drops").rglob("*"))


def test_an_object_that_changes_while_it_is_read_is_not_kept(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    file = drop(bucket, "uploads/acme/a.csv", b"x" * 3_000_000)
    (obj,) = bucket.list_objects()
    copy = folder_module._copy_hashing

    def copy_while_it_grows(source, target):  # type: ignore[no-untyped-def]
        result = copy(source, target)
        with file.open("ab") as growing:
            growing.write(b"more")
        return result

    monkeypatch.setattr(folder_module, "_copy_hashing", copy_while_it_grows)
    with pytest.raises(ObjectChanged, match="while it was read"):
        bucket.archive(obj)
    assert not any(path.is_file() for path in Path(bucket.url, ".drops").rglob("*"))


def test_many_may_keep_the_same_content_at_once(bucket: Bucket) -> None:
    drop(bucket, "uploads/acme/a.bin", os.urandom(2_000_000))
    (obj,) = bucket.list_objects()
    kept = []
    threads = [threading.Thread(target=lambda: kept.append(bucket.archive(obj))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) == 4 and len(set(kept)) == 1


def test_put_shows_a_file_only_when_it_is_whole(bucket: Bucket, tmp_path: Path) -> None:
    given = tmp_path / "Leads.csv"
    given.write_bytes(b"content")
    obj = bucket.put(given, "upload", "ACME")
    assert bucket.list_objects() == [obj]
    assert (obj.channel, obj.source, obj.name, obj.size_bytes) == ("upload", "acme", "Leads.csv", 7)
    assert [path.name for path in Path(bucket.url, "uploads/acme").iterdir()] == ["Leads.csv"]


def test_put_never_hides_another_drop(bucket: Bucket, tmp_path: Path) -> None:
    given = tmp_path / "leads.csv"
    names = []
    for content in (b"one", b"two", b"two"):
        given.write_bytes(content)
        names.append(bucket.put(given, "upload", "acme").name)
    digest = hashlib.sha256(b"two").hexdigest()[:8]
    assert names == ["leads.csv", f"leads-{digest}.csv", f"leads-{digest}.csv"]
    assert sorted(obj.name for obj in bucket.list_objects()) == sorted(set(names))


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (".leads.csv", "_leads.csv"),
        ("~$leads.csv", "_leads.csv"),
        ("leads.tmp", "leads.tmp.drop"),
        ("../../etc/leads.csv", "leads.csv"),
        ("y" * 250 + ".csv", "y" * 176 + ".csv"),
    ],
)
def test_put_takes_a_name_that_is_seen(bucket: Bucket, tmp_path: Path, given: str, taken: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    obj = bucket.put(file, "webhook", "acme", given)
    assert obj.name == taken
    assert bucket.list_objects() == [obj]


def test_put_of_a_missing_file_leaves_nothing(bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        bucket.put(tmp_path / "missing.csv", "upload", "acme")
    assert [path for path in Path(bucket.url).rglob("*") if path.is_file()] == []


def test_what_killed_writers_left_is_removed(bucket: Bucket) -> None:
    left = [drop(bucket, "uploads/acme/.0123.part"), drop(bucket, ".drops/.staging/0123.part")]
    drop(bucket, "uploads/acme/leads.csv")
    bucket.remove_stale_files()
    assert not any(path.exists() for path in left)
    assert [obj.name for obj in bucket.list_objects()] == ["leads.csv"]
