"""A batch of drops as raw leads: exactly the contract's columns, stable ids, nothing lost on the way."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import duckdb
import pytest

from aiqleads_pipeline.contract import RAW_LEADS
from aiqleads_pipeline.rules.sources import SourceRules
from aiqleads_pipeline.stages.reading import DropRefused, lead_id_prefix
from aiqleads_pipeline.stages.reading.drop import drop_key

PEOPLE = "Email,Name,City,Foo\na@x.com,Ann Lee,Rome,1\nb@x.com,Bob Ray,,\n"


def test_a_drop_becomes_raw_leads_with_the_contracts_columns(reader):
    result = reader.drops(PEOPLE)
    relation = result.relation
    assert relation.columns == RAW_LEADS.column_names
    assert [str(kind) for kind in relation.types] == [column.type for column in RAW_LEADS.columns]
    rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    prefix = lead_id_prefix("fair", reader.drop(PEOPLE).sha256)
    given = {"full_name": "Ann Lee", "email": "a@x.com", "city": "Rome", "extra": '{"Foo":"1"}', "line_number": 2}
    assert rows[0] == dict.fromkeys(RAW_LEADS.column_names) | given | {
        "lead_id": uuid.UUID(prefix + "8000-000000000001"),
        "batch_id": "20261123T093000-0001",
        "row_number": 1,
        "source": "fair",
        "source_channel": "upload",
        "received_at": reader.received_at,
    }
    assert rows[1]["extra"] is None and rows[1]["lead_id"] == uuid.UUID(prefix + "8000-000000000002")
    assert result.facts == [
        {
            "name": "drop-1", "format": "csv", "unpacked_from": [], "read_by": "engine", "encoding": "utf-8",
            "delimiter": ",",
            "quote": '"', "header": ["Email", "Name", "City", "Foo"], "has_header": True, "rows": 2,
            "unreadable_rows": 0,
            "mapping": [
                {"header": "Email", "column": "email", "how": "alias"},
                {"header": "Name", "column": "full_name", "how": "alias"},
                {"header": "City", "column": "city", "how": "alias"},
                {"header": "Foo", "column": None, "how": "extra"},
            ],
        }
    ]  # fmt: skip
    result.release()


def test_ids_are_uuids_of_version_8_and_depend_on_source_drop_and_row():
    first = uuid.UUID(int=drop_key("fair", "ab" * 32) + 1)
    assert (first.version, first.variant) == (8, uuid.RFC_4122)
    assert str(first) == lead_id_prefix("fair", "ab" * 32) + "8000-000000000001"
    assert len({drop_key("fair", "ab" * 32), drop_key("web", "ab" * 32), drop_key("fair", "cd" * 32)}) == 3


def test_rows_that_cannot_be_read_are_rows_too(reader):
    rules = SourceRules(name="fair", defaults={"campaign": "May"})
    assert reader.leads("Email,Name\na@x.com,Ann,x\nb@x.com,Bob\n", rules=rules) == [
        {"row_number": 1, "line_number": 2, "read_error_code": "wrong_column_count", "raw_line": "a@x.com,Ann,x"},
        {"row_number": 2, "line_number": 3, "email": "b@x.com", "full_name": "Bob", "campaign": "May"},
    ]


def test_the_first_of_several_values_counts_and_the_others_are_kept(reader):
    text = (
        "Mobile,Email,Phone,Phone,Title,Job Title,Foo,Foo\n"
        "1,a@x.com,2,3,Dr.,CEO,x,y\n"
        "1,b@x.com,,,Dr.,,,\n"
        '1,c@x.com,,3,,,"q""",\n'
    )
    leads = reader.leads(text)
    kept = [json.loads(lead.pop("extra")) for lead in leads]
    assert leads == [
        {"row_number": 1, "line_number": 2, "email": "a@x.com", "phone": "2", "job_title": "CEO"},
        {"row_number": 2, "line_number": 3, "email": "b@x.com", "phone": "1"},
        {"row_number": 3, "line_number": 4, "email": "c@x.com", "phone": "1"},
    ]
    assert kept == [
        {"Mobile": "1", "Phone (2)": "3", "Title": "Dr.", "Foo": "x", "Foo (2)": "y"},
        {"Title": "Dr."},
        {"Phone (2)": "3", "Foo": 'q"'},
    ]


def test_meta_exports_lose_their_prefixes_and_test_leads_are_marked(reader):
    header = "id\tcreated_time\tad_id\tform_id\tis_organic\tplatform\temail\tfull_name\tphone_number\tzip\n"
    text = (
        header + "l:1\t2026-05-01\tag:2\tf:3\tfalse\tig\tann@x.com\tAnn Lee\tp:+4917012345\tz:01067\n"
        "l:2\t2026-05-01\tag:2\tf:3\tfalse\tfb\ttest@meta.com\t<test lead: dummy data for full_name>\tp:\tz:\n"
    ).encode("utf-16")
    leads = reader.leads(text)
    assert leads[0] == {
        "row_number": 1, "line_number": 2, "external_id": "1", "lead_source": "ig", "full_name": "Ann Lee",
        "email": "ann@x.com", "phone": "+4917012345", "postal_code": "01067", "created_at": "2026-05-01",
        "extra": '{"ad_id":"ag:2","form_id":"f:3","is_organic":"false"}',
    }  # fmt: skip
    assert leads[1]["read_error_code"] == "test_lead"
    assert "phone" not in leads[1]


def test_prefixes_stay_where_no_platform_wrote_them(reader):
    assert reader.leads("Email,Phone\na@x.com,p:123\n")[0]["phone"] == "p:123"


def test_a_file_without_a_header_is_read_if_its_source_names_the_columns(reader):
    rules = SourceRules(name="fair", columns={"column 1": "email", "column 2": "full_name"})
    assert reader.leads("a@x.com,Ann,1\nb@x.com,Bob,2\n", rules=rules) == [
        {"row_number": 1, "line_number": 1, "email": "a@x.com", "full_name": "Ann", "extra": '{"column 3":"1"}'},
        {"row_number": 2, "line_number": 2, "email": "b@x.com", "full_name": "Bob", "extra": '{"column 3":"2"}'},
    ]


def test_the_sources_encoding_and_delimiter_count(reader):
    rules = SourceRules(name="fair", encoding="iso8859-7", delimiter=":")
    text = "Email:Όνομα;a,b\na@x.com:Γιώργος;x,y\n".encode("iso8859-7")
    assert reader.leads(text, rules=rules) == [
        {"row_number": 1, "line_number": 2, "email": "a@x.com", "extra": '{"Όνομα;a,b":"Γιώργος;x,y"}'}
    ]


def test_payloads_of_a_tick_are_one_batch_and_a_bad_one_is_set_aside_alone(reader):
    payloads = ['{"email": "a@x.com", "id": 1}', "<html>oops</html>", '[{"phone": "2"}, {"email": "c@x.com"}]', '{"em']
    result = reader.drops(*payloads)
    keys = [drop_key("fair", reader.drop(payload).sha256) for payload in payloads]
    rows = result.relation.project("lead_id, row_number, email, phone, external_id, read_error_code, raw_line")
    assert rows.order("row_number").fetchall() == [
        (uuid.UUID(int=keys[0] + 1), 1, "a@x.com", None, "1", None, None),
        (uuid.UUID(int=keys[1] + 1), 2, None, None, None, "unreadable_drop", "<html>oops</html>"),
        (uuid.UUID(int=keys[2] + 1), 3, None, "2", None, None, None),
        (uuid.UUID(int=keys[2] + 2), 4, "c@x.com", None, None, None, None),
        (uuid.UUID(int=keys[3] + 1), 5, None, None, None, "unreadable_drop", '{"em'),
    ]
    assert [(fact["rows"], fact["unreadable_rows"], fact.get("refused")) for fact in result.facts] == [
        (1, 0, None), (1, 1, "not_a_table"), (2, 0, None), (1, 1, "corrupt_file"),
    ]  # fmt: skip
    result.release()


def test_drops_of_different_formats_are_one_batch(reader):
    leads = reader.leads('{"email": "a@x.com"}', "Email\nb@x.com\nc@x.com\n", "Mail,Tel\nd@x.com,1\n")
    assert [(lead["row_number"], lead["email"]) for lead in leads] == [
        (1, "a@x.com"), (2, "b@x.com"), (3, "c@x.com"), (4, "d@x.com"),
    ]  # fmt: skip


def test_a_batch_of_nothing_readable_is_refused(reader):
    with pytest.raises(DropRefused) as refusal:
        reader.drops("<html></html>", "\0" * 100)
    assert refusal.value.code == "not_a_table"


def test_many_payloads_take_few_statements(reader):
    leads = reader.leads(*[json.dumps({"email": f"a{n}@x.com", f"q{n % 50}": "x"}) for n in range(300)])
    assert [lead["email"] for lead in leads] == [f"a{n}@x.com" for n in range(300)]
    assert json.loads(leads[77]["extra"]) == {"q27": "x"}


def test_parquet_is_read_as_people_would_write_it(reader, tmp_path: Path):
    path = tmp_path / "leads.parquet"
    duckdb.sql("""
        SELECT * FROM (VALUES
            ('a@x.com', 14155550100.0::DOUBLE, 12::BIGINT, DATE '2026-01-02',
             TIMESTAMP '2026-01-02 03:04:05', true, 0.5, [1, 2]),
            ('', NULL, NULL, NULL, NULL, NULL, 1e20, NULL)
        ) AS leads(email, phone, "Employee Count", created, "a.b", "x""y", budget, tags)
    """).write_parquet(str(path))
    assert reader.cells(path.read_bytes()) == [
        ("a@x.com", "14155550100", "12", "2026-01-02", "2026-01-02T03:04:05", "true", "0.5", "[1,2]"),
        (None, None, None, None, None, None, "1e+20", None),
    ]


def test_parquet_that_declares_too_many_rows_is_refused(reader, tmp_path: Path):
    path = tmp_path / "leads.parquet"
    duckdb.sql("SELECT 'a@x.com' AS email FROM range(2_000_000)").write_parquet(str(path))
    assert path.stat().st_size < 200_000
    with pytest.raises(DropRefused) as refusal:
        reader.table(path.read_bytes(), MAX_DROP_MB=1)
    assert refusal.value.code == "expands_too_much"


def test_naughty_strings_come_through_as_they_are(reader, shared_data):
    strings = [text for text in json.loads((shared_data / "validation/blns/blns.json").read_text()) if text]
    rows = [{"email": f"a{number}@x.com", "message": text} for number, text in enumerate(strings)]
    assert [lead["message"] for lead in reader.leads(json.dumps(rows))] == strings
    lines = ["email,message", *('{email},"{0}"'.format(row["message"].replace('"', '""'), **row) for row in rows)]
    assert [lead["message"] for lead in reader.leads("\n".join(lines))] == strings
