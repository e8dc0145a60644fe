"""Finds the leads in events of webhooks that were dropped as files under ``webhooks/<source>/``.

Belongs here: files of sources whose webhook says where its leads are, read as the door reads the same bytes. Does not
belong here: what an event holds (``events``), and sources that say nothing of it: theirs are files like any other
(``documents``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aiqleads_pipeline.stages.reading.documents import IN_MEMORY_BYTES, Found, Line, as_row, find_rows, lines_of
from aiqleads_pipeline.stages.reading.events import EventLead, EventPaths, read_event
from aiqleads_pipeline.stages.reading.flatten import Row
from aiqleads_pipeline.stages.reading.json_text import keep_apart, parse

EVENT_CHANNEL = "webhook"
_NO_LEAD = "no_lead_in_event"
_TEST_LEAD = "test_lead"


class EventFiles:
    """Reads the events of one source: a document is an event or a list of them, and so is each line of NDJSON."""

    def __init__(self, paths: EventPaths, columns: Mapping[str, str]) -> None:
        self._paths = paths
        self._columns = columns

    def find_rows(self, path: Path) -> tuple[str, Iterator[Found]]:
        """The format (``json`` or ``ndjson``) and the rows of a file; an event without a lead is read as any file is.

        Raises:
            DropRefused: it is no JSON, or is cut short.
        """
        kind, rows = find_rows(path)
        if kind == "ndjson":
            return kind, (row for line in lines_of(path) for row in self._of_line(line))
        if path.stat().st_size > IN_MEMORY_BYTES:
            return kind, rows
        document = parse(path.read_text(encoding="utf-8-sig"))
        leads = self._read(document)
        if leads:
            return kind, (_as_found(None, lead) for lead in leads)
        events = document if isinstance(document, list) else []
        found = [[_as_found(None, lead) for lead in self._read(event)] for event in events]
        if not any(found):
            return kind, rows
        return kind, (
            row
            for event, leads_of_event in zip(events, found, strict=True)
            for row in leads_of_event or [as_row(None, event, {})]
        )

    def _of_line(self, line: Line) -> list[Found]:
        if line.fault is not None:
            return [line.fault]
        leads = self._read(line.item)
        return [_as_found(line.number, lead) for lead in leads] or [as_row(line.number, line.item, {})]

    def _read(self, event: Any) -> list[EventLead]:
        """The leads of an event, none if it holds none where they should be."""
        leads = read_event(event, self._paths, self._columns, {})
        return [] if [lead.code for lead in leads] == [_NO_LEAD] else leads


def has_paths(paths: EventPaths | None) -> bool:
    """Whether a webhook says anything of where its leads are."""
    return paths is not None and bool(paths.leads or paths.fields or paths.event_fields)


def _as_found(line_number: int | None, lead: EventLead) -> Found:
    """A lead's columns as headers of their own names, beside what no column took."""
    if lead.code not in (None, _TEST_LEAD):
        return Found(line_number, code=lead.code, raw=lead.raw or "")
    row: Row = keep_apart([*lead.values.items(), *lead.extra.items()])
    if lead.code == _TEST_LEAD:
        row.setdefault("is_test", "true")  # by which rows are recognised whatever flag the event had
    return Found(line_number, row)
