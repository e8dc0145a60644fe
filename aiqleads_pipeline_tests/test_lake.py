"""The lake: a batch appears whole or not at all, and replaces what was there."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from resources.lake import Lake, TableCorrupt, TableMissing


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path / "lake"))


def test_a_batch_is_replaced_whole(con, lake):
    lake.write(con.sql("SELECT i FROM range(3) t(i)"), "numbers", "b1")
    lake.write(con.sql("SELECT i FROM range(2) t(i)"), "numbers", "b1")
    lake.write(con.sql("SELECT 9 AS i"), "numbers", "b2")
    assert lake.read(con, "numbers", "b1").fetchall() == [(0,), (1,)]
    read = f"SELECT batch, i FROM read_parquet('{lake.glob('numbers')}', hive_partitioning = true) ORDER BY ALL"
    assert duckdb.sql(read).fetchall() == [("b1", 0), ("b1", 1), ("b2", 9)]
    assert lake.batches("numbers") == ["b1", "b2"]


def test_a_writer_that_lost_its_lease_leaves_the_old_batch(con, lake):
    class Lost(Exception):
        pass

    def guard():
        raise Lost

    lake.write(con.sql("SELECT 1 AS i"), "numbers", "b1")
    with pytest.raises(Lost):
        lake.write(con.sql("SELECT 2 AS i"), "numbers", "b1", guard=guard)
    assert lake.read(con, "numbers", "b1").fetchall() == [(1,)]
    assert list(lake_files(lake)) == ["numbers/batch=b1/part-0.parquet"]


@pytest.mark.parametrize(("point", "expected"), [("before:lake:numbers", 1), ("after:lake:numbers", 2)])
def test_a_killed_writer_leaves_the_old_batch_or_the_new_one(con, lake, point, expected):
    lake.write(con.sql("SELECT 1 AS i"), "numbers", "b1")
    code = (
        "import duckdb; from resources.lake import Lake; "
        f"Lake({lake.url!r}).write(duckdb.sql('SELECT 2 AS i'), 'numbers', 'b1')"
    )
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, "AIQLEADS_CRASH_AT": point}, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert lake.read(con, "numbers", "b1").fetchall() == [(expected,)]
    lake.remove_stale_files()
    assert list(lake_files(lake)) == ["numbers/batch=b1/part-0.parquet"]


def test_what_is_missing_or_damaged_is_named(con, lake, tmp_path):
    with pytest.raises(TableMissing, match="numbers has no batch b1"):
        lake.read(con, "numbers", "b1")
    lake.write(con.sql("SELECT 1 AS i"), "numbers", "b1")
    (tmp_path / "lake/numbers/batch=b1/part-0.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(TableCorrupt, match="materialise numbers of batch b1 again"):
        lake.read(con, "numbers", "b1")


def test_a_flipped_byte_is_noticed_and_writing_again_heals_it(con, lake):
    lake.write(con.sql("SELECT i, sqrt(i) AS root FROM range(1000) t(i)"), "numbers", "b1")
    file = Path(lake.path("numbers", "b1"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)
    for reader in (lake, Lake(lake.url)):  # the writer itself, and another process
        with pytest.raises(TableCorrupt, match=r"part-0.parquet is damaged .* materialise numbers of batch b1 again"):
            reader.read(con, "numbers", "b1")
    lake.write(con.sql("SELECT 7 AS i"), "numbers", "b1")
    assert Lake(lake.url).read(con, "numbers", "b1").fetchall() == [(7,)]


def test_a_writer_killed_between_note_and_rename_leaves_a_file_that_is_trusted(con, lake):
    lake.write(con.sql("SELECT 1 AS i"), "numbers", "b1")
    lake._checksums.note("numbers/b1", Path(__file__))
    assert Lake(lake.url).read(con, "numbers", "b1").fetchall() == [(1,)]


def test_a_file_of_somebody_else_is_not_doubted(con, lake):
    lake.write(con.sql("SELECT 1 AS i"), "numbers", "b1")
    shutil.rmtree(Path(lake.url, ".checksums"))
    assert Lake(lake.url).read(con, "numbers", "b1").fetchall() == [(1,)]


def lake_files(lake):
    for folder, _, files in sorted(os.walk(lake.url)):
        for file in files if ".checksums" not in folder else ():
            yield os.path.relpath(os.path.join(folder, file), lake.url)  # noqa: PTH118
