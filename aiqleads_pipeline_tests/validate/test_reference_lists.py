"""The lists that must agree with each other do."""

from __future__ import annotations

import csv

from aiqleads_pipeline.stages.engine import REFERENCE_DIR, SQL_DIR


def test_the_pattern_over_the_row_finds_every_placeholder(check: object, con: object) -> None:
    """A placeholder alone in a cell makes the row one that is looked at closely."""
    with (REFERENCE_DIR / "placeholders.csv").open(encoding="utf-8", newline="") as file:
        words = [row["word"] for row in csv.DictReader(file)]
    leads = check([{"email": "ann@acme.com", "last_name": "Lee", "job_title": word} for word in words])  # type: ignore[operator]
    missed = [
        word for word, lead in zip(words, leads, strict=True) if lead["warnings"] != ["job_title:placeholder_value"]
    ]
    assert missed == []


def test_every_mark_and_home_currency_has_a_rate() -> None:
    def rows(name: str) -> list[dict[str, str]]:
        with (REFERENCE_DIR / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    rates = {row["code"] for row in rows("currency_rates.csv")}
    meant = {code for row in rows("currency_marks.csv") for code in (row["code"], *row["shared_by"].split()) if code}
    assert meant <= rates


def test_every_statement_says_its_grain() -> None:
    files = [*(SQL_DIR / "stages" / "validate").glob("*.sql"), *(SQL_DIR / "stages" / "identify").glob("*.sql")]
    assert [
        file.name for file in files if not file.read_text(encoding="utf-8").startswith(("-- Grain", "-- Sets"))
    ] == []
