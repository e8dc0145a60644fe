"""What leads become in a CRM's terms, to the byte; and what is told apart when it comes back."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from aiqleads_pipeline.delivering.crm import as_fields, common_rules, hubspot_terms, salesforce_terms
from aiqleads_pipeline.rules.crm import LEAD_PATHS, load_crm
from aiqleads_pipeline.settings import PROJECT_DIR
from resources.crm import hubspot, salesforce, salesforce_bulk
from resources.crm.base import Load, rounds
from resources.crm.mapping import ABSENT_MARK, Field, FieldMissing, compared_fields, differing, map_lead, marks_of
from resources.crm.session import to_json
from resources.destinations import Parcel

GOLDEN = Path(__file__).parent / "golden"
RULES = PROJECT_DIR / "data" / "rules"


def golden(name):
    return (GOLDEN / name).read_bytes()


def load(name, rules):
    body = json.loads(golden(name))
    owner = {rules.owner_field: rules.owners[body["owner"]]} if body["owner"] in rules.owners else {}
    ids = (UUID(body["delivery_id"]), UUID(body["lead_id"]))
    parcel = Parcel(*ids, "crm", 1, int(body["priority"][1]), datetime(2026, 11, 23, tzinfo=UTC), body)
    return Load(parcel, map_lead(body, rules.fields) | owner)


def loads(kind):
    rules = load_crm(RULES, f"{kind}.yaml", kind).model_copy(update={"owners": {"ann": "005A0000001a2b3"}})
    common = common_rules(rules)
    return rules, [load(name, common) for name in ("lead.json", "bare_lead.json")]


def test_a_collection_for_salesforce():
    rules, leads = loads("salesforce")
    assert to_json(salesforce.collection(leads, salesforce_terms(rules))) + b"\n" == golden(
        "salesforce_collection.json"
    )


def test_a_bulk_file_for_salesforce():
    rules, leads = loads("salesforce")
    assert salesforce_bulk.to_csv(leads, rules.external_id_field) == golden("salesforce_bulk.csv")


def test_contacts_for_hubspot():
    rules, leads = loads("hubspot")
    terms = hubspot_terms(rules)
    body = {"inputs": [hubspot.contact(each, terms) for each in leads]}
    assert to_json(body) + b"\n" == golden("hubspot_contacts.json")
    assert all(isinstance(value, str) for each in body["inputs"] for value in each["properties"].values())


@pytest.mark.parametrize(
    ("cast", "given", "expected"),
    [
        ("text", "a\x00b\x1fc\x7f ", "abc"),
        ("text", "\ud83d", None),
        ("text", "#N/A", None),
        ("text", "=1+1", "=1+1"),
        ("code", "x" * 11, None),
        ("url", "acme.com", "https://acme.com"),
        ("url", "HTTP://a.io", "HTTP://a.io"),
        ("subdivision", "US-CA", "CA"),
        ("subdivision", "Nord-Pas", "Nord-Pas"),
        ("number", "12.345", 12.35),
        ("number", "1e400", None),
        ("number", float("nan"), None),
        ("number", True, None),
        ("number", "many", None),
        ("flag", "yes", True),
        ("flag", 0, False),
        ("flag", "perhaps", None),
        ("date", "2026-11-23T23:30:00-05:00", "2026-11-24"),
        ("time", "2026-11-23T23:30:00-05:00", "2026-11-24T04:30:00Z"),
        ("time", "soon", None),
        ("picklist", "P1", "Hot"),
        ("picklist", "P9", None),
        ("multi_picklist", ["P1", "P9", "P2", "P1"], "Hot;Warm"),
        ("text", {"a": 1}, None),
        ("text", [], None),
    ],
)
def test_casts(cast, given, expected):
    values = {"P1": "Hot", "P2": "Warm"} if "picklist" in cast else {}
    field = Field("f", (("x",),), cast, max_chars=10 if cast in ("code", "text") else None, decimals=2, values=values)
    assert map_lead({"x": given}, [field]) == ({} if expected is None else {"f": expected})


def test_text_is_cut_between_characters_and_counted_as_the_strictest_count_it():
    cut = map_lead({"x": "ab🙂🙂"}, [Field("f", (("x",),), max_chars=5)])
    assert cut == {"f": "ab🙂"}


def test_a_required_field_without_a_value_is_told():
    with pytest.raises(FieldMissing, match="f"):
        map_lead({"x": None}, [Field("f", (("x",), ("y", "z")), is_required=True)])
    assert map_lead({"y": {"z": 3}}, [Field("f", (("x",), ("y", "z")), is_required=True)]) == {"f": "3"}


@pytest.mark.parametrize(
    ("cast", "sent", "held"),
    [
        ("number", 250, 250.0),
        ("number", 1234567.89, "1234567.89"),
        ("flag", True, "true"),
        ("time", "2026-11-23T16:30:00Z", "2026-11-23T16:30:00.000+0000"),
        ("time", "2026-11-23T16:30:00Z", "1795451400000"),
        ("date", "2026-11-23", "2026-11-23"),
        ("code", "Zoe@Example.com", "zoe@example.com"),
        ("url", "https://acme.com", "https://acme.com/"),
        ("multi_picklist", "Hot;Warm", "Warm;Hot"),
        ("text", "a \nb", "a\r\nb"),
    ],
)
def test_the_same_value_read_back_is_the_same(cast, sent, held):
    fields = compared_fields([Field("f", (("x",),), cast, decimals=2)])
    assert differing(marks_of({"f": sent}, fields), {"f": held}, fields) == []
    assert differing(marks_of({"f": sent}, fields), {"f": None}, fields) == ["f"]


def test_what_was_not_sent_or_shall_not_be_compared_does_not_differ():
    fields = compared_fields([Field("b", (("b",),)), Field("a", (("a",),)), Field("c", (("c",),), is_compared=False)])
    marks = marks_of({"a": "1", "c": "3"}, fields)
    assert [each.name for each in fields] == ["a", "b"]
    assert marks[4:] == ABSENT_MARK
    assert differing(marks, {"a": "1", "b": "theirs", "c": "theirs"}, fields) == []
    assert differing(marks, {"a": "2"}, fields) == ["a"]


def test_a_lead_comes_once_in_a_call_and_in_its_order():
    rules = common_rules(load_crm(RULES, "salesforce.yaml", "salesforce"))
    one, other = load("lead.json", rules), load("bare_lead.json", rules)
    assert [len(chunk) for chunk in rounds([one, other, one, one], 10)] == [2, 1, 1]
    assert [len(chunk) for chunk in rounds([one, other], 1)] == [1, 1]


def test_the_rules_know_what_a_lead_holds():
    sql = (PROJECT_DIR / "sql/stages/deliver/list_lines.sql").read_text(encoding="utf-8")
    select = sql[sql.index("SELECT") : sql.index("FROM routed")]
    told, place = {"delivery_id", "lead_id"}, ""
    for line in select.splitlines():
        if found := re.match(r"\s+'(\w+)': (\{)?", line):
            place = f"{found[1]}." if found[2] else place
            told |= set() if found[2] else {f"{place}{found[1]}"}
        elif line.strip() in ("},", "}"):
            place = ""
    assert told == {path for path in LEAD_PATHS if not path.startswith("reasons.")}


def test_the_shipped_mappings_are_whole():
    for kind in ("salesforce", "hubspot"):
        assert as_fields(load_crm(RULES, f"{kind}.yaml", kind).fields)
