"""The generated file of the benchmarks: the same bytes for a seed, as messy as it says."""

import hashlib

import duckdb
import pytest

from benchmarks.messy_leads import HEADER, write_messy_leads

ROWS = 20_000


@pytest.fixture(scope="module")
def messy(tmp_path_factory):
    path = tmp_path_factory.mktemp("messy") / "messy.csv"
    planted = write_messy_leads(path, ROWS, seed=5)
    return path, planted, duckdb.read_csv(str(path), header=True, all_varchar=True)


def test_a_seed_gives_the_same_bytes_on_any_machine(tmp_path):
    path = tmp_path / "messy.csv"
    write_messy_leads(path, 2000, seed=1)
    assert hashlib.sha256(path.read_bytes()).hexdigest()[:16] == "168b986b2b3557bd"
    again = tmp_path / "again.csv"
    write_messy_leads(again, 2000, seed=2)
    assert again.read_bytes() != path.read_bytes()


def test_rows_do_not_depend_on_how_many_follow(tmp_path):
    few, many = tmp_path / "few.csv", tmp_path / "many.csv"
    write_messy_leads(few, 100, seed=1)
    write_messy_leads(many, 300, seed=1)
    assert many.read_bytes().startswith(few.read_bytes())


def test_it_is_as_messy_as_it_says(messy):
    path, planted, leads = messy
    assert tuple(leads.columns) == HEADER
    assert leads.aggregate("count(*)").fetchall() == [(ROWS,)]
    assert planted.size_bytes == path.stat().st_size
    assert 280 <= planted.size_bytes / ROWS <= 320
    assert 0.025 <= planted.bad_emails / ROWS <= 0.035
    assert 0.045 <= planted.bad_phones / ROWS <= 0.055
    assert 0.035 <= planted.repeats / ROWS <= 0.045
    found = leads.aggregate(
        """
        count(*) FILTER (contains("Message", chr(10))) AS broken_lines,
        count(*) FILTER (contains("Message", '"')) AS quotes,
        count(*) FILTER (strlen("Last Name") > length("Last Name")) AS unicode,
        count(*) FILTER (length("Zip Code") = 4 AND "Zip Code" NOT LIKE '2000') AS short_zips,
        count(*) FILTER ("Annual Revenue" LIKE '%M') AS money,
        count(*) FILTER ("Employees" LIKE '%-%') AS ranges
        """
    ).fetchall()[0]
    assert all(count > 100 for count in found), found


def test_bad_emails_are_those_planted(messy):
    _, planted, leads = messy
    good = "^ ?[A-Za-z0-9._-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+ ?$"
    bad = leads.filter(f""""Email Address" IS NOT NULL AND NOT regexp_matches("Email Address", '{good}')""")
    assert bad.aggregate("count(*)").fetchall() == [(planted.bad_emails,)]
