"""Reads the drops of a batch: from bytes to rows of ``raw_leads``.

Belongs here: the order of the steps - recognise, unpack, read, map, project - and what a batch of several drops is.
Each format has a reader of its own beside this module.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.reading.corrected import as_sent
from aiqleads_pipeline.stages.reading.delimited import check_width, read_delimited
from aiqleads_pipeline.stages.reading.dialect import Knows
from aiqleads_pipeline.stages.reading.documents import Found, find_rows
from aiqleads_pipeline.stages.reading.drop import LINE_COLUMNS, DropFile, DropRefused, ReadResult, Table, drop_key
from aiqleads_pipeline.stages.reading.event_files import EVENT_CHANNEL, EventFiles, has_paths
from aiqleads_pipeline.stages.reading.events import EventPaths
from aiqleads_pipeline.stages.reading.gather import Gathering
from aiqleads_pipeline.stages.reading.intake import INTAKE_CHANNEL, read_intake
from aiqleads_pipeline.stages.reading.kinds import kind_of
from aiqleads_pipeline.stages.reading.mapping import Mapped, is_reachable, map_headers, meaning_of
from aiqleads_pipeline.stages.reading.parallel import columns_of
from aiqleads_pipeline.stages.reading.projection import project_raw
from aiqleads_pipeline.stages.reading.recognise import Format, recognise
from aiqleads_pipeline.stages.reading.unpack import unpack_gzip, unpack_zip

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MAX_NESTING = 2  # a gz within a ZIP is an export; more is a bomb
_RAW_HEAD_BYTES = 2000
_names = itertools.count()


class SourceColumns(Protocol):
    """What reading needs to know of a source; ``rules.sources.SourceRules`` has it."""

    @property
    def name(self) -> str: ...
    @property
    def encoding(self) -> str: ...
    @property
    def delimiter(self) -> str | None: ...
    @property
    def columns(self) -> dict[str, str]: ...
    @property
    def defaults(self) -> dict[str, str]: ...
    @property
    def webhook(self) -> EventPaths | None: ...


_FindRows = Callable[[Path], tuple[str, Iterator[Found]]]


@dataclass(frozen=True)
class _Part:
    """A table and the drops it came from; several only for JSON."""

    table: Table
    key: int | None
    facts: list[dict[str, Any]]


def read_drops(
    con: DuckDBPyConnection,
    drops: Sequence[DropFile],
    source: SourceColumns,
    *,
    batch_id: str,
    channel: str,
    received_at: datetime,
    settings: Settings,
    workdir: Path,
) -> ReadResult:
    """The rows of a batch as ``raw_leads``.

    The relation is lazy and reads from tables of ``con`` and files of ``workdir``: write it once, then ``release``.
    ``row_number`` runs on over the drops; a lead's id comes from its own drop's hash and row (but for what the doors
    took in, see ``intake``).

    Raises:
        DropRefused: the drop must be quarantined. Among several drops one that can't be read becomes a row with the
            code ``unreadable_drop``; only if none can be read, all are refused.
    """
    if channel == INTAKE_CHANNEL:
        [drop] = drops
        return read_intake(con, drop, batch_id=batch_id, source=source.name, channel=channel)
    parts: list[_Part] = []
    try:
        parts = _read_parts(con, drops, source, settings, workdir, _finder_of(source, channel))
        mappings = [map_headers(part.table.headers, source.columns, part.key is None) for part in parts]
        _require_contact(parts, mappings)
        origin: dict[str, str | datetime] = {
            "batch_id": batch_id, "source": source.name, "source_channel": channel, "received_at": received_at,
        }  # fmt: skip
        relations, first_row = [], 0
        for part, mapped in zip(parts, mappings, strict=True):
            relations.append(project_raw(part.table, mapped, part.key, first_row, origin, source.defaults))
            first_row += part.table.rows
            for fact in part.facts:
                fact["mapping"] = [item.fact() for item in mapped]
        relation = relations[0]
        for other in relations[1:]:
            relation = relation.union(other)
    except BaseException:
        _release(parts)
        raise
    facts = [fact for part in parts for fact in part.facts]
    return ReadResult(relation, facts, lambda: _release(parts))


def read_table(
    con: DuckDBPyConnection,
    drop: DropFile,
    settings: Settings,
    workdir: Path,
    *,
    knows: Knows = meaning_of,
    encoding: str = "auto",
    delimiter: str | None = None,
) -> Table:
    """One drop as a table of text, unmapped: for files that are no leads.

    ``knows`` tells the meaning of a header, None for an unknown one: by it the header is found.

    Raises:
        DropRefused: the drop must be quarantined.
    """
    opened = _open(drop, settings, workdir)
    table = _read(con, drop, opened, settings, workdir, knows, encoding, delimiter)
    return replace(table, relation=table.relation.project(*LINE_COLUMNS, *columns_of(len(table.headers))))


def _finder_of(source: SourceColumns, channel: str) -> _FindRows:
    if channel == EVENT_CHANNEL and source.webhook is not None and has_paths(source.webhook):
        return EventFiles(source.webhook, source.columns).find_rows
    return find_rows


@dataclass(frozen=True)
class _Opened:
    """The file to read, its format, and the containers it was taken out of."""

    path: Path
    form: Format
    containers: list[str]
    find_rows: _FindRows

    def rows(self) -> tuple[str, Iterator[Found]]:
        """The format and the rows of JSON."""
        return self.find_rows(self.path)


def _open(drop: DropFile, settings: Settings, workdir: Path, find: _FindRows = find_rows) -> _Opened:
    path = drop.path
    containers: list[str] = []
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DropRefused("drop_changed") from error
    if size > settings.MAX_DROP_MB << 20:
        raise DropRefused("file_too_large", f"The limit is {settings.MAX_DROP_MB} MB.")
    form = recognise(path)
    while form in ("gzip", "zip"):
        if len(containers) == _MAX_NESTING:
            raise DropRefused("unsupported_format", "It is packed several times over.")
        containers.append(form)
        unpack = unpack_gzip if form == "gzip" else unpack_zip
        path = unpack(path, workdir / f"{drop.sha256[:16]}-{next(_names)}.unpacked", settings)
        form = recognise(path)
    return _Opened(path, form, containers, find)


def _read(
    con: DuckDBPyConnection,
    drop: DropFile,
    opened: _Opened,
    settings: Settings,
    workdir: Path,
    knows: Knows = meaning_of,
    encoding: str = "auto",
    delimiter: str | None = None,
) -> Table:
    """One drop as a table; refused if it has no row that can be read."""
    target = _target(drop, workdir)
    kind: str = opened.form
    if opened.form == "json":
        kind, found = opened.rows()
        with Gathering(target, settings) as gathering:
            gathering.add(0, found)
            table = gathering.table(con)
    elif opened.form == "parquet":
        from aiqleads_pipeline.stages.reading.columnar import read_parquet_drop

        table = read_parquet_drop(con, opened.path, settings)
    elif opened.form == "excel":
        from aiqleads_pipeline.stages.reading.excel import read_workbook

        table = read_workbook(con, opened.path, target, settings)
    else:
        kind = "csv"
        table = read_delimited(con, opened.path, settings, workdir, knows, encoding, delimiter)
    try:
        check_width(len(table.headers), settings)
        if not table.rows:
            raise DropRefused("no_rows")
        if table.unreadable_rows == table.rows:
            raise DropRefused("no_readable_rows", f"It has {table.rows} rows.")
    except DropRefused:
        table.release()
        raise
    table = as_sent(table)
    facts = {"name": drop.name, "format": kind, "unpacked_from": opened.containers, **table.facts}
    return replace(table, facts=facts | {"rows": table.rows, "unreadable_rows": table.unreadable_rows})


def _target(drop: DropFile, workdir: Path) -> Path:
    return workdir / f"{drop.sha256[:16]}-{next(_names)}.plain.csv"


def _read_parts(
    con: DuckDBPyConnection,
    drops: Sequence[DropFile],
    source: SourceColumns,
    settings: Settings,
    workdir: Path,
    find: _FindRows,
) -> list[_Part]:
    if len(drops) == 1:
        opened = _open(drops[0], settings, workdir, find)
        return [_read_alone(con, drops[0], opened, source, settings, workdir)]
    parts: list[_Part] = []
    refusals: list[DropRefused] = []
    waiting: list[tuple[DropFile, _Opened | DropRefused]] = []
    for drop in drops:
        item: _Opened | DropRefused
        try:
            item = _open(drop, settings, workdir, find)
            if item.form != "json":
                part = _read_alone(con, drop, item, source, settings, workdir)
                parts += _gather(con, waiting, source, settings, workdir)
                waiting = []
                parts.append(part)
                continue
        except DropRefused as refusal:
            item = refusal
            refusals.append(refusal)
        waiting.append((drop, item))
    parts += _gather(con, waiting, source, settings, workdir)
    if refusals and all(part.table.rows == part.table.unreadable_rows for part in parts):
        _release(parts)
        raise refusals[0]
    return parts


def _read_alone(
    con: DuckDBPyConnection, drop: DropFile, opened: _Opened, source: SourceColumns, settings: Settings, workdir: Path
) -> _Part:
    table = _read(con, drop, opened, settings, workdir, encoding=source.encoding, delimiter=source.delimiter)
    return _Part(table, drop_key(source.name, drop.sha256), [table.facts])


def _gather(
    con: DuckDBPyConnection,
    waiting: Sequence[tuple[DropFile, _Opened | DropRefused]],
    source: SourceColumns,
    settings: Settings,
    workdir: Path,
) -> list[_Part]:
    """JSON drops, and those that were refused, as one table."""
    if not waiting:
        return []
    facts: list[dict[str, Any]] = []
    with Gathering(_target(waiting[0][0], workdir), settings, sets_drops_aside=True) as gathering:
        for drop, item in waiting:
            fact: dict[str, Any] = {"name": drop.name}
            rows: Iterator[Found]
            try:
                if isinstance(item, DropRefused):
                    raise item
                fact["format"], rows = item.rows()
            except DropRefused as refusal:
                fact |= {"refused": refusal.code, "detail": str(refusal)}
                rows = iter([Found(None, code="unreadable_drop", raw=_head_of(drop.path))])
            fact["rows"], fact["unreadable_rows"] = gathering.add(drop_key(source.name, drop.sha256), rows)
            facts.append(fact)
        table = gathering.table(con)
    return [_Part(table, None, facts)]


def _head_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_RAW_HEAD_BYTES).decode("utf-8", "backslashreplace")
    except OSError:
        return ""


def _require_contact(parts: Sequence[_Part], mappings: Sequence[list[Mapped]]) -> None:
    """Refuse a batch without any way to reach anybody, telling which columns look as if they were one."""
    if any(is_reachable(mapped) for mapped in mappings):
        return
    tried: list[dict[str, str | None]] = []
    for part, mapped in zip(parts, mappings, strict=True):
        for index, item in enumerate(mapped):
            values = [row[index].strip() for row in part.table.samples if len(row) > index and row[index].strip()]
            looks_like = {"is_address": "email", "is_phone": "phone"}.get(kind_of(values) or "")
            looks_like = None if item.column else looks_like
            tried.append(item.fact() | ({"looks_like": looks_like} if looks_like else {}))
    hints = [f"{item['header']!r} looks like {item['looks_like']}" for item in tried if item.get("looks_like")]
    no_header = not all(part.table.facts.get("has_header", True) for part in parts)
    detail = "It has no header." if no_header else ""
    raise DropRefused("no_contact_column", f"{detail} {'; '.join(hints[:5])}{'.' if hints else ''}", tried)


def _release(parts: Sequence[_Part]) -> None:
    for part in parts:
        part.table.release()
