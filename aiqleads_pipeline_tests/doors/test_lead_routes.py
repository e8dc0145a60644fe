"""Leads over HTTP, on a real service: what is answered, what is refused and how it is told, what a repeat is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from aiqleads_pipeline.reasons import REASONS
from aiqleads_pipeline_tests.doors.conftest import Reply, Service
from resources.store import keys


@dataclass(frozen=True)
class Sender:
    """A client with a key, and a name for its people that nobody else has."""

    service: Service
    client: str
    key: str

    def post(self, document: Any, path: str = "/v1/leads", **headers: str) -> Reply:
        body = document if isinstance(document, str | bytes) else json.dumps(document)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"X-API-Key": self.key, "Content-Type": "application/json", **named}
        return self.service.ask("POST", path, body, sent)

    def lead(self, name: str = "ann", **more: Any) -> dict[str, Any]:
        return {"email": f"{name}@{self.client}.com", "last_name": "Birch", **more}


@pytest.fixture
def new_sender(service: Service) -> Callable[..., Sender]:
    def make(role: str = "client") -> Sender:
        client = f"client-{uuid4().hex[:10]}"
        return Sender(service, client, keys.create_key(service.store, client, role, datetime.now(UTC)).api_key)

    return make


@pytest.fixture
def sender(new_sender: Callable[..., Sender]) -> Sender:
    return new_sender()


def intake_rows(sender: Sender) -> list[tuple[Any, ...]]:
    with sender.service.store.read() as con:
        query = text("SELECT lead_id::text, source, content FROM aiqleads.intake WHERE client = :client ORDER BY 1")
        return [tuple(row) for row in con.execute(query, {"client": sender.client})]


def test_a_lead_is_stored_when_202_is_said(sender: Sender) -> None:
    answer = sender.post(sender.lead(budget_usd=1.234, consent=True, page_views_count=3, note={"page": "pricing"}))
    assert answer.status == 202
    lead_id = answer.json["lead_id"]
    assert answer.json == {"lead_id": lead_id, "status": "accepted", "links": {"self": f"/v1/leads/{lead_id}"}}
    assert answer.headers["location"] == f"/v1/leads/{lead_id}"
    [(stored, source, content)] = intake_rows(sender)
    assert (stored, source) == (lead_id, sender.client)
    assert json.loads(content) == {
        **sender.lead(),
        "budget_usd": "1.23e0",  # not 1,234
        "consent": "true",
        "page_views_count": "3",
        "extra": {"note.page": "pricing"},
    }
    standing = sender.service.get(f"/v1/leads/{lead_id}", sender.key).json
    assert (standing["status"], standing["source"]) == ("waiting", sender.client)


def test_all_violations_are_told_at_once_and_nothing_is_repeated(sender: Sender) -> None:
    answer = sender.post(
        {"email": "nobody-here", "phone": "12", "country": "Narnia", "employee_count": "secret", "consent": 3,
         "created_at": "2026-31-31", "website": "sesame", "lead_id": "mine", "city": ["sesame"]}
    )  # fmt: skip
    assert (answer.status, answer.code) == (400, "invalid_lead")
    assert {(error["pointer"], error["code"]) for error in answer.json["errors"]} == {
        ("/email", "invalid_email"),
        ("/phone", "invalid_phone"),
        ("/country", "invalid_country"),
        ("/employee_count", "invalid_number"),
        ("/created_at", "invalid_date"),
        ("/website", "invalid_url"),
        ("/consent", "wrong_type"),
        ("/lead_id", "reserved_name"),
        ("/city", "wrong_type"),
    }
    assert all(error["expected"] and error["message"] and error["code"] in REASONS for error in answer.json["errors"])
    assert [missing["any_of"] for missing in answer.json["missing"]] == [["/last_name", "/full_name", "/company_name"]]
    for said in (b"nobody-here", b"Narnia", b"secret", b"sesame", b"mine"):
        assert said not in answer.body
    assert intake_rows(sender) == []


def test_what_is_missing_is_told_apart(sender: Sender) -> None:
    answer = sender.post({"email": "", "city": None})
    assert "errors" not in answer.json
    assert [missing["code"] for missing in answer.json["missing"]] == ["unreachable", "nameless"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"nul", b"\xff\xfe", b'{"email":"a@b.com","email":"c@d.com"}', b'{"budget_usd":NaN}',
        b'{"budget_usd":-Infinity}', b'{"budget_usd":1e999}', b'{"last_name":"\\ud800"}', b'{"\\udfff":1}',
        b"[" * 100_000, b'{"a":' * 50_000, b'{"employee_count":' + b"9" * 5_000 + b"}", b"\xef\xbb\xbf{}", b"{}{}",
    ],
)  # fmt: skip
def test_a_body_that_is_no_sound_json_is_refused(sender: Sender, body: bytes) -> None:
    answer = sender.post(body)
    assert (answer.status, answer.code) == (400, "malformed_request")


@pytest.mark.parametrize(
    "document",
    [
        [], 3, None, True, {"email": {"a": {}}}, {"last_name": 7}, {"employee_count": 10**400}, {"": ""},
        {"employee_count": 1e308}, {"employee_count": -1}, {"employee_count": 1.5}, {"annual_revenue_usd": -0.001},
        {"last_name": "x" * 600, "email": "a@b.com"}, {"message": "\x00", "phone": "\u202e"}, {"extra": {"a": 1}},
        {"email": "a@b.com", "last_name": "B", **{f"m{i}": i for i in range(600)}},
    ],
)  # fmt: skip
def test_a_lead_of_a_wrong_form_is_400_never_500(sender: Sender, document: Any) -> None:
    answer = sender.post(document)
    assert (answer.status, answer.code) == (400, "invalid_lead")
    assert answer.json.get("errors") or answer.json.get("missing")


def test_odd_texts_are_taken_as_they_are(sender: Sender) -> None:
    odd = {"last_name": "Bi\tr\\ch\n", "message": "a\\.\n\x00b\u2028\U0001f600", "x\ty": "\\N", "city": "\\."}
    answer = sender.post(sender.lead(**odd))
    assert answer.status == 202
    [(_, _, content)] = intake_rows(sender)
    found = json.loads(content)
    assert {name: found.get(name) for name in ("last_name", "message", "city")} == {
        name: odd[name] for name in ("last_name", "message", "city")
    }
    assert found["extra"] == {"x\ty": "\\N"}


def test_other_types_of_content_and_bodies_too_large(sender: Sender) -> None:
    assert sender.post("email=a@b.com", Content_Type="application/x-www-form-urlencoded").status == 415
    assert sender.post(sender.lead(), Content_Type="application/vnd.api+json; charset=utf-8").status == 202
    assert sender.post(sender.lead(message="x" * 300_000)).status == 413


def test_a_known_lead_is_409_with_its_id_and_leaves_nothing(sender: Sender) -> None:
    first = sender.post(sender.lead()).json["lead_id"]
    again = sender.post(sender.lead(email=f"ANN@{sender.client}.com", phone="+14155552671"))
    assert (again.status, again.code) == (409, "duplicate_lead")
    assert (again.json["existing_lead_id"], again.json["matched_on"]) == (first, "email")
    assert again.json["link"] == f"/v1/leads/{first}"
    # What the refused request said is nobody's: its phone is free for whoever has it.
    other = sender.post({"phone": "+14155552671", "last_name": f"Birch{sender.client}"})
    assert other.status == 202
    assert len(intake_rows(sender)) == 2


def test_another_clients_lead_is_known_by_its_id_alone(sender: Sender, new_sender: Callable[..., Sender]) -> None:
    lead_id = sender.post(sender.lead()).json["lead_id"]
    other, operator, viewer = new_sender(), new_sender("ops"), new_sender("viewer")
    answer = other.post(sender.lead())
    assert (answer.status, answer.json["existing_lead_id"]) == (409, lead_id)
    assert other.service.get(f"/v1/leads/{lead_id}", other.key).status == 404
    assert viewer.service.get(f"/v1/leads/{lead_id}", viewer.key).status == 404
    assert operator.service.get(f"/v1/leads/{lead_id}", operator.key).status == 200
    for unknown in (str(uuid4()), "x", "%00", "0" * 300):
        assert operator.service.get(f"/v1/leads/{unknown}", operator.key).status == 404


def test_the_same_key_and_body_get_the_same_answer(sender: Sender) -> None:
    first = sender.post(sender.lead(), Idempotency_Key="k 1".replace(" ", "-"))
    second = sender.post(sender.lead(), Idempotency_Key="k-1")
    assert (first.status, first.body) == (second.status, second.body)
    assert first.headers["location"] == second.headers["location"]
    assert (first.headers["idempotency-replayed"], second.headers["idempotency-replayed"]) == (None, "true")
    other = sender.post(sender.lead("bo"), Idempotency_Key="k-1")
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    known = [sender.post(sender.lead(), Idempotency_Key="k-2") for _ in range(2)]
    assert [answer.status for answer in known] == [409, 409]
    assert known[0].body == known[1].body
    assert len(intake_rows(sender)) == 1


def test_a_key_is_its_clients_own(sender: Sender, new_sender: Callable[..., Sender]) -> None:
    other = new_sender()
    assert sender.post(sender.lead(), Idempotency_Key="k").status == 202
    assert other.post(other.lead(), Idempotency_Key="k").status == 202


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "\u00e9"])
def test_a_key_that_is_none_is_refused(sender: Sender, key: str) -> None:
    answer = sender.post(sender.lead(), Idempotency_Key=key)
    assert (answer.status, answer.code) == (400, "invalid_idempotency_key")


def test_a_refused_request_does_not_use_its_key_up(sender: Sender) -> None:
    assert sender.post({"email": "a"}, Idempotency_Key="k").status == 400
    assert sender.post(sender.lead(), Idempotency_Key="k").status == 202


def test_while_a_key_is_at_work_it_is_409(sender: Sender) -> None:
    with sender.service.store.transaction("test:hold") as con:
        query = text("SELECT pg_advisory_xact_lock(hashtextextended(:client || chr(31) || 'k', 3))")
        con.execute(query, {"client": sender.client})
        answer = sender.post(sender.lead(), Idempotency_Key="k")
        assert (answer.status, answer.code) == (409, "idempotency_key_open")
        assert answer.headers["retry-after"] == "1"
    assert sender.post(sender.lead(), Idempotency_Key="k").status == 202


def test_equal_requests_at_once_make_one_lead(sender: Sender) -> None:
    start = threading.Barrier(8)

    def post(number: int) -> Reply:
        start.wait()
        key = {"Idempotency_Key": f"k{number % 4}"} if number < 4 else {}
        return sender.post(sender.lead(f"p{number % 4}"), **key)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(8)))
    assert sorted(answer.status for answer in answers) == [202] * 4 + [409] * 4
    accepted = {answer.json["lead_id"] for answer in answers if answer.status == 202}
    assert accepted == {lead_id for lead_id, _, _ in intake_rows(sender)}
    assert {answer.json["existing_lead_id"] for answer in answers if answer.status == 409} <= accepted


def test_a_batch_says_of_each_lead_what_became_of_it(sender: Sender) -> None:
    leads = [sender.lead("a"), {"email": "x"}, sender.lead("a"), 7, sender.lead("c", country="Deutschland ")]
    answer = sender.post({"leads": leads}, "/v1/leads/batch", Idempotency_Key="b")
    assert answer.status == 200
    results = answer.json["results"]
    assert [result["index"] for result in results] == [0, 1, 2, 3, 4]
    assert [result["status"] for result in results] == [202, 400, 409, 400, 202]
    assert results[2]["existing_lead_id"] == results[0]["lead_id"]
    assert [error["pointer"] for error in results[1]["errors"]] == ["/email"]
    assert answer.json["counts"] == {"accepted": 2, "refused": 2, "known": 1}
    assert {row[0] for row in intake_rows(sender)} == {results[0]["lead_id"], results[4]["lead_id"]}
    assert sender.post({"leads": leads}, "/v1/leads/batch", Idempotency_Key="b").body == answer.body


@pytest.mark.parametrize("document", [[], {}, {"leads": 3}, {"leads": []}, 3, "leads"])
def test_a_batch_without_leads_is_refused(sender: Sender, document: Any) -> None:
    assert sender.post(document, "/v1/leads/batch").code == "malformed_request"


def test_a_batch_of_too_many_is_refused_whole(sender: Sender) -> None:
    answer = sender.post([sender.lead(f"n{number}") for number in range(1001)], "/v1/leads/batch")
    assert (answer.status, answer.code) == (413, "too_many_leads")
    assert intake_rows(sender) == []


def test_limits_count_leads(sender: Sender) -> None:
    answer = sender.post([sender.lead("a"), sender.lead("b"), {"email": "x"}], "/v1/leads/batch")
    assert answer.headers["ratelimit-remaining"] == "9998"


def test_a_source_of_the_rules_is_chosen_by_its_name_and_another_word_is_the_leads_own(sender: Sender) -> None:
    sender.post(sender.lead("a", source="website"))
    sender.post(sender.lead("b", source="Trade fair 2026"))
    (_, listed, first), (_, own, second) = intake_rows(sender)
    assert (listed, own) == ("website", sender.client)
    assert json.loads(first)["lead_source"] == "Website"  # the source's default
    assert json.loads(second)["lead_source"] == "Trade fair 2026"
