"""Webhooks on a real service: every scheme, what is refused, what is known again, what becomes of what was taken."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from aiqleads_pipeline_tests.doors.conftest import Service, private_folder, serving
from aiqleads_pipeline_tests.doors.webhook_world import (
    OLD_KEY,
    SECRETS,
    STANDARD_KEY,
    b64,
    basic,
    contents,
    hub,
    hubspot,
    is_refused,
    lead,
    leads_count,
    mac,
    post,
    rules_in,
    send_signed,
    standard,
    stripe,
    typeform,
)


@pytest.fixture(scope="module")
def hooks(make_database: Callable[[], str]) -> Iterator[Service]:
    """A service with a source of every scheme."""
    with (
        private_folder() as home,
        serving(make_database(), home, RULES_DIR=rules_in(home), PIPELINE_CONFIG__MAX_BATCH_SIZE=50, **SECRETS) as one,
    ):
        with one.store.transaction("test") as con:
            con.execute(text("INSERT INTO aiqleads.lead_quotas (client, max_count) VALUES ('limited', 2)"))
        yield one


# --- the schemes -------------------------------------------------------------------------------------------------


def test_standard_webhooks_take_any_secret_while_they_are_rotated(hooks: Service) -> None:
    body = lead(external_id=uuid4().hex)
    event_id = f"msg_{uuid4().hex}"
    for key in (STANDARD_KEY, OLD_KEY):
        reply = post(hooks, "form", lead(), standard(lead_body := lead(), key))
        assert is_refused(reply)  # of another body
        assert post(hooks, "form", lead_body, standard(lead_body, key)).status == 202
    both = standard(body, event_id=event_id)
    other = standard(body, b64(b"some other key"), event_id)
    both["webhook-signature"] = f"v1a,abc {other['webhook-signature']} {both['webhook-signature']}"
    assert post(hooks, "form", body, both).status == 202
    assert is_refused(post(hooks, "form", body, other))


def test_published_examples_are_signed_as_we_check_them() -> None:
    # https://github.com/standard-webhooks: the example of the libraries' tests and documentation.
    signed = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    assert b64(mac(base64.b64decode(STANDARD_KEY), signed)) == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    # GitHub, "Validating webhook deliveries".
    assert hub(b"Hello, World!") == {
        "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    }


def test_github_s_example_is_taken_and_kept_though_it_is_no_lead(hooks: Service) -> None:
    signature = {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
    reply = post(hooks, "hub", b"Hello, World!", signature)
    assert reply.status == 202
    assert contents(hooks, reply) == [{"read_error_code": "invalid_json", "raw_line": "Hello, World!"}]
    wrong = signature["X-Hub-Signature-256"][:-1]
    assert is_refused(post(hooks, "hub", b"Hello, World!", {"X-Hub-Signature-256": wrong + "8"}))


def test_stripe_s_way_with_paths_of_its_own(hooks: Service) -> None:
    body = json.dumps({"id": f"evt_{uuid4().hex}", "data": {"object": {
        "email": "carla@pay-works.com", "customer": {"name": "Carla"}}}}).encode()  # fmt: skip
    reply = post(hooks, "pay", body, stripe(body))
    assert reply.status == 202
    [stored] = contents(hooks, reply)
    assert (stored["email"], stored["last_name"]) == ("carla@pay-works.com", "Carla")
    again = post(hooks, "pay", body, stripe(body, at=time.time() + 5))  # repeated, and signed anew
    assert (again.status, again.json["leads"]) == (200, reply.json["leads"])
    assert is_refused(post(hooks, "pay", body, stripe(body, "another secret")))


def test_google_s_key_proves_the_sender_and_is_stored_nowhere(hooks: Service) -> None:
    document = {
        "lead_id": uuid4().hex, "api_version": "1.0", "form_id": 40000000, "campaign_id": 123,
        "google_key": "a-key-of-google", "is_test": False, "gcl_id": "abc",
        "user_column_data": [
            {"column_name": "Full Name", "string_value": "Dora Alder", "column_id": "FULL_NAME"},
            {"column_name": "User Email", "string_value": "dora@google-works.com", "column_id": "EMAIL"},
            {"column_name": "User Phone", "string_value": "+14155552671", "column_id": "PHONE_NUMBER"},
        ],
    }  # fmt: skip
    reply = post(hooks, "google", json.dumps(document))
    assert reply.status == 202
    [stored] = contents(hooks, reply)
    assert (stored["full_name"], stored["email"], stored["phone"]) == (
        "Dora Alder", "dora@google-works.com", "+14155552671"
    )  # fmt: skip
    assert stored["external_id"] == document["lead_id"]
    assert "a-key-of-google" not in json.dumps(stored)
    twice = json.dumps({**document, "lead_id": uuid4().hex})[:-1] + ', "google_key": "a-key-of-google"}'
    assert "a-key-of-google" not in json.dumps(contents(hooks, post(hooks, "google", twice)))
    for wrong in ("another", "", None, 5, ["a-key-of-google"], "\ud800"):
        assert is_refused(post(hooks, "google", json.dumps({**document, "google_key": wrong})))
    assert is_refused(post(hooks, "google", b"no json"))
    assert is_refused(post(hooks, "google", b'["a-key-of-google"]'))


def test_meta_shakes_hands_and_its_changes_are_leads(hooks: Service) -> None:
    asked = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    shaken = hooks.get(f"/v1/webhooks/meta?{asked}a-token-of-meta")
    assert (shaken.status, shaken.body) == (200, b"1158201444")
    assert shaken.headers["content-type"].startswith("text/plain")
    for wrong in (
        f"{asked}wrong", "hub.mode=subscribe", "", f"{asked}%ff%00",
        "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=a-token-of-meta",
        "hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token=a-token-of-meta",
    ):  # fmt: skip
        assert is_refused(hooks.get(f"/v1/webhooks/meta?{wrong}")), wrong
    assert hooks.get("/v1/webhooks/form").status == 405
    assert hooks.get("/v1/webhooks/nobody").status == 404

    def change(field: str, **value: Any) -> dict[str, Any]:
        return {"field": field, "value": value}

    changes = [
        change("leadgen", leadgen_id=uuid4().hex, form_id="9", field_data=[
            {"name": "email", "values": ["emil@meta-works.com"]}, {"name": "full_name", "values": ["Emil Ek"]}]),
        change("feed", message="not a lead"),
        change("leadgen", leadgen_id=uuid4().hex, form_id="9", field_data=[
            {"name": "email", "values": ["test@fb.com"]},
            {"name": "full_name", "values": ["<test lead: dummy data for full_name>"]}]),
        change("leadgen", leadgen_id="444444444444", form_id="444444444444", page_id="444444444444"),
        change("leadgen", leadgen_id="7001", form_id="9", page_id="1", created_time=1795500000),
    ]  # fmt: skip
    body = json.dumps({"object": "page", "entry": [{"id": "1", "time": 5, "changes": changes}]}).encode()
    reply = post(hooks, "meta", body, hub(body))
    assert reply.status == 202
    real, dummy, button, told = contents(hooks, reply)
    assert (real["email"], real["full_name"]) == ("emil@meta-works.com", "Emil Ek")
    assert "read_error_code" not in real
    assert [each["read_error_code"] for each in (dummy, button)] == ["test_lead", "test_lead"]
    assert told["read_error_code"] == "lead_by_reference"
    assert '"7001"' in told["raw_line"]  # who must fetch it finds its id among the rejected


def test_typeform_s_answers_are_found_by_paths(hooks: Service) -> None:
    body = json.dumps({"event_id": uuid4().hex, "event_type": "form_response", "form_response": {"answers": [
        {"type": "text", "text": "Ferro", "field": {"id": "1", "type": "short_text", "ref": "name"}},
        {"type": "email", "email": "fay@typed-works.com", "field": {"id": "2", "type": "email", "ref": "mail"}},
    ]}}).encode()  # fmt: skip
    reply = post(hooks, "typed", body, typeform(body))
    assert reply.status == 202
    [stored] = contents(hooks, reply)
    assert (stored["email"], stored["last_name"]) == ("fay@typed-works.com", "Ferro")
    assert stored["external_id"] == json.loads(body)["event_id"]
    assert is_refused(post(hooks, "typed", body, typeform(body, "another")))


def test_hubspot_signs_method_address_body_and_time(hooks: Service) -> None:
    body = json.dumps([json.loads(lead()), json.loads(lead())]).encode()
    url = f"http://127.0.0.1:{hooks.port}/v1/webhooks/hubspot"
    reply = post(hooks, "hubspot", body, hubspot(body, url))
    assert (reply.status, len(reply.json["leads"])) == (202, 2)
    query = "?portal=1&to=a%40b%2Fc%20d"
    decoded = "?portal=1&to=a@b/c%20d"
    for signed_query in (query, decoded):  # as sent, and as its documentation says
        body = b"[" + lead() + b"]"
        assert post(hooks, "hubspot", body, hubspot(body, url + signed_query), query).status == 202
        assert is_refused(post(hooks, "hubspot", body, hubspot(body, url), query))
    assert is_refused(post(hooks, "hubspot", body, hubspot(body, url, "another")))
    assert is_refused(post(hooks, "hubspot", body, hubspot(body, url, at=time.time() / 1000)), "signature_too_old")


def test_basic_and_none(hooks: Service) -> None:
    assert post(hooks, "plain", lead(), basic()).status == 202
    for wrong in (basic("sender", "x"), basic("other"), {"Authorization": "Basic %%%"}, {"Authorization": "Bearer x"}):
        reply = post(hooks, "plain", lead(), wrong)
        assert is_refused(reply)
        assert reply.headers["WWW-Authenticate"].startswith("Basic ")
    assert post(hooks, "open", lead()).status == 202
    assert post(hooks, "open", b"no json").status == 400


# --- who is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["form", "pay", "hubspot"])
@pytest.mark.parametrize("off_seconds", [-310, 310])
def test_a_right_signature_of_another_time_is_told_so(hooks: Service, source: str, off_seconds: int) -> None:
    body = lead()
    at = time.time() + off_seconds
    url = f"http://127.0.0.1:{hooks.port}/v1/webhooks/hubspot"
    headers = {"form": standard(body, at=at), "pay": stripe(body, at=at), "hubspot": hubspot(body, url, at=at)}
    assert is_refused(post(hooks, source, body, headers[source]), "signature_too_old")


MALFORMED = [
    "", " ", "v1", "v1,", ",", "=", "t=,v1=", "t=1", "v1=ab", "t=1,t=2,v1=ab", "sha256", "sha256=", "sha1=ab",
    "sha256=zz", "v1,\u00e9\u00e9\u00e9\u00e9", "t=\u00b2,v1=\u00e4", "\u00ff" * 50, "v1,a b,c v2,d", "x" * 8000,
    "v1," * 2000,
    "t=9" + "9" * 400 + ",v1=ab", "t=-1,v1=ab", "t=1e9,v1=ab", "Basic " + "=" * 9,
]  # fmt: skip
SIGNATURE_HEADERS = [
    ("form", "webhook-signature"), ("form", "webhook-timestamp"), ("form", "webhook-id"),
    ("hub", "X-Hub-Signature-256"), ("pay", "Stripe-Signature"),
    ("typed", "Typeform-Signature"), ("hubspot", "X-HubSpot-Signature-v3"),
    ("hubspot", "X-HubSpot-Request-Timestamp"), ("plain", "Authorization"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "header"), SIGNATURE_HEADERS)
def test_malformed_headers_are_refused_and_never_fail(hooks: Service, source: str, header: str) -> None:
    body = lead()
    url = f"http://127.0.0.1:{hooks.port}/v1/webhooks/hubspot"
    good = {"form": standard(body), "hubspot": hubspot(body, url)}.get(source, {})
    for value in MALFORMED:
        assert is_refused(post(hooks, source, body, {**good, header: value.encode("latin-1")})), value  # type: ignore[dict-item]
    without = {name: value for name, value in good.items() if name != header}
    assert is_refused(post(hooks, source, body, without))


def test_two_signatures_of_which_one_is_right_are_none(hooks: Service) -> None:
    import http.client

    body = lead()
    connection = http.client.HTTPConnection("127.0.0.1", hooks.port, timeout=30)
    connection.putrequest("POST", "/v1/webhooks/hub")
    for value in (hub(body)["X-Hub-Signature-256"], "sha256=00"):
        connection.putheader("X-Hub-Signature-256", value)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    assert connection.getresponse().status == 401
    connection.close()


def test_a_source_without_webhook_or_secret(hooks: Service) -> None:
    for source in ("nobody", "no_webhook", "..%2Fform", "%00", "FORM"):
        assert post(hooks, source, lead()).code == "not_found"
    body = lead()
    reply = post(hooks, "unset", body, hub(body))
    assert (reply.status, reply.code) == (503, "webhook_secret_missing")
    assert int(reply.headers["Retry-After"]) > 0


# --- what they hold ----------------------------------------------------------------------------------------------

# As in JSONTestSuite, and what HTTP adds.
STRANGE = [
    b"", b" ", b"{", b"[", b"[" * 100_000, b"[" * 50_000 + b"]" * 50_000, b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b"null", b"true", b"5", b'"text"', b"[]", b"{}", b"[[]]", b"[1,null,{}]", b"NaN", b"[NaN,-Infinity]",
    b'{"email":NaN}', b'{"a":1,"a":2,"a":3}', b'{"":1}', b'{"":{"":{"":1}}}', b'{"email":"\\ud800"}', b'{"\\udfff":1}',
    b'{"email":"\\u0000"}', b'{"a":"\\u0000\\ud83d\\ude00"}', b'{"email":"a\x00b"}', b'{"email":"\xff\xfe"}',
    b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b"\xfe\xff\x00{\x00}", "{\"email\":\"\u00e9\"}".encode("latin-1"),
    b"1" * 10_000, b"[1e400,-1e-400,123456789012345678901234567890]", b'{"a":1}{"b":2}', b"{'a':1}", b"{a:1}",
    b'{"a":1,}', b'{"a" 1}', b'\x00', b"\xed\xa0\x80",
    b'{"x":[{"name":"a","value":1}' + b',{"name":"a","value":1}' * 9000 + b"]}",
    b'{"' + b"k" * 100_000 + b'":{' + b",".join(b'"a%d":1' % n for n in range(10_000)) + b"}}",
    b"{" + b",".join([b'"a":1'] * 40_000) + b"}", b'{"x":[' + b",".join([b'{"x":1}'] * 49) + b"]}",
    b'{"a":{"b.c":1},"a.b":{"c":2},"a.b.c":3}',
    b'{"lead_id":"x","source_channel":"y","read_error_code":"z","extra":{}}',
    b'{"email":["a@b.com","c@d.com"],"name":{"first":"A"}}', b'{"email":"' + b"x" * 200_000 + b'"}',
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(STRANGE)))
def test_whatever_is_signed_is_taken_and_what_is_not_is_refused(hooks: Service, number: int) -> None:
    body = STRANGE[number]
    for source in ("hub", "pay", "typed", "hubspot"):
        reply = send_signed(hooks, source, body)
        assert reply.status in (200, 202), reply.body
        assert len(contents(hooks, reply)) == len(reply.json["leads"]) >= 1
    assert post(hooks, "open", body).status in (202, 200, 400)
    assert post(hooks, "google", body).status == 401


def test_an_event_of_many_leads_and_one_of_too_many(hooks: Service) -> None:
    body = json.dumps({"leads": [json.loads(lead()) for _ in range(50)]}).encode()
    assert len(post(hooks, "hub", body, hub(body)).json["leads"]) == 50
    body = json.dumps([json.loads(lead()) for _ in range(51)]).encode()
    reply = post(hooks, "hub", body, hub(body))
    assert (reply.status, reply.code) == (413, "too_many_leads")


def test_large_or_compressed_bodies_are_refused(hooks: Service) -> None:
    body = b'{"a":"' + b"x" * (256 << 10) + b'"}'
    assert post(hooks, "hub", body, hub(body)).status == 413
    body = lead()
    reply = post(hooks, "hub", body, {**hub(body), "Content-Encoding": "gzip"})
    assert (reply.status, reply.headers["Accept-Encoding"]) == (415, "identity")


def test_leads_count_to_the_limit_of_their_client(hooks: Service) -> None:
    assert [post(hooks, "small", lead()).status for _ in range(3)] == [202, 202, 429]
    body = lead()
    refused = post(hooks, "small", body)
    assert int(refused.headers["Retry-After"]) > 0
    with hooks.store.transaction("test") as con:
        con.execute(text("UPDATE aiqleads.lead_quotas SET max_count = 3 WHERE client = 'limited'"))
    assert post(hooks, "small", body).status == 202  # what was refused is not known
    assert leads_count(hooks, "small") == 3


# --- what is known again -----------------------------------------------------------------------------------------


def test_a_replay_has_no_second_effect(hooks: Service) -> None:
    for source in ("form", "hub", "plain", "open", "meta", "typed"):
        body = lead()
        headers = {"form": standard(body), "plain": basic(), "typed": typeform(body)}.get(source, hub(body))
        first, second = (post(hooks, source, body, headers) for _ in range(2))
        assert (first.status, second.status) == (202, 200), source
        assert second.json == {"status": "known", "leads": first.json["leads"]}
    # GitHub's id of a delivery is not signed: another one makes no other event of it.
    body = lead()
    told = [post(hooks, "hub", body, {**hub(body), "X-GitHub-Delivery": str(uuid4())}).status for _ in range(2)]
    assert told == [202, 200]
    # The same id with another body is the same event: its id is what tells it.
    event_id = f"msg_{uuid4().hex}"
    told = [post(hooks, "form", body, standard(body, event_id=event_id)).status for body in (lead(), lead())]
    assert told == [202, 200]
    # The same id at another source is another event.
    body = json.dumps({"lead_id": "l-1", "google_key": "a-key-of-google"}).encode()
    assert post(hooks, "google", body).status == 202
    assert post(hooks, "open", body).status == 202


def test_of_equal_events_at_once_one_counts(hooks: Service) -> None:
    body = lead(campaign="at once")
    headers = standard(body)
    before = leads_count(hooks, "form")
    with ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda _: post(hooks, "form", body, headers), range(24)))
    assert sorted(reply.status for reply in replies) == [200] * 23 + [202]
    assert len({json.dumps(reply.json["leads"]) for reply in replies}) == 1
    assert leads_count(hooks, "form") == before + 1
