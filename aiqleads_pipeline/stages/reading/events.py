"""Reads an event of a webhook: its leads as texts by the contract's columns.

Belongs here: JSON paths of ``sources.yaml`` first, and what they leave by the very reading of a dropped file (rows of a
document, paths as headers, aliases). Nothing is refused: what can't be read as a lead is one with a ``code``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from aiqleads_pipeline.contract import REACHABLE_BY
from aiqleads_pipeline.rules.headers import header_key
from aiqleads_pipeline.stages.reading.flatten import Row, flatten, rows_of
from aiqleads_pipeline.stages.reading.json_text import as_written, parse
from aiqleads_pipeline.stages.reading.mapping import Mapped, map_headers
from aiqleads_pipeline.stages.reading.projection import DUMMY_COLUMNS, TEST_FLAGS
from aiqleads_pipeline.stages.reading.proportion import MOST_LEAVES, OutOfProportion, is_unwieldy

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

MOST_CELL_CHARS = 65_536
MOST_MEMBERS = 500
MOST_LEAD_BYTES = 1 << 20
MOST_AROUND_CHARS = 4 << 20  # what stands around the leads of an event goes along with each of them, up to this in sum
DUMMY_TEXT = "<test lead: dummy data"  # of Meta's testing tool, as in the macro `is_dummy_value`
META_TEST_ID = "444444444444"  # of the lead that the test button of Meta's webhooks sends
_META_ID_KEY = "leadgenid"
MOST_KNOWN_CHARS = 4_000  # of headers together whose meaning is remembered
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class EventPaths(Protocol):
    """What a source says of its events; ``rules.webhooks.WebhookRules`` has it."""

    @property
    def leads(self) -> str | None: ...
    @property
    def fields(self) -> Mapping[str, str]: ...
    @property
    def event_fields(self) -> Mapping[str, str]: ...


@dataclass(slots=True)
class EventLead:
    """A lead of an event. ``code`` says why it will be rejected whatever its cells hold, ``raw`` what it was."""

    values: dict[str, str] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    code: str | None = None
    raw: str | None = None

    def content(self) -> str:
        """The lead as the JSON object that drops of the doors are made of; never empty."""
        members: dict[str, Any] = dict(self.values)
        if self.extra:
            members["extra"] = self.extra
        if self.code is not None:
            members["read_error_code"] = self.code
        if self.raw is not None:
            members["raw_line"] = self.raw[:MOST_CELL_CHARS]
        return _as_text(json.dumps(members or {"extra": {}}, ensure_ascii=False))


def parse_event(body: bytes) -> Any:
    """The document of a body, read as a dropped file is: numbers as written, equal names kept apart, NaN as nothing.

    Raises:
        ValueError, RecursionError: it is no JSON in UTF-8, or nested too deep.
    """
    return parse(body.decode("utf-8-sig"))


def read_event(
    document: Any, paths: EventPaths, columns: Mapping[str, str], defaults: Mapping[str, str]
) -> list[EventLead]:
    """The leads of an event, at least one.

    ``columns`` and ``defaults`` are the source's, as for its files. Where ``paths`` say nothing the rows of the
    document are found as in a file; an event in which the path finds no lead becomes a row that says so.
    """
    around: Row = {}
    try:
        if is_unwieldy(document, MOST_LEAVES):
            return [_set_aside("too_many_members", document)]
        if paths.leads is None:
            around, items = rows_of(document)
        else:
            items = _find(paths.leads, document)
        if not items:
            return [_set_aside("no_lead_in_event", document)]
        if sum(map(len, around.values())) * len(items) > MOST_AROUND_CHARS:
            around = {}
        common = _values_at(paths.event_fields, document)
        is_test = _is_flagged(_scalars_of(document))
        return [_read_lead(item, around, common, is_test, paths, columns, defaults) for item in items]
    except OutOfProportion:
        return [_set_aside("too_many_members", document)]
    except RecursionError:
        return [EventLead(code="invalid_json")]


def unreadable_event(body: bytes) -> EventLead:
    """The row that an event becomes whose body is no JSON."""
    try:
        text, code = body.decode("utf-8-sig"), "invalid_json"
    except UnicodeDecodeError:
        text, code = body.decode("utf-8", "backslashreplace"), "undecodable_text"
    return EventLead(code=code, raw=text[:MOST_CELL_CHARS])


def find_text(path: str, document: Any) -> str | None:
    """The first value at a path that is a text or a number, as text; None where there is none."""
    return next((value for value in _find(path, document) if isinstance(value, str) and value), None)


def _read_lead(
    item: Any,
    around: Row,
    common: Row,
    is_test: bool,
    paths: EventPaths,
    columns: Mapping[str, str],
    defaults: Mapping[str, str],
) -> EventLead:
    if not isinstance(item, dict):
        return _set_aside("invalid_json", item)
    if is_unwieldy(item):
        return _set_aside("too_many_members", item)
    try:
        cells = flatten(item)
    except OutOfProportion:
        return _set_aside("too_many_members", item)
    cells |= {header: text for header, text in around.items() if header not in cells}
    lead = EventLead({**common, **_values_at(paths.fields, item)})
    if len(cells) > MOST_MEMBERS:
        return _set_aside("too_many_members", item)
    for mapped in _meanings(tuple(cells), columns):
        text = cells[mapped.header]
        if mapped.how == "ignored":
            continue
        if mapped.column is None or lead.values.setdefault(mapped.column, text) != text:
            lead.extra[mapped.header] = text
    for column, value in defaults.items():
        lead.values.setdefault(column, value)
    texts = (*lead.values.values(), *lead.extra.values())
    if any(len(text) > MOST_CELL_CHARS for text in texts) or sum(map(len, texts)) * 4 > MOST_LEAD_BYTES:
        return _set_aside("cell_too_large", item)
    if is_test or _is_test(cells, lead.values):
        lead.code = "test_lead"
    elif _is_reference(cells, lead.values):
        lead.code, lead.raw = "lead_by_reference", as_written(item)[:MOST_CELL_CHARS]
    return lead


def _meanings(headers: tuple[str, ...], columns: Mapping[str, str]) -> list[Mapped]:
    """What headers mean, the strongest first. Events of a source are alike, so that it is mostly known."""
    own = tuple(columns.items())
    is_usual = sum(map(len, headers)) <= MOST_KNOWN_CHARS
    return _known_meanings(headers, own) if is_usual else _known_meanings.__wrapped__(headers, own)


@lru_cache(1024)
def _known_meanings(headers: tuple[str, ...], own: tuple[tuple[str, str], ...]) -> list[Mapped]:
    return sorted(map_headers(headers, dict(own)), key=lambda mapped: mapped.rank)


def _is_test(cells: Row, values: Mapping[str, str]) -> bool:
    """Whether an ad platform's testing tool made the lead."""
    if any(values.get(column, "").startswith(DUMMY_TEXT) for column in DUMMY_COLUMNS) or _is_flagged(cells):
        return True
    return any(text == META_TEST_ID and _last_key(header) == _META_ID_KEY for header, text in cells.items())


def _is_reference(cells: Row, values: Mapping[str, str]) -> bool:
    """Whether an ad platform only told that there is a lead, to be asked for by its id."""
    return not any(values.get(column) for column in REACHABLE_BY) and any(
        _last_key(header) == _META_ID_KEY for header in cells
    )


def _is_flagged(cells: Row) -> bool:
    return any(text.lower() in ("true", "1") and _last_key(header) in TEST_FLAGS for header, text in cells.items())


def _last_key(header: str) -> str:
    return header_key(header.rsplit(".", 1)[-1])


def _scalars_of(document: Any) -> Row:
    if not isinstance(document, dict):
        return {}
    return flatten({name: value for name, value in document.items() if not isinstance(value, dict | list)})


def _values_at(paths: Mapping[str, str], document: Any) -> Row:
    found = {column: _first_text(_find(path, document)) for column, path in paths.items()}
    return {column: text for column, text in found.items() if text}


def _first_text(values: Iterable[Any]) -> str:
    return next((text for value in values if (text := _text_of(value))), "")


def _text_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "; ".join(flatten({"": value}).values())


def _find(path: str, document: Any) -> list[Any]:
    from jsonpath_rfc9535 import JSONPathError

    if not isinstance(document, dict | list):
        return [document] if path == "$" else []
    try:
        return list(_compiled(path).find(document).values())
    except JSONPathError:  # nested deeper than it looks
        return []


@cache
def _compiled(path: str) -> JSONPathQuery:
    from jsonpath_rfc9535 import compile

    return compile(path)


def _set_aside(code: str, item: Any) -> EventLead:
    return EventLead(code=code, raw=as_written(item)[:MOST_CELL_CHARS] or None)


def _as_text(text: str) -> str:
    """JSON that can be stored: half of a surrogate pair as the text of its escape, as in files."""
    return _HALF_CHARACTER.sub(lambda half: f"\\\\u{ord(half[0]):04x}", text)
