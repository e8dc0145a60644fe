"""Leads as they are now: as they came, and what later requests said about them (sources with ``on_duplicate: update``).

Belongs here: reading updates by the very check that leads go through. The rule of what counts stands in
``sql/stages/current``; whose updates are kept at all is the doors' business. Tables of batches never change: a batch
stays what it was, and deliveries that were made carry what the lead said when it was routed.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from duckdb import ColumnExpression as Column
from duckdb import ConstantExpression as Constant
from duckdb import DuckDBPyConnection, DuckDBPyRelation
from duckdb import FunctionExpression as Function

from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES, RAW_LEADS
from aiqleads_pipeline.stages.engine import run_sql
from aiqleads_pipeline.stages.validate import check_leads

if TYPE_CHECKING:
    from aiqleads_pipeline.rules.sources import Sources


def current_leads(
    con: DuckDBPyConnection, validated: DuckDBPyRelation, updates: DuckDBPyRelation, sources: Sources
) -> DuckDBPyRelation:
    """The leads of ``validated`` that something was said about, in its columns, with what was said.

    Args:
        con: a connection of ``open_engine``.
        validated: VALIDATED_LEADS.
        updates: ``update_id`` (UUID, ascending by time), ``lead_id``, ``source``, ``received_at``, ``content`` (JSON of
            the contract's columns as text).
        sources: their terms: country, currency, order of dates, time zone.

    Reading costs half a second per source, and per day of those that name times in words. The relation is lazy.
    """
    run_sql(con, "stages/current/updates", current_given=updates).query(
        "_", "CREATE OR REPLACE TEMP TABLE current_updates AS FROM _"
    )
    said = con.table("current_updates")
    groups = said.aggregate("source, spoken_on, max(received_at) AS as_of").order("source, spoken_on").fetchall()
    if not groups:
        return validated.filter("false")
    make = "CREATE OR REPLACE TEMP TABLE current_checked AS FROM _"
    for source, spoken_on, as_of in groups:
        is_of_day = Column("spoken_on").isnull() if spoken_on is None else Column("spoken_on") == Constant(spoken_on)
        alike = said.filter((Column("source") == Constant(source)) & is_of_day)
        _check(con, alike, source, as_of, sources).query("_", make)
        make = "INSERT INTO current_checked FROM _"
    found = run_sql(con, "stages/current/current_leads", current_validated=validated)
    return found.project(", ".join(f'"{name}"' for name in validated.columns))


def _check(
    con: DuckDBPyConnection, updates: DuckDBPyRelation, source: str, as_of: datetime, sources: Sources
) -> DuckDBPyRelation:
    """The typed columns of updates of one source; ``lead_id`` is the update's."""
    terms = sources.for_name(source)
    values = {
        name: Function("json_extract_string", Column("content"), Constant(f"$.{name}")) for name in LEAD_COLUMN_NAMES
    }
    values |= {
        "lead_id": Column("update_id"),
        "source": Column("source"),
        "received_at": Column("received_at"),
        "extra": Function("json_extract", Column("content"), Constant("$.extra")),
    }
    raw = updates.project(*(values.get(c.name, Constant(None)).cast(c.type).alias(c.name) for c in RAW_LEADS.columns))
    return check_leads(
        con,
        raw,
        default_country=terms.default_country,
        currency=terms.currency,
        policy="lenient",  # the doors judged strictly, at the time
        date_order=terms.date_order,
        timezone=terms.timezone,
        as_of=as_of,
    )
