"""Reads a file of outcomes: which lead it speaks of, what became of it, when, and what it brought.

Belongs here: headers and words of outcomes files. Does not belong here: reading the file (``stages.reading``) and
finding the lead in the identity index.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import duckdb
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.stages.engine import SQL_DIR, load_reference, run_sql, set_variables

# Header -> meaning; of several headers with one meaning, the one named first here counts.
HEADERS: dict[str, tuple[str, ...]] = {
    "lead_id": ("leadid", "aiqleadsid", "aiqleadsleadid"),
    "external_id": ("externalid", "leadnumber", "recordid", "contactid", "customerid", "accountid", "userid", "id"),
    "email": ("email", "emailaddress", "leademail", "contactemail", "email1", "workemail"),
    "source": ("source", "leadsource"),
    "outcome": (
        "outcome", "result", "leadoutcome", "dealstage", "opportunitystage", "stage", "leadstatus",
        "status", "disposition", "iswon", "won", "converted", "isconverted", "conversion", "y",
    ),
    "closed_at": (
        "closedat", "closedate", "closeddate", "outcomedate", "outcomeat", "wondate", "conversiondate",
        "bookingdate", "decisiondate", "date",
    ),
    "revenue": (
        "revenueusd", "revenue", "amountusd", "amount", "dealamount", "dealvalue", "saleamount", "value",
    ),
}  # fmt: skip

# Words for an outcome, without case, accents, blanks and punctuation.
WORDS: dict[str, tuple[str, ...]] = {
    "won": (
        "won", "win", "closedwon", "closewon", "dealwon", "converted", "conversion", "customer", "yes", "y",
        "true", "1", "sale", "sold", "booked", "booking", "signed", "purchased", "subscribed", "gewonnen",
        "ganado", "gagne", "vinto",
    ),
    "lost": (
        "lost", "loss", "closedlost", "closelost", "deallost", "notconverted", "no", "n", "false", "0",
        "dead", "rejected", "unqualified", "disqualified", "nosale", "notinterested", "verloren", "perdido",
        "perdu", "perso",
    ),
    "returned": (
        "returned", "return", "refunded", "refund", "invalid", "badlead", "fake", "spam", "wrongnumber",
        "unreachable", "junk", "bounced", "bounce", "hardbounce", "hardbounced", "emailbounced", "undeliverable",
        "invalidemail", "invalidnumber", "disconnected",
    ),
    "open": (
        "open", "new", "newlead", "lead", "proposalsent", "reengagement", "inprogress", "working",
        "contacted",
        "attemptedtocontact", "connected", "qualified", "qualification", "nurturing", "proposal",
        "negotiation", "sitevisit", "meeting",
        "scheduled", "demo", "followup", "pending", "prospecting", "assigned", "unassigned", "onhold",
        "discussion", "interested",
    ),
}  # fmt: skip


# Of the returned: nobody could be reached there. It tells what an address or number was worth.
BOUNCED = frozenset(
    {
        "bounced", "bounce", "hardbounce", "hardbounced", "emailbounced", "undeliverable", "invalidemail",
        "wrongnumber", "invalidnumber", "disconnected", "unreachable",
    }
)  # fmt: skip


class NoOutcomes(Exception):
    """The file can't hold outcomes: no column names a lead, or none says what became of it. ``code`` is the reason."""

    code = "no_outcome_columns"


@dataclass(frozen=True)
class Outcomes:
    """The lines of an outcomes file, understood and not.

    ``accepted``: ``row_number, reference_kind`` (``lead_id``, ``external_id``, ``email``), ``reference_value,
    reference_source`` (with an external id, where given), ``email`` (to try where the reference is unknown),
    ``result`` (``won``, ``lost``, ``returned``), ``is_bounced, closed_at, revenue_usd``; one row per reference.

    ``problems``: ``row_number, line_number, column_name, code, value, is_rejected``; a bad revenue is named there
    though its row is accepted. Both are lazy over a temporary table that lives until the next call.
    """

    accepted: DuckDBPyRelation
    problems: DuckDBPyRelation
    mapping: dict[str, str]


def meaning_of_outcome(header: str) -> str | None:
    """What a header of an outcomes file means, None if it is not known. ``read_table`` finds the header row by it."""
    key = _key(header)
    return next((meaning for meaning, keys in HEADERS.items() if key in keys), None)


def parse_outcomes(
    con: DuckDBPyConnection,
    table: DuckDBPyRelation,
    headers: Sequence[str],
    *,
    as_of: datetime,
    date_order: Literal["auto", "dmy", "mdy"] = "auto",
    currency: str = "USD",
) -> Outcomes:
    """Understand an outcomes file.

    Args:
        con: a connection of ``open_engine``.
        table: of ``read_table``: ``drop_row, line_number, read_error_code, raw_line`` and text columns ``c0`` ...
        headers: of ``c0`` ...
        as_of: when the file came (UTC): rows without a date were closed then, and none was closed later.
        date_order: how 05/07/2026 is meant where the column's other dates don't tell; ``auto`` refuses such rows.
        currency: of amounts without a mark.

    Raises:
        NoOutcomes: no column names a lead, or none says what became of it.
    """
    columns = _map(headers)
    if not {"lead_id", "external_id", "email"} & columns.keys() or "outcome" not in columns:
        raise NoOutcomes(f"columns: {', '.join(headers)[:300]}")
    load_reference(con, "currency_rates", "currency_marks")
    set_variables(
        con,
        currency=currency,
        outcome_words=[
            {"word": word, "result": result, "is_bounced": word in BOUNCED}
            for result, words in WORDS.items()
            for word in words
        ],
        outcome_as_of=as_of,
        outcome_day_first={"auto": None, "dmy": True, "mdy": False}[date_order],
    )
    con.execute((SQL_DIR / "stages/validate/currency_rates.sql").read_text(encoding="utf-8"))
    named = table.select(
        duckdb.ColumnExpression("drop_row").alias("row_number"),
        *(duckdb.ColumnExpression(name) for name in ("line_number", "read_error_code")),
        *(_cell(columns.get(meaning)).alias(meaning) for meaning in HEADERS),
    )
    run_sql(con, "stages/conversion/outcomes", outcome_rows=named).query(
        "_", "CREATE OR REPLACE TEMP TABLE outcome_lines AS FROM _"
    )
    lines = con.table("outcome_lines")
    return Outcomes(
        run_sql(con, "stages/conversion/accepted_outcomes", outcome_checked=lines),
        run_sql(con, "stages/conversion/outcome_problems", outcome_checked=lines),
        {meaning: headers[place] for meaning, place in columns.items()},
    )


def _map(headers: Sequence[str]) -> dict[str, int]:
    keys = [_key(header) for header in headers]
    found = {}
    for meaning, known in HEADERS.items():
        place = next((keys.index(key) for key in known if key in keys), None)
        if place is not None:
            found[meaning] = place
    return found


def _cell(place: int | None) -> duckdb.Expression:
    if place is None:
        return duckdb.ConstantExpression(None).cast("VARCHAR")
    return duckdb.ColumnExpression(f"c{place}")


def _key(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in folded if char.isalnum())
