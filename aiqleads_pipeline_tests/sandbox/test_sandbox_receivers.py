"""Receivers: webhooks and callbacks, Slack, PagerDuty, mail."""

import base64
import hmac
import smtplib
import time
from email.message import EmailMessage

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def signed(secret, body, message_id="m1", at=None, signing_key=None):
    stamp = str(int(time.time() if at is None else at))
    text = f"{message_id}.{stamp}.".encode() + body
    marks = []
    if secret:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        marks.append("v1," + base64.b64encode(hmac.digest(key, text, "sha256")).decode())
    if signing_key:
        seed = base64.b64decode(signing_key.removeprefix("whsk_"))[:32]
        marks.append("v1a," + base64.b64encode(Ed25519PrivateKey.from_private_bytes(seed).sign(text)).decode())
    return {
        "webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": " ".join(marks),
        "content-type": "application/json",
    }  # fmt: skip


def post(ask, headers, body=b'{"a":1}', path="/hooks/x", double="webhooks"):
    return ask(double, "POST", path, headers=headers, data=body)


@pytest.mark.parametrize("path", ["/hooks/x", "/callbacks/x"])
def test_a_message_has_one_effect_however_often_it_comes(sandbox, ask, path):
    secret = sandbox.credentials["webhooks"]["secret"]
    answers = [post(ask, signed(secret, b'{"a":1}'), path=path).json()["status"] for _ in range(3)]
    assert answers == ["processed", "repeat", "repeat"]
    counts = sandbox.counts("webhooks")
    assert (counts["attempts"], counts["effects"], counts["repeats"]) == (3, 1, 2)
    [message] = sandbox.records("webhooks", "messages")
    assert (message["attempts"], message["effects"], message["conflicts"]) == (3, 1, 0)
    post(ask, signed(secret, b'{"a":2}'), b'{"a":2}', path=path)
    assert sandbox.records("webhooks", "messages")[0]["conflicts"] == 1


def test_receivers_are_apart(sandbox, ask):
    secret = sandbox.credentials["webhooks"]["secret"]
    post(ask, signed(secret, b'{"a":1}'), double="other_receiver")
    assert sandbox.counts("webhooks")["attempts"] == 0 and sandbox.counts("other_receiver")["effects"] == 1


def test_ed25519_and_rotated_secrets_are_known(sandbox, ask):
    known = sandbox.credentials["webhooks"]
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    assert post(ask, signed(None, b'{"a":1}', "m1", signing_key=known["signing_key"])).status_code == 200
    headers = signed(other, b'{"a":1}', "m2")
    headers["webhook-signature"] += " " + signed(known["secret"], b'{"a":1}', "m2")["webhook-signature"]
    assert post(ask, headers).status_code == 200
    sandbox.configure("webhooks", endpoints={"own": {"secrets": [other]}})
    assert post(ask, signed(other, b'{"a":1}', "m3"), path="/hooks/own").status_code == 200
    assert post(ask, signed(known["secret"], b'{"a":1}', "m4"), path="/hooks/own").status_code == 401


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"webhook-signature": "v1,AAAA"}, 401),
        ({"webhook-signature": "nonsense"}, 401),
        ({"webhook-signature": None}, 400),
        ({"webhook-id": None}, 400),
        ({"webhook-timestamp": "soon"}, 400),
        ({"webhook-timestamp": "1"}, 401),
        ({"webhook-timestamp": "99999999999"}, 401),
        ({"content-type": "text/plain"}, 415),
    ],
    ids=["wrong", "malformed", "unsigned", "no-id", "no-number", "old", "future", "type"],
)
def test_what_does_not_fit_is_refused_and_has_no_effect(sandbox, ask, change, status):
    headers = signed(sandbox.credentials["webhooks"]["secret"], b'{"a":1}') | change
    assert post(ask, {name: value for name, value in headers.items() if value is not None}).status_code == status
    counts = sandbox.counts("webhooks")
    assert (counts["effects"], counts["refused"]) == (0, 1) and sandbox.records("webhooks", "refused")[0]["why"]


def test_large_and_unwanted_messages(sandbox, ask):
    secret, large = sandbox.credentials["webhooks"]["secret"], b'"' + b"x" * 20_480 + b'"'
    assert post(ask, signed(secret, large), large).status_code == 413
    sandbox.configure("webhooks", endpoints={"gone": {"status": 410}})
    assert post(ask, signed(secret, b'{"a":1}'), path="/hooks/gone").status_code == 410
    assert sandbox.counts("webhooks")["effects"] == 0


def test_slack_takes_what_slack_takes(sandbox, ask):
    path = sandbox.credentials["slack"]["path"]
    assert ask("slack", "POST", path, json={"text": "hello"}).text == "ok"
    assert ask("slack", "POST", path, data={"payload": '{"text":"form"}'}).text == "ok"
    assert ask("slack", "POST", path, json={}).text == "no_text"
    assert ask("slack", "POST", path, data=b"{").text == "invalid_payload"
    assert ask("slack", "POST", path, json={"blocks": [1]}).text == "invalid_blocks"
    assert ask("slack", "POST", "/services/T000/B000/wrong", json={"text": "x"}).status_code == 403
    sandbox.configure("slack", archived=True)
    assert ask("slack", "POST", path, json={"text": "x"}).status_code == 410
    assert [message["text"] for message in sandbox.records("slack", "messages")] == ["hello", "form"]


def event(sandbox, action, **changes):
    payload = {"summary": "s", "source": "here", "severity": "error"}
    key = sandbox.credentials["pagerduty"]["routing_key"]
    return {"routing_key": key, "event_action": action, "dedup_key": "k", "payload": payload} | changes


def test_pagerduty_keeps_one_incident_per_key(sandbox, ask):
    said = [
        ask("pagerduty", "POST", "/v2/enqueue", json=event(sandbox, action)).status_code
        for action in ("trigger", "trigger", "acknowledge", "resolve", "resolve", "trigger")
    ]
    assert said == [202] * 6
    [incident] = sandbox.records("pagerduty", "incidents")
    assert (incident["state"], incident["triggers"]) == ("triggered", 1)
    counts = sandbox.counts("pagerduty")
    assert (counts["effects"], counts["repeats"]) == (4, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"routing_key": "x"},
        {"event_action": "close"},
        {"payload": None},
        {"payload": {"summary": "s", "source": "x", "severity": "fatal"}},
        {"payload": {"summary": "s" * 1025, "source": "x", "severity": "info"}},
        {"dedup_key": "k" * 256},
    ],
    ids=["key", "action", "no-payload", "severity", "summary", "dedup"],
)
def test_pagerduty_refuses_what_pagerduty_refuses(sandbox, ask, changes):
    answer = ask("pagerduty", "POST", "/v2/enqueue", json=event(sandbox, "trigger", **changes))
    assert answer.status_code == 400 and answer.json()["errors"] and sandbox.counts("pagerduty")["effects"] == 0


def mail(sandbox, message_id="<1@x>", to=("a@example.com",)):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "s@example.com", ", ".join(to), "Grüße"
    message["Message-ID"] = message_id
    message.set_content("plain")
    message.add_alternative("<p>rich</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), timeout=20) as link:
        return link.send_message(message)


def test_mail_is_kept_by_message_id(sandbox):
    mail(sandbox)
    mail(sandbox)
    mail(sandbox, "<2@x>", ("a@example.com", "b@example.com"))
    first, second = sandbox.records("smtp", "messages")
    assert (first["message_id"], first["attempts"], first["subject"]) == ("<1@x>", 2, "Grüße")
    assert (first["text"].strip(), first["html"].strip()) == ("plain", "<p>rich</p>")
    assert second["to"] == ["a@example.com", "b@example.com"]
    counts = sandbox.counts("smtp")
    assert (counts["effects"], counts["repeats"]) == (2, 1)


@pytest.mark.parametrize(
    ("kind", "options", "error", "kept"),
    [
        ("error", {"status": 451}, smtplib.SMTPDataError, 0),
        ("error", {"status": 550, "route": "SMTP RCPT"}, smtplib.SMTPRecipientsRefused, 0),
        ("error", {"status": 421, "route": "SMTP MAIL"}, smtplib.SMTPException, 0),
        ("reset", {}, (OSError, smtplib.SMTPServerDisconnected), 0),
        ("lost", {}, (OSError, smtplib.SMTPServerDisconnected), 1),
    ],
    ids=["data", "recipient", "sender", "reset", "lost"],
)
def test_mail_goes_wrong(sandbox, kind, options, error, kept):
    sandbox.fault("smtp", kind, times=1, **options)
    with pytest.raises(error):
        mail(sandbox)
    assert len(sandbox.records("smtp", "messages")) == kept
    mail(sandbox)
    assert len(sandbox.records("smtp", "messages")) == 1
    assert sandbox.counts("smtp")["effects"] == 1


def test_some_recipients_are_refused(sandbox):
    sandbox.fault("smtp", "partial", records=0.5)
    people = tuple(f"p{n}@example.com" for n in range(20))
    refused = mail(sandbox, to=people)
    assert 0 < len(refused) < 20
    assert set(sandbox.records("smtp", "messages")[0]["to"]) == set(people) - set(refused)


def test_mail_asks_for_a_log_in_where_it_is_told_to(sandbox):
    sandbox.configure("smtp", require_auth=True)
    with pytest.raises(smtplib.SMTPException):
        mail(sandbox)
    with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), timeout=20) as link:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            link.login("sandbox", "wrong")
        link.login("sandbox", "sandbox-password")
        link.sendmail("a@example.com", ["b@example.com"], "Message-ID: <9@x>\r\n\r\nhi\r\n")
    assert len(sandbox.records("smtp", "messages")) == 1
