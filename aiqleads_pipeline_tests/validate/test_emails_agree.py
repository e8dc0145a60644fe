"""The patterns and email_validator agree on what an e-mail address is."""

from __future__ import annotations

import json
import random
from pathlib import Path

import duckdb
import pyarrow as pa

from aiqleads_pipeline.stages.validate.settling import read_email

DECIDED = """
    SELECT candidate, is_usual_email(candidate) OR is_email(candidate) AS accepted, is_usual_email(candidate) AS usual
    FROM candidates WHERE NOT needs_email_library(candidate)
"""


def decided(con: duckdb.DuckDBPyConnection, candidates: list[str]) -> dict[str, tuple[bool, bool]]:
    con.from_arrow(pa.table({"candidate": sorted(set(candidates))})).create_view("candidates", replace=True)
    return {candidate: (accepted, usual) for candidate, accepted, usual in con.sql(DECIDED).fetchall()}


def disagreements(con: duckdb.DuckDBPyConnection, candidates: list[str]) -> list[tuple[str, bool]]:
    verdicts = decided(con, candidates)
    assert verdicts
    assert [c for c, (accepted, usual) in verdicts.items() if usual and not accepted] == []
    return [(c, accepted) for c, (accepted, _) in verdicts.items() if accepted != (read_email(c) == c)]


def sample_addresses(size: int, seed: int) -> list[str]:
    """Addresses bent in the ways that people and programs bend them."""
    dice = random.Random(seed)
    locals_ = ["ann", "ann.lee", "a", "info", "o'neil", "ann+news", "x_y", "a-b", "1", "!#$%&'*+-/=?^_`{|}~", "a" * 64]
    domains = [
        "acme.com", "a.co", "mail.acme.co.uk", "xn--bcher-kva.de", "ac-me.io", "a--b.com", "1.de", "acme.c", "test",
        "acme.local", "x.test", "localhost", "foo.arpa", "acme.com1", "ab--c.com", "b" * 63 + ".com", "acme.123",
        "c" * 64 + ".com", ".".join(["d" * 60] * 4) + ".com", "onion.com", "x.onion", "invalid", "my.invalid",
        "x1--y.com",
    ]  # fmt: skip
    noise = [*".-_@ ,;:<>()[]\\\"'+/", "..", "", "", "", "", "@@", "\t", "é"]
    found = []
    for _ in range(size):
        local, domain = dice.choice(locals_), dice.choice(domains)
        address = f"{local}@{domain}"
        for _ in range(dice.choice([0, 0, 1, 1, 2])):
            spot = dice.randrange(len(address) + 1)
            address = address[:spot] + dice.choice(noise) + address[spot + dice.choice([0, 1]) :]
        found.append(address.lower())
    return found


def test_sql_and_library_agree_on_bent_addresses(con: duckdb.DuckDBPyConnection) -> None:
    assert disagreements(con, sample_addresses(40_000, seed=7)) == []


def test_sql_and_library_agree_on_naughty_strings(con: duckdb.DuckDBPyConnection, shared_data: Path) -> None:
    naughty = json.loads((shared_data / "validation" / "blns" / "blns.json").read_text(encoding="utf-8"))
    texts = [text.lower() for text in naughty if "\x00" not in text]
    assert disagreements(con, [*texts, *(f"{t}@acme.com" for t in texts), *(f"ann@{t}.com" for t in texts)]) == []
