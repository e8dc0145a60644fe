"""Events dropped as files: their source's paths count as they do at the door; what holds no lead is read as a file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aiqleads_pipeline.rules.sources import SourceRules
from aiqleads_pipeline.rules.webhooks import WebhookRules
from aiqleads_pipeline.stages.reading import DropRefused

PATHS = WebhookRules(
    scheme="none",
    leads="$.entry[*].changes[?@.field == 'leadgen'].value",
    fields={"email": "$.contact.way", "last_name": "$.contact.family"},
    event_fields={"campaign": "$.run"},
)
RULES = SourceRules(name="ads", columns={"shoe": "product_interest"}, defaults={"lead_source": "Ads"}, webhook=PATHS)


def event(*numbers: int, field: str = "leadgen", **around: Any) -> dict[str, Any]:
    """An event of the leads of these numbers."""
    changes = [
        {
            "field": field,
            "value": {"contact": {"way": f"a{n}@b.com", "family": f"Ash{n}"}, "shoe": "4", "email": "o@x.c"},
        }
        for n in numbers
    ]
    return {"run": "May", **around, "entry": [{"changes": changes}]}


def lead(number: int, **more: Any) -> dict[str, Any]:
    """The columns of such a lead."""
    columns = {"email": f"a{number}@b.com", "last_name": f"Ash{number}", "campaign": "May", "product_interest": "4"}
    return {**columns, "lead_source": "Ads", **more}


def leads_of(reader: Any, *contents: Any, channel: str = "webhook") -> list[dict[str, Any]]:
    """What becomes of a batch of events, without numbers of rows and lines and what no column took."""
    texts = [content if isinstance(content, str) else json.dumps(content) for content in contents]
    hidden = ("row_number", "line_number", "extra", "raw_line")
    rows = reader.leads(*texts, rules=RULES, channel=channel)
    return [{name: value for name, value in row.items() if name not in hidden} for row in rows]


def test_paths_of_the_source_count_in_files_of_events(reader):
    [row] = reader.leads(json.dumps(event(1)), rules=RULES, channel="webhook")
    assert row == {**lead(1), "row_number": 1, "extra": row["extra"]}
    assert json.loads(row["extra"]) == {
        "contact.way": "a1@b.com", "contact.family": "Ash1", "email (2)": "o@x.c"
    }  # fmt: skip


def test_several_events_however_they_were_written(reader):
    one, two = event(1, 2), event(3)
    expected = [lead(1), lead(2), lead(3)]
    assert leads_of(reader, one, two) == expected
    assert leads_of(reader, [one, two]) == expected
    assert leads_of(reader, json.dumps(one) + "\n" + json.dumps(two) + "\n") == expected


def test_test_events_are_recognised_and_broken_lines_stand_alone(reader):
    text = f'{json.dumps(event(1, is_test=True))}\n{{"run": \n{json.dumps(event(2))}\n'
    assert leads_of(reader, text) == [
        lead(1, read_error_code="test_lead"),
        {"read_error_code": "invalid_json"},
        lead(2),
    ]


def test_what_holds_no_lead_at_the_path_is_read_as_a_file(reader):
    plain = {"email": "c@d.com", "last_name": "Cole", "shoe": "5"}
    as_file = {"email": "c@d.com", "last_name": "Cole", "product_interest": "5", "lead_source": "Ads"}
    assert leads_of(reader, plain) == [as_file]
    assert leads_of(reader, [event(1), plain]) == [lead(1), as_file]
    assert leads_of(reader, f"{json.dumps(plain)}\n{json.dumps(event(1))}\n") == [as_file, lead(1)]
    assert leads_of(reader, "email,last_name,shoe\nc@d.com,Cole,5\n") == [as_file], "whatever its format"


def test_an_upload_is_no_event(reader):
    with pytest.raises(DropRefused) as refusal:
        leads_of(reader, event(1), channel="upload")
    assert refusal.value.code == "no_contact_column"
