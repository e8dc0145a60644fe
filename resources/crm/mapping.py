"""Fields: what a lead becomes in a CRM's terms, and how a value that comes back is held against what was sent.

Belongs here: casts, lengths, picklists, and the hashes by which sent and held records are compared. Does not belong
here: which of our columns fill which field (``data/rules/crm/*.yaml``) and how records travel (one module per CRM).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Literal

Cast = Literal["text", "code", "url", "subdivision", "number", "flag", "date", "time", "picklist", "multi_picklist"]
Value = str | int | float | bool
ABSENT_MARK = bytes(4)  # in place of the mark of a field that was not sent
_BULK_NULL = "#N/A"  # in Salesforce's CSV this empties a field: as a value of a lead it says nothing anyway
_MOST_NUMBER = Decimal(10) ** 18


@dataclass(frozen=True)
class Field:
    """One field of theirs: the first of ``paths`` into a lead that holds something, cast.

    Attributes:
        max_chars: longer text is cut, a longer ``code`` or ``url`` (an address, a number, an id) is left out: cut, it
            would be another one. Counted as UTF-16 does, which is the strictest of them.
        values: of picklists, ours -> theirs. What is not in it is ``otherwise``, or left out.
        otherwise: what stands there when a lead has nothing.
        is_compared: whether reading back holds it against what was sent. Not what people in the CRM shall change.
    """

    name: str
    paths: tuple[tuple[str, ...], ...]
    cast: Cast = "text"
    max_chars: int | None = None
    decimals: int = 0
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    otherwise: str | None = None
    is_required: bool = False
    is_negated: bool = False
    is_compared: bool = True


class FieldMissing(Exception):
    """A lead has nothing for a field that the CRM requires. The message is the field's name."""


def map_lead(body: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Value]:
    """The fields of one lead, in the order of the mapping. What is not known is left out: it must erase nothing.

    Raises:
        FieldMissing.
    """
    record: dict[str, Value] = {}
    for each in fields:
        value = _cast(_found(body, each), each)
        if value is None and each.otherwise is not None:
            value = _cast(each.otherwise, each) if each.cast not in ("picklist", "multi_picklist") else each.otherwise
        if value is not None:
            record[each.name] = value
        elif each.is_required:
            raise FieldMissing(each.name)
    return record


def as_text(value: Value) -> str:
    """A value as text: for CRMs and files that know nothing else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)


def compared_fields(fields: Sequence[Field]) -> tuple[Field, ...]:
    """The fields whose marks a record keeps, in the order of their marks."""
    return tuple(sorted((each for each in fields if each.is_compared), key=lambda each: each.name))


def marks_of(record: Mapping[str, Value], fields: Sequence[Field]) -> bytes:
    """Four bytes per field of ``compared_fields``: a hash of what was sent, or zeros."""
    return b"".join(_mark(each, record.get(each.name)) for each in fields)


def signature(of: Field) -> str:
    """Name and way of comparing: marks of one signature can be held against each other."""
    return f"{of.name}:{of.cast}:{of.decimals}"


def differing(
    marks: bytes, held: Mapping[str, Any], fields: Sequence[Field], signatures: Sequence[str] | None = None
) -> list[str]:
    """The names of the fields that hold something else than what was sent.

    Args:
        marks: of ``marks_of``.
        held: what the CRM holds, as its API gives it.
        signatures: what the marks are of, in their order (None: of ``fields``). Fields that the mapping of today has
            no more, or compares in another way, are passed over.
    """
    known = {signature(each): each for each in fields}
    found = []
    for place, said in enumerate(known if signatures is None else signatures):
        sent, each = marks[4 * place : 4 * place + 4], known.get(said)
        if each is not None and sent != ABSENT_MARK and sent != _mark(each, held.get(each.name)):
            found.append(each.name)
    return found


def _found(body: Mapping[str, Any], wanted: Field) -> Any:
    for path in wanted.paths:
        value = next(_walk(body, path), None) if "*" not in path else (list(_walk(body, path)) or None)
        if value not in (None, "", []):
            return value
    return None


def _walk(node: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if not path:
        if node is not None:
            yield node
    elif path[0] == "*" and isinstance(node, list):
        for child in node:
            yield from _walk(child, path[1:])
    elif isinstance(node, Mapping):
        yield from _walk(node.get(path[0]), path[1:])


def _cast(value: Any, wanted: Field) -> Value | None:
    if value is None:
        return None
    match wanted.cast:
        case "number":
            return _number(value, wanted.decimals)
        case "flag":
            given = _flag(value)
            return None if given is None else given != wanted.is_negated
        case "date" | "time":
            moment = _moment(value)
            return None if moment is None else moment.strftime(_FORMATS[wanted.cast])
        case "picklist":
            return wanted.values.get(as_text(value), wanted.otherwise)
        case "multi_picklist":
            chosen = [wanted.values[item] for item in _texts(value) if item in wanted.values]
            return ";".join(dict.fromkeys(chosen)) or wanted.otherwise
    return _text("; ".join(_texts(value)), wanted)


_FORMATS = {"date": "%Y-%m-%d", "time": "%Y-%m-%dT%H:%M:%SZ"}


def _text(given: str, wanted: Field) -> str | None:
    text = given.replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(char for char in text if char >= " " or char in "\n\t").replace("\x7f", "").strip()
    text = text.encode("utf-8", errors="ignore").decode("utf-8")  # half a character is none
    if wanted.cast == "subdivision" and text[2:3] == "-" and text[:2].isascii() and text[:2].isupper():
        text = text[3:]
    if wanted.cast == "url" and text and not text.lower().startswith(("http://", "https://")):
        text = f"https://{text}"
    if not text or text == _BULK_NULL:
        return None
    units = text.encode("utf-16-le")
    if wanted.max_chars is None or len(units) <= 2 * wanted.max_chars:
        return text
    if wanted.cast in ("code", "url"):
        return None
    return units[: 2 * wanted.max_chars].decode("utf-16-le", errors="ignore").rstrip()


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [as_text(item) for item in items if isinstance(item, str | int | float | bool)]


def _number(value: Any, decimals: int) -> int | float | None:
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) >= _MOST_NUMBER:
        return None
    rounded = number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return float(rounded) if decimals else int(rounded)


def _flag(value: Any) -> bool | None:
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(as_text(value).lower())


def _moment(value: Any) -> datetime | None:
    """A point in time of any of the forms that CRMs give back, in UTC."""
    text = str(value).strip()
    if text.isdigit() and len(text) > 10:
        return datetime.fromtimestamp(int(text[:14]) / 1000, UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _mark(wanted: Field, value: Any) -> bytes:
    said = _comparable(wanted, value)
    if said is None:
        return ABSENT_MARK
    mark = hashlib.blake2b(said.encode("utf-8", errors="replace"), digest_size=4).digest()
    return mark if mark != ABSENT_MARK else b"\x01" * 4


def _comparable(wanted: Field, value: Any) -> str | None:
    """The form in which a value sent and the same value read back are alike."""
    if value in (None, ""):
        return None
    match wanted.cast:
        case "number":
            number = _number(value, wanted.decimals)
            return str(value) if number is None else as_text(float(number))
        case "flag":
            flag = _flag(value)
            return str(value) if flag is None else as_text(flag)
        case "date" | "time":
            moment = _moment(value)
            return str(value) if moment is None else moment.strftime(_FORMATS[wanted.cast])
        case "multi_picklist":
            return ";".join(sorted(part.strip() for part in str(value).split(";") if part.strip()))
    text = "\n".join(line.rstrip() for line in str(value).replace("\r\n", "\n").split("\n")).strip()
    # CRMs lower the case of addresses, and put a scheme or a slash to web addresses.
    return text.lower().removesuffix("/") if wanted.cast in ("code", "url") else text
