"""Whether the contract accepts a lead, and its identity keys: by the very check that files go through, strictly.

Belongs here: terms of sources, verdicts, the engine kept warm for leads that are not plain. Does not belong here: any
rule (``sql/stages/validate``) and the form of a body (``lead_json``).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
from duckdb import DuckDBPyConnection

from aiqleads_pipeline.contract import NAMED_BY, RAW_LEADS, REACHABLE_BY, cast_projection
from aiqleads_pipeline.doors.lead_json import Error, error_at, expected_of, missing_of
from aiqleads_pipeline.doors.plain import Keys, plain_keys
from aiqleads_pipeline.rules.sources import SourceRules
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.stages.identify import identity_keys
from aiqleads_pipeline.stages.validate import check_leads
from aiqleads_pipeline.stages.validate.check import Policy

STRICT: Policy = "strict"
_SCHEMA = pa.schema([(c.name, pa.int64() if c.name == "row_number" else pa.string()) for c in RAW_LEADS.columns])
_TYPED = cast_projection(RAW_LEADS.name)
_AMOUNTS = ("annual_revenue_usd", "budget_usd")
_RULE_CODES = {"unreachable": REACHABLE_BY, "nameless": NAMED_BY}


@dataclass(slots=True)
class Verdict:
    """Accepted with ``keys``, or refused: ``errors`` at columns, ``missing`` columns of which one is needed."""

    keys: Keys = field(default_factory=list)
    errors: list[Error] = field(default_factory=list)
    missing: list[Error] = field(default_factory=list)

    @property
    def is_accepted(self) -> bool:
        """Whether nothing is wrong."""
        return not self.errors and not self.missing


@dataclass(frozen=True, slots=True)
class ToCheck:
    """A lead's texts by column, and the source whose terms they are read by."""

    row: dict[str, str]
    source: SourceRules


def complete_row(row: dict[str, str], source: SourceRules) -> ToCheck:
    """A lead as its source's terms make it: defaults for what it leaves out, bare amounts in US dollars (the columns
    say so, whatever the source's files are in). ``row`` becomes the lead's own."""
    for name, value in source.defaults.items():
        row.setdefault(name, value)
    if source.currency != "USD":
        for name in _AMOUNTS:
            if row.get(name, "x")[0].isdigit():
                row[name] = f"USD {row[name].removesuffix('e0')}"
    return ToCheck(row, source)


def check_plain(lead: ToCheck, as_of: datetime) -> Verdict | None:
    """The verdict on a lead that is plain, in microseconds; None for the others, which the ``Checker`` looks at."""
    source = lead.source
    keys = plain_keys(lead.row, source.name, source.default_country, source.timezone, as_of)
    return None if keys is None else Verdict(keys)


class Checker:
    """The engine, opened at first use and kept; one lead costs as much as a thousand. Threads take turns."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._con: DuckDBPyConnection | None = None
        self._turn = threading.Lock()

    def check(self, leads: Sequence[ToCheck], as_of: datetime) -> list[Verdict]:
        """The verdicts on leads, in their order."""
        verdicts = [Verdict() for _ in leads]
        by_terms: dict[tuple[object, ...], list[int]] = {}
        for number, lead in enumerate(leads):
            by_terms.setdefault(_terms(lead.source), []).append(number)
        with self._turn:
            for numbers in by_terms.values():
                self._check_alike(
                    [leads[number] for number in numbers], [verdicts[number] for number in numbers], as_of
                )
        return verdicts

    def close(self) -> None:
        """Let the engine go."""
        with self._turn:
            if self._con is not None:
                self._con.close()
                self._con = None

    def _check_alike(self, leads: Sequence[ToCheck], verdicts: Sequence[Verdict], as_of: datetime) -> None:
        con = self._engine()
        raw = pa.Table.from_pylist([_raw_row(number, lead) for number, lead in enumerate(leads)], _SCHEMA)
        con.from_arrow(raw).query("_", f"CREATE OR REPLACE TEMP TABLE door_leads AS SELECT {_TYPED} FROM _")
        source = leads[0].source
        checked = check_leads(
            con,
            con.table("door_leads"),
            default_country=source.default_country,
            currency=source.currency,
            policy=STRICT,
            date_order=source.date_order,
            timezone=source.timezone,
            as_of=as_of,
        )
        checked.query("_", "CREATE OR REPLACE TEMP TABLE door_checked AS FROM _")
        refused = con.table("door_checked").filter("len(violations) > 0").project("row_number, violations").fetchall()
        for number, violations in refused:
            _refuse(
                verdicts[number], leads[number].row, [(found["column_name"], found["code"]) for found in violations]
            )
        good = con.table("door_checked").filter("len(violations) = 0")
        for number, kind, key, tag in identity_keys(con, good).project("row_number, kind, key, tag").fetchall():
            verdicts[number].keys.append((key, tag, kind))

    def _engine(self) -> DuckDBPyConnection:
        if self._con is None:
            self._con = open_engine(self._settings)
            self._con.execute("SET threads = 1")  # the other cores are the requests'
        return self._con


def _terms(source: SourceRules) -> tuple[object, ...]:
    return source.default_country, source.currency, source.date_order, source.timezone


def _raw_row(number: int, lead: ToCheck) -> dict[str, object]:
    return {
        **lead.row,
        "lead_id": f"00000000-0000-8000-8000-{number:012x}",
        "row_number": number,
        "source": lead.source.name,
    }


def _refuse(verdict: Verdict, row: dict[str, str], violations: Sequence[tuple[str | None, str]]) -> None:
    at_fault = {column for column, _ in violations}
    for column, code in violations:
        if column is not None:
            verdict.errors.append(error_at(f"/{column}", code, expected_of(column)))
        elif code in _RULE_CODES:
            # Where one was given and is wrong, that is what to say.
            if not any(name in row and name in at_fault for name in _RULE_CODES[code]):
                verdict.missing.append(missing_of(code))
        else:
            verdict.errors.append(error_at("", code, "a lead of a person"))
