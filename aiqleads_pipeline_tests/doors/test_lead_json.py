"""Bodies of plain leads are read by a faster parser: it says what the careful one says, or leaves the body to it."""

from __future__ import annotations

import json

import pytest

from aiqleads_pipeline.doors import lead_json
from aiqleads_pipeline.doors.lead_json import parse_body
from aiqleads_pipeline.doors.problems import Problem

VALUES = (
    b"1", b"-1", b"0", b"-0", b"-0.0", b"1.0", b"1e5", b"1E+2", b"0.30000000000000004", b"9007199254740993.0",
    b"5e-324",
    b"1.7976931348623157e308", b"1e400", b"18446744073709551616", b"123456789012345678901234567890", b"true", b"null",
    b'"x"', b'""', b'"\xc3\xa9"', b'"\xed\xa0\x80"', b'"\xff"', b'"a\nb"', b'"a\x01b"', b'"\x7f"', b'"a\\"b"',
    b'"\\ud800"',
    b'"\\u0041"', b'{"b":1}', b"[]", b"[1]", b"NaN", b"Infinity", b"-", b"+1", b"01", b"1.", b".5", b"tru", b"",
)  # fmt: skip
FORMS = (
    b'{"a":%s}', b'[{"a":%s}]', b'[{"a":1},{"a":%s}]', b'{"a":%s,"a":2}', b'[{"a":%s,"b":"x","a":"y"}]', b'{"a":%s,}',
    b' {"a" : %s} ', b'\xef\xbb\xbf{"a":%s}', b'{"a":%s} x', b'{"leads":[{"a":%s}]}', b"%s", b"[%s]", b'{"a":%s}\x00',
)  # fmt: skip


def said(body: bytes) -> str:
    try:
        return json.dumps(parse_body(body))  # tells 1 from 1.0 and from true, and -0.0 from 0
    except Problem as problem:
        return problem.code


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_both_parsers_say_the_same(form: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = [form % value for value in VALUES]
    fast = [said(body) for body in bodies]
    monkeypatch.setattr(lead_json, "_parse_plain", lambda _body: None)
    assert fast == [said(body) for body in bodies]


def test_a_plain_lead_is_read_by_the_faster_one() -> None:
    lead = {"email": "ann@birch.com", "last_name": "Bírch", "employee_count": 3, "consent": True, "budget_usd": 1.5}
    assert lead_json._parse_plain(json.dumps(lead, ensure_ascii=False).encode()) == lead
    assert lead_json._parse_plain(json.dumps([lead, lead], ensure_ascii=False).encode()) == [lead, lead]
