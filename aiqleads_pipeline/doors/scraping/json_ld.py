"""JSON-LD as pages embed it. Contexts are never fetched: terms are schema.org's or they are left out."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urljoin

from aiqleads_pipeline.doors.scraping.nodes import MAX_DEPTH, MAX_NODES, Node, Room, schema_term

_MAX_CHARS = 2_000_000
_BARE_TERM = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def json_ld_nodes(texts: list[str], base: str, room: Room) -> tuple[list[Node], int]:
    """The top nodes of a page's JSON-LD texts, and how many of the texts could not be read."""
    nodes: list[Node] = []
    broken_count = 0
    for text in texts:
        try:
            if len(text) > _MAX_CHARS:
                raise ValueError("too large")
            document = json.loads(text, strict=False, parse_float=str, parse_int=str, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            broken_count += 1
            continue
        reader = _Reader(base, room)
        for item in document if isinstance(document, list) else [document]:
            if isinstance(item, dict) and _speaks_schema_org(item.get("@context")):
                members = item["@graph"] if isinstance(item.get("@graph"), list) else [item]
                nodes += [reader.node(member, 0) for member in members if isinstance(member, dict)]
    return nodes, broken_count


class _Reader:
    def __init__(self, base: str, room: Room) -> None:
        self._base, self._room, self._count = base, room, 0

    def node(self, item: dict[str, Any], depth: int) -> Node:
        node = Node(types=[term for name in _listed(item.get("@type")) if (term := _term(name))], room=self._room)
        given = item.get("@id")
        if isinstance(given, str) and given and not given.startswith("_:"):
            node.id = _joined(self._base, given)
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_NODES:
            return node
        for name, value in item.items():
            term = None if name.startswith("@") else _term(name)
            for each in _listed(value) if term else ():
                self._add(node, term or "", each, depth)
        return node

    def _add(self, node: Node, term: str, value: Any, depth: int) -> None:
        if isinstance(value, dict):
            inner = next((value[key] for key in ("@value", "@list", "@set") if key in value), None)
            if inner is None:
                node.add(term, self.node(value, depth + 1))
                return
            for each in _listed(inner):
                if not (isinstance(each, dict) and depth > MAX_DEPTH):
                    self._add(node, term, each, depth + 1)
        elif isinstance(value, bool):
            node.add(term, "true" if value else "false")
        elif isinstance(value, str):
            node.add(term, value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _term(name: Any) -> str | None:
    if not isinstance(name, str):
        return None
    return name if _BARE_TERM.fullmatch(name) else schema_term(name)


def _joined(base: str, reference: str) -> str | None:
    try:
        return urljoin(base, reference)
    except ValueError:
        return None


def _speaks_schema_org(context: Any, depth: int = 0) -> bool:
    if isinstance(context, str):
        return re.fullmatch(r"https?://(www\.)?schema\.org(/.*)?", context.strip()) is not None
    if isinstance(context, list | dict) and depth < 4:
        inner = context if isinstance(context, list) else context.values()
        return any(_speaks_schema_org(each, depth + 1) for each in inner)
    return False


def _no_constant(name: str) -> None:
    raise ValueError(name)
