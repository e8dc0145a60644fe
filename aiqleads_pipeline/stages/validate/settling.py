"""What only a library can decide, by distinct value: a few e-mail addresses, phone numbers and web hosts of a batch.

Belongs here: calls of email_validator, phonenumbers and idna, and the temp tables of their answers. Each table has a
row for '' as well, so that every lead finds one. The libraries load only if something is left to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiqleads_pipeline.stages.engine import load_reference, run_sql

SMALL = 100  # rows
HOST_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duckdb import DuckDBPyConnection, DuckDBPyRelation


def settle_emails(con: DuckDBPyConnection, unsettled: DuckDBPyRelation) -> None:
    """Fill ``settled_emails(candidate, email)`` for the addresses in ``unsettled``."""
    candidates = [row[0] for row in unsettled.fetchall()]
    _fill(con, "settled_emails", {"candidate": ["", *candidates], "email": [None, *map(read_email, candidates)]})


@contextmanager
def settling_phones(con: DuckDBPyConnection, unsettled: DuckDBPyRelation) -> Iterator[None]:
    """Fill ``settled_phones(number, country, e164)`` and ``checked_codes(digits)`` (what the others begin with) by the
    end of the block. Its numbers are read meanwhile, in a thread: the engine has one to itself anyway."""
    rows = unsettled.fetchall()
    left = [(number, country or "") for number, country, _ in rows if number]
    _fill(con, "checked_codes", {"digits": [digits for _, _, digits in rows if digits]})
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(lambda: [read_phone(number, country or None) for number, country in left])
        yield
        numbers, countries = ([row[place] for row in left] for place in (0, 1))
        columns = {"number": ["", *numbers], "country": ["", *countries], "e164": [None, *reading.result()]}
        _fill(con, "settled_phones", columns)


def settle_numbers_and_times(con: DuckDBPyConnection) -> None:
    """Fill ``settled_numbers`` and ``settled_times``: what the oddly written cells of the view ``raw`` mean."""
    for name in ("odd_cells", "settled_numbers"):
        run_sql(con, f"stages/validate/{name}").query("_", f'CREATE OR REPLACE TEMP TABLE "{name}" AS FROM _')
    habits = run_sql(con, "stages/validate/habits")
    times = run_sql(con, "stages/validate/settled_times", habits=habits)
    times.query("_", "CREATE OR REPLACE TEMP TABLE settled_times AS FROM _")


def settle_sites(con: DuckDBPyConnection) -> None:
    """Fill ``settled_sites(host, domain)`` for the hosts of the view ``raw`` that have three labels or more."""
    hosts = run_sql(con, "stages/validate/hosts").fetchall()
    found = [(host, _ascii_host(host)) for (host,) in hosts]
    _fill(con, "deep_hosts", {"host": [h for h, _ in found], "ascii_host": [a for _, a in found]})
    if found:
        load_reference(con, "public_suffixes")
        run_sql(con, "stages/validate/sites").query("_", "CREATE OR REPLACE TEMP TABLE settled_sites AS FROM _")
    else:
        _fill(con, "settled_sites", {"host": [""], "domain": [None]})


def read_email(candidate: str) -> str | None:
    """The address with its domain in ASCII, lower case; None if email_validator refuses it."""
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(candidate, check_deliverability=False)
    except EmailNotValidError:
        return None
    return f"{found.local_part}@{found.ascii_domain}".lower()


def read_phone(number: str, country: str | None) -> str | None:
    """The number in E.164 form; None if it is no valid number of any country.

    ``00`` in front (and ``011`` in North America, ``0011`` from Australia) stands for a plus. A number that begins with
    its country's calling code is read as if it had a plus, where that makes a valid number: the library alone would
    read 4915112345678 as a number within Germany that nobody has.
    """
    import phonenumbers

    code = phonenumbers.country_code_for_region(country) if country else 0
    digits = "".join(letter for letter in number if letter.isdigit())
    abroad = _digits_abroad(digits, code)
    tries: list[tuple[str, str | None]] = [(number, country)]
    if number.lstrip("(")[:1] != "+":
        if abroad:
            tries = [(f"+{abroad}", None)]
        elif code and digits.startswith(str(code)):
            tries.insert(0, (f"+{digits}", None))
    for text, region in tries:
        try:
            parsed = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    return None


def _digits_abroad(digits: str, calling_code: int) -> str | None:
    prefixes = ("0011", "00", "011") if calling_code in (0, 1) else ("0011", "00")
    return next((digits[len(prefix) :] for prefix in prefixes if digits.startswith(prefix)), None)


def _ascii_host(host: str) -> str | None:
    """The host's name as it stands in DNS; None if it can be nobody's."""
    if not host.isascii():
        import idna

        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError:
            return None
    return host if HOST_NAME.fullmatch(host) else None


def _fill(con: DuckDBPyConnection, table: str, columns: Mapping[str, Sequence[str | None]]) -> None:
    con.execute(f'CREATE OR REPLACE TEMP TABLE "{table}" ({", ".join(f"{name} VARCHAR" for name in columns)})')
    rows = list(zip(*columns.values(), strict=True))
    if len(rows) > SMALL:
        import pyarrow as pa  # takes longer to import than a small batch takes to check

        data = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
        con.from_arrow(data).query("_", f'INSERT INTO "{table}" FROM _')
    elif rows:
        con.executemany(f'INSERT INTO "{table}" VALUES ({", ".join("?" for _ in columns)})', rows)
