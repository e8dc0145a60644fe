"""Any REST provider, set up in YAML alone: a URL, a header, JSON paths.

Belongs here: reading what the rules say. A new vendor with a plain JSON API needs no code: see
``data/rules/enrichment.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import jsonpath_rfc9535 as jsonpath

from resources.enrichment import Answers, Found, KeyKind, LookupUnavailable, facts
from resources.enrichment.calling import HttpProvider, Setup

MOST_KEYS = 1000
OPTIONS = frozenset(
    {"key_kind", "method", "path", "headers", "body", "rows", "row_key", "row_later", "fields", "unknown_statuses",
     "confidence", "confidence_most", "maps"}
)  # fmt: skip


class GenericRest(HttpProvider):
    """Options (``{key}`` stands for the key, ``{keys}`` in a body for the list of keys, ``{secret}`` in headers):

    ``key_kind``; ``method`` GET or POST; ``path`` with its query; ``headers``; ``body`` (JSON); ``rows``: JSONPath of
    the answers where several keys are asked at once, ``row_key``: where in a row its key stands, ``row_later``: what a
    row has that must be asked again; ``fields``: field to
    JSONPath within a row; ``maps``: field to (their value to ours); ``confidence``: a share, or a JSONPath with
    ``confidence_most`` as its full value; ``unknown_statuses``: statuses that mean "not known" (404).
    """

    OPTIONS = OPTIONS
    BASE_URL = ""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        options = setup.options
        self.key_kind = KeyKind(options["key_kind"])
        self.own_fields = frozenset(options["fields"])
        self._fields = {field: jsonpath.compile(path) for field, path in options["fields"].items()}
        self._rows = jsonpath.compile(options["rows"]) if "rows" in options else None
        self._row_key = jsonpath.compile(options["row_key"]) if "row_key" in options else None
        self._row_later = jsonpath.compile(options["row_later"]) if "row_later" in options else None
        sure = options.get("confidence", 0.7)
        self._confidence = jsonpath.compile(sure) if isinstance(sure, str) else float(sure)
        self._unknown = tuple(options.get("unknown_statuses", (404,)))

    def lookup(self, keys: Sequence[str], *, timeout_seconds: float) -> Answers:
        """See ``EnrichmentProvider``."""
        options = self._setup.options
        path = str(options["path"]).replace("{key}", quote(keys[0], safe=""))
        headers = {
            name: value.replace("{secret}", self._secret()) if "{secret}" in value else value
            for name, value in options.get("headers", {}).items()
        }
        body = _filled(options["body"], keys) if "body" in options else None
        answer = self._call(
            str(options.get("method", "GET")),
            self._url(path),
            timeout_seconds,
            headers=headers,
            body=body,
            takes=self._unknown,
        )
        if answer.status in self._unknown:
            return Answers()
        content = self._json(answer)
        try:
            return self._read(content, keys)
        except jsonpath.JSONPathError:
            raise LookupUnavailable(f"{self.name} answered in a shape that can't be read", "bad_answer") from None

    def _read(self, content: Any, keys: Sequence[str]) -> Answers:
        if self._rows is None:
            known = self._found(content)
            return Answers({keys[0]: known} if known else {})
        found: dict[str, Found] = {}
        later = set()
        asked = set(keys)
        for row in self._rows.find(content).values()[: len(keys)]:
            key = _first(self._row_key, row) if self._row_key else None
            if key in asked and self._row_later is not None and _first(self._row_later, row) is not None:
                later.add(key)
            elif key in asked:
                known = self._found(row)
                if known:
                    found[key] = known
        return Answers(found, frozenset(later) - frozenset(found))

    def _found(self, row: Any) -> Found | None:
        maps: Mapping[str, Mapping[str, Any]] = self._setup.options.get("maps", {})
        given = {}
        for field, path in self._fields.items():
            value = _first(path, row)
            given[field] = maps[field].get(str(value)) if field in maps and value is not None else value
        sure = self._confidence
        share = sure if isinstance(sure, float) else self._share(_first(sure, row))
        return facts.found(given, share) if share > 0 else None

    def _share(self, value: Any) -> float:
        number = facts.number_of(value)
        return 0.5 if number is None else number / float(self._setup.options.get("confidence_most", 1))


def _first(path: jsonpath.JSONPathQuery, data: Any) -> Any:
    if not isinstance(data, dict | list):
        return None
    node = path.find_one(data)
    return None if node is None else node.value


def _filled(body: Any, keys: Sequence[str]) -> Any:
    if body == "{keys}":
        return list(keys)
    if isinstance(body, str):
        return body.replace("{key}", keys[0])
    if isinstance(body, dict):
        return {name: _filled(value, keys) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, keys) for value in body]
    return body
