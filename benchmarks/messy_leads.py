"""Writes a messy CSV of leads: as people export them, the same bytes for the same seed on any machine.

Belongs here: what is wrong with the rows, and how often. Does not belong here: words (``word_pools``), measuring.
Every value is a function of (seed, row or person, field) through splitmix64, so nothing depends on a library's hash or
random stream, and a repeat of an earlier row needs no memory of it: ten million rows take as much memory as one.

    python -m benchmarks.messy_leads --rows 1000000 --out messy.csv
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks import word_pools as words

SEED = 20261123
CHUNK_ROWS = 100_000
HEADER = (
    "Created At", "First Name", "Last Name", "Email Address", "Phone Number", "Job Title", "Company", "Website",
    "Industry", "Employees", "Annual Revenue", "Street Address", "City", "State", "Zip Code", "Country", "Campaign",
    "Message", "Budget", "Page Views",
)  # fmt: skip
BAD_EMAIL_SHARE, BAD_PHONE_SHARE, REPEAT_SHARE = 0.03, 0.05, 0.04
NO_EMAIL_SHARE, NO_PHONE_SHARE, ABROAD_SHARE = 0.02, 0.08, 0.18

Draws = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


@dataclass
class Planted:
    """What a file holds, counted while it was written."""

    rows: int = 0
    size_bytes: int = 0
    bad_emails: int = 0
    bad_phones: int = 0
    repeats: int = 0


def write_messy_leads(path: Path, rows: int = 1_000_000, seed: int = SEED) -> Planted:
    """Write ``rows`` leads with a header to ``path``, about 300 bytes each; returns what was planted."""
    planted = Planted(rows=rows)
    con = duckdb.connect(config={"threads": 2, "memory_limit": "512MB", "preserve_insertion_order": True})
    draws = pa.RecordBatchReader.from_batches(_draw_chunk(0, 1, seed, Planted()).schema, _chunks(rows, seed, planted))
    con.from_arrow(draws).create_view("draws")
    statement = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    con.sql(statement).write_csv(str(path), sep=",", header=True, encoding="utf-8")
    con.close()
    planted.size_bytes = path.stat().st_size
    return planted


def _chunks(rows: int, seed: int, planted: Planted) -> Iterator[pa.RecordBatch]:
    for start in range(0, rows, CHUNK_ROWS):
        yield _draw_chunk(start, min(start + CHUNK_ROWS, rows), seed=seed, planted=planted)


def splitmix64(x: Draws) -> Draws:
    """The finaliser of splitmix64: 64 well mixed bits of a counter (public domain, Vigna)."""
    x = (x + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class _Dice:
    """Draws for a run of rows or persons: one independent stream per field name."""

    def __init__(self, seed: int, counters: npt.NDArray[np.int64]) -> None:
        self._base = splitmix64(counters.astype(np.uint64) + np.uint64(seed * 0x1000003 % 2**64))

    def bits(self, field: str) -> Draws:
        salt = np.uint64(int.from_bytes(field.encode()[:8].ljust(8, b"\0"), "little"))
        return splitmix64(self._base ^ salt)

    def below(self, field: str, bound: int) -> npt.NDArray[np.int32]:
        return ((self.bits(field) >> np.uint64(33)) % np.uint64(bound)).astype(np.int32)

    def chance(self, field: str, share: float) -> Flags:
        return self.bits(field) < np.uint64(int(share * 2**64))

    def pick(self, field: str, pool: Sequence[str]) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(pa.array(self.below(field, len(pool))), pa.array(list(pool)))


def _is_repeat(rows: npt.NDArray[np.int64], seed: int) -> Flags:
    return _Dice(seed, rows).chance("repeat", REPEAT_SHARE) & (rows > 0)


def _originals(rows: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """The row whose person each row is about: itself, or for a repeat an earlier row that is none."""
    found = rows.copy()
    at = np.flatnonzero(_is_repeat(rows, seed))
    span = rows[at].astype(np.uint64)
    target = (_Dice(seed, rows[at]).bits("target") % np.maximum(span, np.uint64(1))).astype(np.int64)
    while (again := _is_repeat(target, seed)).any():
        target[again] -= 1
    found[at] = target
    return found


def _draw_chunk(start: int, stop: int, seed: int, planted: Planted) -> pa.RecordBatch:
    """The draws of some rows, one Arrow column per field; ``messy_leads.sql`` makes text of them."""
    rows = np.arange(start, stop, dtype=np.int64)
    persons = _originals(rows, seed)
    is_repeat = persons != rows
    who, row = _Dice(seed, persons), _Dice(seed, rows)
    # How a repeat comes: 0 the very same row; 1 other case and phone format; 2 another e-mail; 3 no phone, other case.
    manner = np.where(is_repeat, row.below("manner", 4), 0)
    is_bad_email = who.chance("bad_mail", BAD_EMAIL_SHARE)
    is_bad_phone = who.chance("bad_tel", BAD_PHONE_SHARE) & ~is_bad_email
    planted.repeats += int(is_repeat.sum())
    planted.bad_emails += int((is_bad_email & (manner != 2)).sum())
    planted.bad_phones += int((is_bad_phone & (manner != 3)).sum())
    columns: dict[str, object] = {
        "person": persons,
        "manner": manner,
        "first_name": who.pick("first", words.FIRST_NAMES),
        "last_name": who.pick("last", words.LAST_NAMES),
        "company_start": who.pick("co_start", words.COMPANY_STARTS),
        "company_end": who.pick("co_end", words.COMPANY_ENDS),
        "company_number": who.below("co_num", 40),
        "company_form": who.pick("co_form", words.COMPANY_FORMS),
        "domain_end": who.pick("dom_end", words.DOMAIN_ENDS),
        "free_mail": who.pick("free", words.FREE_MAIL),
        "mail_kind": who.below("mailkind", 10),
        "bad_email_kind": np.where(is_bad_email & (manner != 2), who.below("badmailk", 6), -1).astype(np.int32),
        "has_email": ~(who.chance("no_mail", NO_EMAIL_SHARE) & ~is_bad_phone),
        "job_title": who.pick("title", words.JOB_TITLES),
        "industry": who.pick("industry", words.INDUSTRIES),
        "street": who.pick("street", words.STREETS),
        "street_number": who.below("streetno", 9999),
        "campaign": who.pick("campaign", words.CAMPAIGNS),
        "message": who.pick("message", words.MESSAGES),
        "message_kind": who.below("msgkind", 100),
        "money": who.below("money", 1_000_000),
        "money_kind": who.below("moneyk", 12),
        "employees": who.below("staff", 1_000_000),
        "employees_kind": who.below("staffk", 10),
        "budget": who.below("budget", 500),
        "budget_kind": who.below("budgetk", 10),
        "page_views": who.below("views", 60),
        "minute": who.below("minute", 700_000),
        "created_kind": who.below("createdk", 6),
        **_place_columns(who),
        **_phone_columns(who, row, is_bad_phone, manner),
    }
    return pa.RecordBatch.from_pydict(columns)


def _place_columns(who: _Dice) -> dict[str, object]:
    us, other = who.below("place", len(words.US_PLACES)), who.below("abroad", len(words.OTHER_PLACES))
    pools = {
        "us_city": (us, [p[0] for p in words.US_PLACES]),
        "us_state": (us, [p[1] for p in words.US_PLACES]),
        "us_zip3": (us, [p[2] for p in words.US_PLACES]),
        "us_area": (us, [p[3] for p in words.US_PLACES]),
        "other_city": (other, [p[0] for p in words.OTHER_PLACES]),
        "other_region": (other, [p[1] for p in words.OTHER_PLACES]),
        "other_postal": (other, [p[2] for p in words.OTHER_PLACES]),
        "other_country": (other, [p[3] for p in words.OTHER_PLACES]),
        "other_phone": (other, [p[4] for p in words.OTHER_PLACES]),
    }
    columns: dict[str, object] = {
        name: pa.DictionaryArray.from_arrays(pa.array(index), pa.array(pool)) for name, (index, pool) in pools.items()
    }
    return columns | {
        "is_abroad": who.chance("isabroad", ABROAD_SHARE),
        "us_country": who.pick("us_name", words.US_NAMES),
        "zip2": who.below("zip2", 100),
        "zip4": who.below("zip4", 10_000),
        "zip_kind": who.below("zipkind", 10),
    }


def _phone_columns(who: _Dice, row: _Dice, is_bad: Flags, manner: npt.NDArray[np.int32]) -> dict[str, object]:
    # US exchanges begin with 2-9 and never end in 11; 555 is fiction.
    exchange = 200 + who.below("exchange", 800)
    exchange = np.where((exchange % 100 == 11) | (exchange == 555), 234, exchange)
    format_of_person = who.below("telfmt", 6)
    changed = np.isin(manner, (1, 2))
    return {
        "exchange": exchange.astype(np.int32),
        "subscriber": who.below("subscrib", 10_000),
        "digits": who.below("digits", 100_000_000),
        "phone_format": np.where(changed, row.below("telfmt", 6), format_of_person).astype(np.int32),
        "bad_phone": who.pick("badphone", words.BAD_PHONES),
        "is_bad_phone": is_bad,
        "has_phone": ~who.chance("no_tel", NO_PHONE_SHARE) & (manner != 3),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a file and print what it holds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    planted = write_messy_leads(options.out, options.rows, options.seed)
    print(json.dumps(asdict(planted)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
