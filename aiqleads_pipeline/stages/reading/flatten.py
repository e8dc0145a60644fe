"""Turns JSON values into flat rows of text, and finds the rows in a document.

Belongs here: paths as headers (``contact.email``), lists of name and value, several values in one cell. Does not
belong here: parsing (``documents``) and meaning (``mapping``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aiqleads_pipeline.stages.reading.json_text import keep_apart
from aiqleads_pipeline.stages.reading.mapping import is_reachable, map_headers, meaning_of
from aiqleads_pipeline.stages.reading.proportion import MOST_HEADER_CHARS, MOST_PATH_CHARS, OutOfProportion

Row = dict[str, str]

# Keys under which forms give a question's name and its answer.
_NAMES = ("name", "column_name", "column_id", "key", "field", "question", "label", "title", "ref", "id")
_VALUES = ("values", "value", "string_value", "answer", "answers", "text", "field_value")
_MAX_DEPTH = 4  # how deep in a document its list of rows is looked for


def flatten(item: dict[str, Any]) -> Row:
    """One row: the path of each value and its text; nulls and empty values are left out.

    Raises:
        OutOfProportion: its paths are too long, one or all together.
        RecursionError: it is nested too deep.
    """
    return keep_apart(_within_proportion(_leaves(item, "")))


def rows_of(document: Any) -> tuple[Row, list[Any]]:
    """The rows of a document, and what stands around them (it belongs to every row).

    A list is its items. An object that can be reached itself is one lead; else its one list of objects holds the
    rows (of several, the one whose members are known best); else it is one lead.

    Raises:
        OutOfProportion, RecursionError: as of ``flatten``.
    """
    if isinstance(document, list):
        return {}, document
    if not isinstance(document, dict) or is_reachable(map_headers(_scalars_of(document), {})):
        return {}, [document]
    lists = sorted(_row_lists(document, (), 0), key=lambda found: _known(found[1]), reverse=True)
    if not lists:
        return {}, [document]
    path, items = lists[0]
    return flatten(_without(document, path)), items


def _within_proportion(leaves: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    chars = 0
    for path, text in leaves:
        chars += len(path)
        if chars > MOST_PATH_CHARS:
            raise OutOfProportion
        yield path, text


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _leaves(member, _joined(path, key))
    elif isinstance(value, list):
        yield from _leaves_of_list(value, path)
    elif isinstance(value, bool):
        yield path, "true" if value else "false"
    elif value is not None and value != "":
        yield path, str(value)


def _joined(path: str, key: str) -> str:
    if len(path) + len(key) > MOST_HEADER_CHARS:
        raise OutOfProportion
    return f"{path}.{key}" if path else key


def _leaves_of_list(values: list[Any], path: str) -> Iterator[tuple[str, str]]:
    pairs = [_name_and_value(value) for value in values]
    if pairs and all(pairs):
        for name, value in (pair for pair in pairs if pair):
            yield from _leaves(value, _joined(path, name))
    elif len(values) == 1:
        yield from _leaves(values[0], path)
    elif all(isinstance(value, str) for value in values):
        if values:
            yield path, "; ".join(values)
    elif values:
        yield path, json.dumps(values, ensure_ascii=False)


def _name_and_value(item: Any) -> tuple[str, Any] | None:
    if not isinstance(item, dict):
        return None
    value_key = next((key for key in _VALUES if key in item), None)
    name = next((item[key] for key in _NAMES if isinstance(item.get(key), str) and item[key]), None)
    return (name, item[value_key]) if value_key and name else None


def _scalars_of(document: dict[str, Any]) -> list[str]:
    return [path for path, _ in _within_proportion(_scalars(document, ""))]


def _scalars(document: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for key, value in document.items():
        here = _joined(path, key)
        if isinstance(value, dict):
            yield from _scalars(value, here)
        elif not isinstance(value, list) or all(_name_and_value(item) for item in value):
            yield from _leaves(value, here)


def _row_lists(value: dict[str, Any], path: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    for key, member in value.items():
        if isinstance(member, dict) and depth < _MAX_DEPTH:
            yield from _row_lists(member, (*path, key), depth + 1)
        elif _is_list_of_objects(member) and not all(_name_and_value(item) for item in member):
            yield (*path, key), member


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _known(items: list[Any]) -> int:
    return len({meaning for header in flatten(items[0]) if (meaning := meaning_of(header))})


def _without(document: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    first, rest = path[0], path[1:]
    return {
        key: (_without(value, rest) if rest else None) if key == first else value for key, value in document.items()
    }
