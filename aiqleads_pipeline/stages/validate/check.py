"""Checks every row of a batch: reads its cells, repairs what is certain, and judges whether it is a lead.

Belongs here: what must be known about a whole file before its rows can be read. What a cell means stands in SQL.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Literal

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.stages.engine import SQL_DIR, define_table, load_reference, run_sql, set_variables
from aiqleads_pipeline.stages.validate.settling import (
    settle_emails,
    settle_numbers_and_times,
    settle_sites,
    settling_phones,
)

Policy = Literal["lenient", "strict"]
DateOrder = Literal["auto", "dmy", "mdy", "ymd"]


class UnknownCurrency(ValueError):
    """The source's currency has no rate in ``data/reference/currency_rates.csv``."""


def check_leads(
    con: DuckDBPyConnection,
    raw: DuckDBPyRelation,
    *,
    default_country: str | None = None,
    currency: str = "USD",
    policy: Policy = "lenient",
    date_order: DateOrder = "auto",
    timezone: str = "UTC",
    as_of: datetime,
) -> DuckDBPyRelation:
    """One row per raw row: the VALIDATED_LEADS columns, ``line_number`` and ``violations``.

    ``violations`` is a list of ``{column_name, code, value}``, empty for an accepted row. A row is accepted if it can
    be reached and named. It can be reached by a valid e-mail address or a valid phone number, or by a number of 7 to
    15 digits when neither the row nor the source names a country: that one is kept in ``phone`` for people to dial,
    with the warning ``phone:invalid_phone``. Under ``lenient`` every other bad cell becomes null, stays in ``extra``
    and is named in ``warnings``; under ``strict`` it is a violation.

    ``default_country`` is the country (alpha-2) of rows that name none, ``currency`` that of bare amounts,
    ``timezone`` that of times without a zone, ``as_of`` the moment that "3 days ago" counts from.

    The relation is lazy and reads temp tables and variables of ``con``: write it (once) before the next call.

    Raises:
        UnknownCurrency: ``currency`` has no rate.
    """
    load_reference(
        con,
        "country_aliases",
        "region_aliases",
        "phone_regions",
        "phone_patterns",
        "currency_rates",
        "currency_marks",
        "us_zip_prefixes",
        "placeholders",
    )
    raw.create_view("raw", replace=True)
    set_variables(
        con, default_country=default_country, policy=policy, time_zone=timezone, as_of=as_of, date_order=date_order
    )
    run = partial(run_sql, con)
    _set_rates(con, currency)
    for name in ("cells", "places"):
        run(f"stages/validate/{name}").query("_", f'CREATE OR REPLACE TEMP TABLE "checked_{name}" AS FROM _')
    set_variables(con, **_only_row(run("stages/validate/phone_prefixes")))
    with settling_phones(con, run("stages/validate/unsettled_phones")):
        settle_numbers_and_times(con)
        settle_emails(con, run("stages/validate/unsettled_emails"))
        settle_sites(con)
    set_variables(con, **_only_row(run("stages/validate/phone_patterns")))
    define_table(con, "stages/validate/values", "checked_values")
    return run("stages/validate/checked")


def _set_rates(con: DuckDBPyConnection, currency: str) -> None:
    """Rates and postal codes as variables, which the macros fold in as constants."""
    set_variables(con, currency=currency)
    for name in ("currency_rates", "zip_states", "placeholders"):
        con.execute((SQL_DIR / f"stages/validate/{name}.sql").read_text(encoding="utf-8"))
    rate = con.execute("SELECT getvariable('currency_rates')['']").fetchall()[0][0]
    if rate is None:
        raise UnknownCurrency(f"the currency {currency!r} has no rate in data/reference/currency_rates.csv")
    set_variables(con, home_rate=rate)


def _only_row(relation: DuckDBPyRelation) -> dict[str, Any]:
    return dict(zip(relation.columns, relation.fetchall()[0], strict=True))
