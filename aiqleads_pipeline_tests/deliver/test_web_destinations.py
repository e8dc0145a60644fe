"""Webhooks and callbacks: what is sent, how it is signed, and what an exchange comes to."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from aiqleads_pipeline.doors.webhook_signatures import Incoming, secrets_of, verify
from aiqleads_pipeline.rules.webhooks import WebhookRules
from aiqleads_pipeline_tests.deliver.delivery_world import SECRET, Receiver
from aiqleads_pipeline_tests.doors.http_world import reply
from resources.destinations import Destination, Outcome, Parcel
from resources.destinations.callback import CallbackDestination, auth_headers
from resources.destinations.redaction import redacted_answer
from resources.destinations.signatures import Signer, UnusableSecret
from resources.destinations.webhook import MOST_BYTES, WebhookDestination, event_body
from resources.http import HttpClient

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEAD = {
    "delivery_id": "d", "lead_id": "l", "reasons": [{"part": "intent", "text": "asked for a demo"}], "priority": "P1",
    "contact": {"full_name": "Zoë O'Neil", "email": "zoe@acme.example", "phone": "+14155550100"},
    "interest": {"message": "call me", "campaign": "fall"}, "company": {"name": "Acme"},
}  # fmt: skip


def parcel(body: dict[str, Any] | None = None) -> Parcel:
    return Parcel(UUID(int=7 << 64), UUID(int=8 << 64), "hook", 1, 1, NOW, body or LEAD)


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with HttpClient(allow_loopback=True) as client:
        yield client


def webhook(receiver: Receiver, client: HttpClient, *secrets: str) -> WebhookDestination:
    signer = Signer([SecretStr(each) for each in secrets or (SECRET,)])
    return WebhookDestination("hook", f"{receiver.url}/in", signer, client, headers={"X-Us": "yes"})


def test_an_event_is_what_standard_webhooks_says(
    receiver: Receiver, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = "whsec_" + base64.b64encode(b"o" * 24).decode()
    hook = webhook(receiver, client, SECRET, old)
    assert isinstance(hook, Destination)
    (receipt,) = hook.deliver([parcel()], timeout_seconds=5)
    assert (receipt.outcome, receipt.status_code) == (Outcome.DELIVERED, 202)
    (asked,) = receiver.asked
    assert (asked.method, asked.target, asked.headers["x-us"]) == ("POST", "/in", "yes")
    event = json.loads(asked.body)
    assert (event["type"], event["timestamp"]) == ("lead.routed", "2026-11-23T12:00:00.000Z")
    assert event["data"] == {name: value for name, value in LEAD.items() if name != "delivery_id"}
    assert asked.headers["webhook-id"] == str(parcel().delivery_id)
    # Our own door, which knows senders of this scheme, takes it by either secret.
    for value in (SECRET, old):
        monkeypatch.setenv("AIQLEADS_SECRET__IN", value)
        rules = WebhookRules(scheme="standard", secret=("IN",))
        headers = [(name.encode(), text.encode()) for name, text in asked.headers.items()]
        incoming = Incoming("POST", b"/in", headers, asked.body)
        assert verify(rules, secrets_of(rules), incoming, datetime.now(UTC)) == str(parcel().delivery_id)


def test_ed25519_signs_beside_hmac(receiver: Receiver, client: HttpClient) -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    hook = webhook(receiver, client, SECRET, "whsk_" + base64.b64encode(b"s" * 32).decode())
    hook.deliver([parcel()], timeout_seconds=5)
    (asked,) = receiver.asked
    first, second = asked.headers["webhook-signature"].split(" ")
    assert first.startswith("v1,")
    assert second.startswith("v1a,")
    signed = ".".join((asked.headers["webhook-id"], asked.headers["webhook-timestamp"], asked.body.decode()))
    key.public_key().verify(base64.b64decode(second.removeprefix("v1a,")), signed.encode())


@pytest.mark.parametrize("secret", ["whsec_short", "whsec_" + base64.b64encode(b"x" * 8).decode(), "whsk_AAAA", "!"])
def test_what_is_no_secret_of_theirs_is_refused_unquoted(secret: str) -> None:
    with pytest.raises(UnusableSecret) as caught:
        Signer([SecretStr(secret)])
    assert secret not in str(caught.value)


def test_a_large_event_leaves_out_what_can_be_asked_for() -> None:
    body = event_body(parcel({**LEAD, "interest": {"message": "é" * 15_000, "campaign": "fall"}}))
    event = json.loads(body)
    assert len(body) <= MOST_BYTES
    assert event["left_out"] == ["reasons", "interest.message"]
    assert event["data"]["interest"] == {"campaign": "fall"}
    assert LEAD["interest"]["message"] == "call me"  # type: ignore[index]


def test_one_that_can_not_be_made_to_fit_is_refused(receiver: Receiver, client: HttpClient) -> None:
    huge = {"topic": "alert.opened", "text": "x" * 30_000}
    (receipt,) = webhook(receiver, client).deliver([parcel(huge)], timeout_seconds=5)
    assert (receipt.outcome, receipt.error_code) == (Outcome.REFUSED, "payload_too_large")
    assert receiver.asked == []


def test_a_long_answer_is_read_to_64_kb_and_counts(receiver: Receiver, client: HttpClient) -> None:
    receiver.say = lambda asked: reply(200, b"x" * 500_000)
    (receipt,) = webhook(receiver, client).deliver([parcel()], timeout_seconds=5)
    assert (receipt.outcome, receipt.answer_bytes_count) == (Outcome.DELIVERED, 65_536)


def test_a_redirect_is_a_failure_and_is_not_followed(receiver: Receiver, client: HttpClient) -> None:
    receiver.say = lambda asked: reply(307, "", Location="/other")
    (receipt,) = webhook(receiver, client).deliver([parcel()], timeout_seconds=5)
    assert (receipt.outcome, receipt.error_code) == (Outcome.RETRY, "receiver_redirected")
    assert [asked.target for asked in receiver.asked] == ["/in"]


def test_loopback_is_not_called_unless_it_may_be(receiver: Receiver) -> None:
    with HttpClient() as guarded:
        (receipt,) = webhook(receiver, guarded).deliver([parcel()], timeout_seconds=5)
    assert (receipt.outcome, receipt.error_code) == (Outcome.RETRY, "address_blocked")
    assert receiver.asked == []


def test_nobody_there_is_tried_again(client: HttpClient) -> None:
    with Receiver() as gone:
        hook = webhook(gone, client)
    (receipt,) = hook.deliver([parcel()], timeout_seconds=2)
    assert (receipt.outcome, receipt.error_code) == (Outcome.RETRY, "receiver_unreachable")


def test_the_log_holds_nothing_of_a_person() -> None:
    said = b'{"error": "no ZOE@acme.example or Zo\xc3\xab O\'Neil, +1 (415) 555-0100", "token": "abc", "id": "%s"}' % (
        b"A" * 40
    )
    kept = redacted_answer(said, LEAD)
    assert kept is not None
    for part in ("acme.example", "Zoë", "O'Neil", "555", "abc", "AAAA"):
        assert part not in kept
    assert kept.startswith('{"error": "no …')
    assert redacted_answer(b"", LEAD) is None
    assert len(redacted_answer(b"word " * 10_000) or "") <= 300


def test_a_callback_calls_their_api(receiver: Receiver, client: HttpClient) -> None:
    receiver.say = lambda asked: reply(201, '{"result": {"ids": ["rec-9"]}}')
    call = CallbackDestination(
        "crm",
        f"{receiver.url}/leads/{{lead_id}}",
        client,
        method="PUT",
        auth=auth_headers("bearer", SecretStr("s3cret")),
        external_id="result.ids.0",
    )
    (receipt,) = call.deliver([parcel()], timeout_seconds=5)
    assert (receipt.outcome, receipt.external_id) == (Outcome.DELIVERED, "rec-9")
    (asked,) = receiver.asked
    assert (asked.method, asked.target) == ("PUT", f"/leads/{parcel().lead_id}")
    assert asked.headers["authorization"] == "Bearer s3cret"
    assert asked.headers["idempotency-key"] == str(parcel().delivery_id)
    assert json.loads(asked.body) == LEAD
    assert auth_headers("basic", SecretStr("me:pw"))["Authorization"].get_secret_value() == "Basic bWU6cHc="
    assert auth_headers("header", SecretStr("k"), "X-Key")["X-Key"].get_secret_value() == "k"
    assert "s3cret" not in repr(call.__dict__)
