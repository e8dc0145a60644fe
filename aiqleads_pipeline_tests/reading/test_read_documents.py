"""JSON and NDJSON: rows wherever the document keeps them, broken lines set aside, numbers as written."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiqleads_pipeline.stages.reading import DropRefused, documents
from aiqleads_pipeline.stages.reading.flatten import flatten
from aiqleads_pipeline.stages.reading.mapping import map_headers


def test_a_list_of_objects_is_flattened_and_numbers_stay_as_written(reader):
    text = """[{"email": "a@x.com", "name": {"first": "Ann"}, "score": 1.10, "phone": 4155550100123456789012,
      "ok": true, "tags": ["a", "b"], "none": null, "empty": "", "nan": NaN},
     {"email": "b@x.com", "late": "\\ud800"}]"""
    table = reader.table(text)
    assert table.headers == ["email", "name.first", "score", "phone", "ok", "tags", "late"]
    assert table.relation.fetchall() == [
        (1, None, None, None, "a@x.com", "Ann", "1.10", "4155550100123456789012", "true", "a; b", None),
        (2, None, None, None, "b@x.com", None, None, None, None, None, "\\ud800"),
    ]
    table.release()


def test_what_stands_around_the_rows_belongs_to_every_row(reader):
    text = json.dumps({"form": {"id": 12}, "data": {"leads": [{"email": "a@x.com"}, {"email": "b@x.com"}]}})
    assert reader.cells(text) == [("a@x.com", "12"), ("b@x.com", "12")]


def test_one_object_is_one_lead_even_with_a_list_in_it(reader):
    text = json.dumps({"email": "a@x.com", "visits": [{"page": "/a"}, {"page": "/b"}]})
    assert reader.cells(text) == [("a@x.com", '[{"page": "/a"}, {"page": "/b"}]')]


def test_lists_of_name_and_value_are_columns(reader):
    meta = {"entry": [{"changes": [{"value": {"leadgen_id": "1", "field_data": [
        {"name": "email", "values": ["a@x.com"]}, {"name": "full_name", "values": ["Ann Lee"]}]}}]}]}  # fmt: skip
    google = {"lead_id": "2", "google_key": "hush", "user_column_data": [
        {"column_name": "User Email", "string_value": "b@x.com", "column_id": "EMAIL"}]}  # fmt: skip
    assert reader.leads(json.dumps(meta), json.dumps(google)) == [
        {"row_number": 1, "external_id": "1", "full_name": "Ann Lee", "email": "a@x.com"},
        {"row_number": 2, "external_id": "2", "email": "b@x.com"},
    ]


def test_a_broken_line_is_one_unreadable_row(reader):
    text = '{"email": "a@x.com"}\n{"email": broken\n\n[1]\n{"email": "b@x.com", "name": "B"}\n'
    assert reader.rows(text) == [
        (1, 1, None, None, "a@x.com", None),
        (2, 2, "invalid_json", '{"email": broken', None, None),
        (3, 4, "invalid_json", "[1]", None, None),
        (4, 5, None, None, "b@x.com", "B"),
    ]


def test_a_broken_first_line_hides_no_ndjson(reader):
    assert [row[2] for row in reader.rows('{"email": oops}\n{"email": "b@x.com"}\n')] == ["invalid_json", None]


def test_lines_that_are_no_text_or_nested_without_end_cost_themselves_only(reader):
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    text = b'{"email": "a@x.com"}\n{"email": "\xff"}\n' + deep.encode() + b'\n{"email": "b@x.com"}\n'
    assert [(row[2], row[4]) for row in reader.rows(text)] == [
        (None, "a@x.com"),
        ("undecodable_text", None),
        ("invalid_json", None),
        (None, "b@x.com"),
    ]


def test_equal_keys_are_both_kept(reader):
    table = reader.table('[{"email": "a@x.com", "email": "b@x.com"}]')
    assert table.headers == ["email", "email (2)"]
    assert table.relation.fetchall()[0][4:] == ("a@x.com", "b@x.com")
    table.release()


def test_a_cell_beyond_the_limit_costs_its_row_only(reader):
    text = json.dumps([{"email": "a@x.com", "note": "x" * 200}, {"email": "b@x.com"}])
    assert [(row[2], row[4]) for row in reader.rows(text, MAX_CELL_CHARS=100)] == [
        ("cell_too_large", None),
        (None, "b@x.com"),
    ]


@pytest.mark.parametrize("text", ['[{"email": "a@x.com"}, {"email":', '{"leads": [{"email": "a@x.com"}', "[{]"])
def test_a_document_cut_short_is_refused(reader, text):
    with pytest.raises(DropRefused) as refusal:
        reader.table(text)
    assert refusal.value.code == "corrupt_file"


def test_too_many_columns_are_refused(reader):
    with pytest.raises(DropRefused) as refusal:
        reader.table(json.dumps([{f"c{number}": "1" for number in range(20)}]), MAX_DROP_COLUMNS=10)
    assert refusal.value.code == "too_many_columns"


def test_equal_keys_by_the_ten_thousands_are_told_apart_in_one_pass():
    many = 60_000  # in the square of it this would take minutes
    twins = documents.parse("{" + ",".join(['"a": 1'] * many) + ', "a (2)": 2}')
    assert len(twins) == many + 1 and list(twins)[:3] == ["a", "a (2)", "a (3)"]
    row = flatten({"x": [{"name": "a", "value": "1"}] * many})
    assert len(row) == many and list(row)[-1] == f"x.a ({many})"


LONG = "k" * 50_000
MANY = ", ".join(f'"{number}": 1' for number in range(2000))


@pytest.mark.parametrize(
    ("member", "code"),
    [
        (f'"{LONG}": {{{MANY}}}', "too_many_members"),
        (f'"{LONG}": {{"{LONG}": 1}}', "too_many_members"),
        ('"x": ' + ('{"' + "k" * 1_000 + '": ') * 300 + "1" + "}" * 300, "too_many_members"),
        ('"x": ' + "[" * 950 + "1, 2" + "]" * 950, "invalid_json"),
    ],
    ids=["many values of a long name", "a long path", "deep and long", "deep"],
)
def test_a_line_out_of_proportion_is_set_aside_alone(reader, member, code):
    good = '{"email": "a@x.com"}'
    rows = reader.rows("\n".join([good, f'{{"email": "b@x.com", {member}}}', good]))
    assert [row[2] for row in rows] == [None, code, None]


def test_a_document_out_of_proportion_is_refused(reader):
    with pytest.raises(DropRefused) as refusal:
        reader.table(f'{{"form": {{"{LONG}": {{{MANY}}}}}, "rows": [{{"email": "a@x.com"}}]}}')
    assert refusal.value.code == "too_many_columns"


@pytest.mark.parametrize("header", ["(" * 60_000, " " * 60_000, "data." * 12_000], ids=["open", "blank", "steps"])
def test_a_header_too_long_to_mean_anything_is_extra(header):
    assert [mapped.how for mapped in map_headers([header, "email"], {})] == ["extra", "exact"]


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=4), VALUE, max_size=4), max_size=6)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(objects=OBJECTS, around=st.dictionaries(st.sampled_from("ab"), st.integers(), max_size=2), is_list=st.booleans())
def test_a_large_document_is_streamed_to_the_same_rows(tmp_path, monkeypatch, objects, around, is_list):
    path = tmp_path / "document.json"
    path.write_text(json.dumps(objects if is_list else around | {"rows": objects}, indent=1))
    with monkeypatch.context() as patch:
        patch.setattr(documents, "_BLOCK_CHARS", 7)
        streamed = [(found.code, found.row) for found in documents._rows_of_stream(path)]
    outside = {} if is_list else {name: str(number) for name, number in around.items()}
    whole = [documents.as_row(None, item, outside) for item in documents.parse(json.dumps(objects))]
    assert streamed == [(found.code, found.row) for found in whole]
