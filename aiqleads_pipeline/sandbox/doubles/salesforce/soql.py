"""The part of SOQL that integrations read back with: fields, COUNT(), WHERE with AND, OR, NOT and comparisons,
ORDER BY, LIMIT, OFFSET. No joins but ``Owner.Name``-like paths, no aggregates but COUNT.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<date>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d))?)|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][\w.]*)|(?P<mark><=|>=|!=|<>|[=<>(),]))"
)
Test = Callable[[dict[str, Any]], bool]
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b, ">": lambda a, b: a > b, "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b,
}  # fmt: skip


class MalformedQuery(Exception):
    """MALFORMED_QUERY, or INVALID_FIELD and INVALID_TYPE by ``code``."""

    def __init__(self, message: str, code: str = "MALFORMED_QUERY") -> None:
        super().__init__(message)
        self.code = code


class Query:
    """A query, parsed. ``fields`` holds names as they were written; ``is_count`` where it is COUNT() alone."""

    def __init__(
        self, text: str, object_of: Callable[[str], str | None], field_of: Callable[[str, str], str | None]
    ) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._field_of = field_of
        self._take("select")
        names, self.is_count = self._fields()
        self._take("from")
        written = self._word()
        kind = object_of(written)
        if kind is None:
            raise MalformedQuery(f"sObject type '{written}' is not supported.", "INVALID_TYPE")
        self.kind = kind
        self.fields = [self._field(name) for name in names]
        self.where: Test = self._either() if self._skip("where") else lambda _row: True
        self.order = self._orders() if self._skip("order") else []
        self.limit = int(self._value()) if self._skip("limit") else None
        self.offset = int(self._value()) if self._skip("offset") else 0
        if self._at < len(self._tokens):
            raise MalformedQuery(f"unexpected token: {self._tokens[self._at][1]}")

    def run(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows that fit, in order."""
        found = [row for row in rows if self.where(row)]
        for name, falls in reversed(self.order):
            found.sort(key=lambda row: (row.get(name) is not None, str(row.get(name) or "")), reverse=falls)
        return found[self.offset :][: self.limit]

    def _fields(self) -> tuple[list[str], bool]:
        names = [self._word()]
        if names[0].lower() == "count" and self._skip("("):
            if not self._skip(")"):
                self._word()
                self._take(")")
            return [], True
        while self._skip(","):
            names.append(self._word())
        return names, False

    def _field(self, name: str) -> str:
        head, _, rest = name.partition(".")
        if rest:
            if self._field_of(self.kind, f"{head}Id") is None:
                raise MalformedQuery(f"Didn't understand relationship '{head}' in field path.", "INVALID_FIELD")
            return name
        known = self._field_of(self.kind, name)
        if known is None:
            raise MalformedQuery(f"No such column '{name}' on entity '{self.kind}'.", "INVALID_FIELD")
        return known

    def _either(self) -> Test:
        tests = [self._both()]
        while self._skip("or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._skip("and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        if self._skip("not"):
            inner = self._one()
            return lambda row: not inner(row)
        if self._skip("("):
            inner = self._either()
            self._take(")")
            return inner
        name = self._field(self._word())
        if self._skip("not"):
            self._take("in")
            values = self._values()
            return lambda row: _bare(row.get(name)) not in values
        if self._skip("in"):
            values = self._values()
            return lambda row: _bare(row.get(name)) in values
        if self._skip("like"):
            pattern = _like(str(self._value()))
            return lambda row: pattern.fullmatch(str(row.get(name) or "")) is not None
        mark = self._next()
        value = _bare(self._value())
        if mark == "=":
            return lambda row: _bare(row.get(name)) == value
        if mark in ("!=", "<>"):
            return lambda row: _bare(row.get(name)) != value
        if mark in _ORDER:
            return lambda row: row.get(name) is not None and _compared(mark, row[name], value)
        raise MalformedQuery(f"unexpected token: {mark}")

    def _orders(self) -> list[tuple[str, bool]]:
        self._take("by")
        orders = []
        while True:
            name = self._field(self._word())
            falls = self._skip("desc") or (self._skip("asc") and False)
            if self._skip("nulls"):
                self._word()
            orders.append((name, falls))
            if not self._skip(","):
                return orders

    def _values(self) -> set[Any]:
        self._take("(")
        values = {_bare(self._value())}
        while self._skip(","):
            values.add(_bare(self._value()))
        self._take(")")
        return values

    def _value(self) -> Any:
        kind, text = self._peek()
        self._at += 1
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "date":
            return text
        if text.lower() in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[text.lower()]
        raise MalformedQuery(f"unexpected token: {text}")

    def _peek(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise MalformedQuery("unexpected end of the query")
        return self._tokens[self._at]

    def _next(self) -> str:
        text = self._peek()[1]
        self._at += 1
        return text

    def _word(self) -> str:
        kind, text = self._peek()
        if kind != "word":
            raise MalformedQuery(f"unexpected token: {text}")
        self._at += 1
        return text

    def _skip(self, text: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at][1].lower() == text:
            self._at += 1
            return True
        return False

    def _take(self, text: str) -> None:
        if not self._skip(text):
            raise MalformedQuery(f"expecting {text}")


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at, text = [], 0, text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise MalformedQuery(f"line 1:{at} no viable alternative at character '{text[at]}'")
        tokens.append((str(found.lastgroup), str(found.group(str(found.lastgroup)))))
        at = found.end()
    return tokens


def _bare(value: Any) -> Any:
    """As SOQL compares: text without regard to case."""
    return value.lower() if isinstance(value, str) else value


def _compared(mark: str, held: Any, value: Any) -> bool:
    if isinstance(held, str) and isinstance(value, str):
        return _ORDER[mark](_moment(held.lower()), _moment(value))
    try:
        return _ORDER[mark](float(held), float(value))
    except (TypeError, ValueError):
        return False


def _moment(text: str) -> str:
    return re.sub(r"(\.\d+)?(z|[+-]00:?00)$", lambda found: (found[1] or ".000").ljust(4, "0"), text)


def _like(pattern: str) -> re.Pattern[str]:
    parts = ("." if mark == "_" else ".*" if mark == "%" else re.escape(mark) for mark in pattern)
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
