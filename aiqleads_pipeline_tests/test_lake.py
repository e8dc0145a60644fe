"""The lake: a batch appears whole or not at all, and replaces what was there."""

import os
import signal
import subprocess
import sys

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


def lake_files(lake):
    for folder, _, files in sorted(os.walk(lake.url)):
        for file in files:
            yield os.path.relpath(os.path.join(folder, file), lake.url)  # noqa: PTH118
