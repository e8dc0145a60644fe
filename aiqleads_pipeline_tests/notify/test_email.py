"""Mail over a real server: what arrives, what no value can break, what each failure comes to."""

import socket
import threading
import uuid
from email.utils import parseaddr

import pytest
from pydantic import SecretStr

from aiqleads_pipeline.settings import PROJECT_DIR
from aiqleads_pipeline_tests.notify.conftest import lead_parcel
from resources.destinations import Destination, Outcome
from resources.notify.email import EmailDestination, Mailing, mailbox
from resources.notify.smtp import MailServer
from resources.notify.templates import Templates, TemplateUnusable

ANA = (("Ana Ruiz", "ana@example.com"),)
TEMPLATES = Templates(PROJECT_DIR / "data" / "templates" / "email")


def destination(port, mailing=None, **server):
    options = {"security": "none", "allow_loopback": True, **server}
    return EmailDestination(
        "mail",
        MailServer("localhost", port, resolver=lambda _host, _port: ["127.0.0.1"], **options),
        ("AIQLeads", "leads@our-company.example"),
        TEMPLATES,
        mailing or (lambda _parcel: Mailing(ANA)),
    )


def deliver(destination, *parcels, seconds=5):
    return destination.deliver(parcels, timeout_seconds=seconds)


def test_a_lead_arrives_as_text_and_html(mail_server):
    inbox = mail_server()
    parcel = lead_parcel()
    mail = destination(inbox.port)
    assert isinstance(mail, Destination)
    [receipt] = deliver(mail, parcel)
    assert (receipt.outcome, receipt.external_id) == (Outcome.DELIVERED, f"<{parcel.delivery_id}@our-company.example>")
    [message] = inbox.messages
    assert message["Subject"] == "P2 lead: Grace Hopper, Hopper Systems"
    assert parseaddr(message["To"]) == ANA[0]
    assert message["Message-ID"] == receipt.external_id
    assert "grace@hopper.example" in message.get_body(("plain",)).get_content()
    assert "<b>Mon 23 Nov 2026 16:00 UTC</b>" in message.get_body(("html",)).get_content()


def test_a_second_attempt_has_the_same_message_id(mail_server):
    inbox = mail_server()
    parcel = lead_parcel()
    for _ in range(2):
        deliver(destination(inbox.port), parcel)
    first, second = inbox.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]


@pytest.mark.parametrize(
    "name",
    [
        "Eve\r\nBcc: all@example.com", "Eve\nSubject: other", "Ruiz, Ana", 'Ana "the" <x@y.example>', "Ána Ñandú 李",
        "a" * 500, "\x00\x1b[31m", "=?utf-8?q?=0ABcc=3A_all=40example.com?=", "Ana\u2028Bcc: x", "\ud800",
    ],
    ids=range(10),
)  # fmt: skip
def test_no_name_breaks_out_of_a_header(mail_server, name):
    inbox = mail_server()
    parcel = lead_parcel(full_name=name)
    [receipt] = deliver(destination(inbox.port, lambda _p: Mailing(((name, "ana@example.com"),))), parcel)
    assert receipt.outcome is Outcome.DELIVERED, receipt
    [message] = inbox.messages
    assert inbox.envelopes[0][2] == ["ana@example.com"]
    assert message["Bcc"] is None
    assert len(message.get_all("Subject")) == len(message.get_all("To")) == 1
    assert [address.addr_spec for address in message["To"].addresses] == ["ana@example.com"]


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "a@b@c.example",
        "a b@c.example",
        "a@",
        "@c.example",
        "a@c.example\r\nRCPT TO:<x@y.example>",
        "a,b@c.example",
    ],
    ids=range(7),
)
def test_what_is_no_address_gets_no_mail(mail_server, address):
    inbox = mail_server()
    good = lead_parcel()
    bad = lead_parcel()
    mailing = {bad.delivery_id: Mailing((("X", address),)), good.delivery_id: Mailing(ANA)}
    receipts = deliver(destination(inbox.port, lambda p: mailing[p.delivery_id]), bad, good)
    assert [(r.outcome, r.error_code) for r in receipts] == [
        (Outcome.REFUSED, "bad_recipient"),
        (Outcome.DELIVERED, None),
    ]
    assert "example" not in receipts[0].detail


def test_addresses_beyond_ascii():
    assert mailbox("X", "x@bücher.example").addr_spec == "x@xn--bcher-kva.example"


def test_html_of_a_lead_is_inert(mail_server):
    inbox = mail_server()
    deliver(destination(inbox.port), lead_parcel(full_name="<script>alert(1)</script>{{ 7 * 7 }}"))
    html = inbox.messages[0].get_body(("html",)).get_content()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "{{ 7 * 7 }}" in html


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_encrypted_after_a_log_in(mail_server, certificate, security):
    inbox = mail_server(security, login=True)
    options = {"security": security, "ca_file": str(certificate), "username": "robot"}
    assert outcome(inbox, password=SecretStr("right"), **options) == (Outcome.DELIVERED, None)
    assert inbox.envelopes[0][0] or security == "tls"  # a server of TLS alone takes nothing else
    assert outcome(inbox, password=SecretStr("wrong"), **options) == (Outcome.LATER, "smtp_login_failed")


def outcome(inbox, **server):
    [receipt] = deliver(destination(inbox.port, **server), lead_parcel())
    assert "right" not in str(receipt)
    assert "ana@" not in str(receipt)
    return receipt.outcome, receipt.error_code


def test_a_server_that_can_not_prove_its_name_or_has_no_tls_gets_nothing(mail_server, certificate):
    for security in ("starttls", "tls"):
        assert outcome(mail_server(security), security=security)[1] == "certificate_refused"
    plain = mail_server()
    assert outcome(plain, security="starttls", ca_file=str(certificate)) == (Outcome.LATER, "smtp_no_tls")
    assert plain.messages == []


@pytest.mark.parametrize(
    ("where", "answer", "expected"),
    [
        ("DATA", "451 later", (Outcome.RETRY, "smtp_deferred")),
        ("DATA", "550 never", (Outcome.REFUSED, "smtp_refused")),
        ("ana@example.com", "450 greylisted", (Outcome.RETRY, "smtp_deferred")),
        ("ana@example.com", "550 no such user", (Outcome.REFUSED, "bad_recipient")),
    ],
)
def test_what_the_server_says_decides_whether_it_is_tried_again(mail_server, where, answer, expected):
    inbox = mail_server()
    inbox.refuse[where] = answer
    assert outcome(inbox) == expected


def test_one_bad_recipient_spoils_no_other_message(mail_server):
    inbox = mail_server()
    inbox.refuse["bo@example.com"] = "550 no"
    to = iter([ANA, (("Bo", "bo@example.com"),), ANA])
    receipts = deliver(destination(inbox.port, lambda _p: Mailing(next(to))), *(lead_parcel() for _ in range(3)))
    assert [r.outcome for r in receipts] == [Outcome.DELIVERED, Outcome.REFUSED, Outcome.DELIVERED]


def test_loopback_and_metadata_are_not_dialled(mail_server):
    inbox = mail_server()
    assert outcome(inbox, allow_loopback=False) == (Outcome.RETRY, "address_blocked")
    hidden = MailServer("mail.example", 25, "none", resolver=lambda _h, _p: ["169.254.169.254"], allow_loopback=True)
    mail = EmailDestination("mail", hidden, ("A", "a@b.example"), TEMPLATES, lambda _p: Mailing(ANA))
    [receipt] = deliver(mail, lead_parcel())
    assert receipt.error_code == "address_blocked"


@pytest.mark.parametrize("greeting", [b"", b"220 ho", b"SSH-2.0\r\n", b"220 x\r\n" + b"2" * 100_000], ids=range(4))
def test_a_server_that_hangs_or_babbles_ends_in_time(greeting):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        over = threading.Event()

        def babble():
            taken, _ = listening.accept()
            with taken:
                taken.sendall(greeting)
                over.wait(10)

        thread = threading.Thread(target=babble)
        thread.start()
        receipts = deliver(destination(port), lead_parcel(), lead_parcel(), seconds=0.5)
        over.set()
        thread.join()
    assert [r.outcome for r in receipts] == [Outcome.RETRY] * 2


def test_no_server_at_all_is_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    receipts = deliver(destination(port), lead_parcel(), lead_parcel())
    assert [(r.outcome, r.error_code) for r in receipts] == [(Outcome.RETRY, "receiver_unreachable")] * 2


def test_a_digest_is_one_message_and_what_is_held_waits(mail_server):
    inbox = mail_server()
    parcels = [lead_parcel(uuid.UUID(int=n)) for n in range(3)]
    held = lead_parcel()

    def mailing(parcel):
        return Mailing(ANA, digest=True, hold_seconds=60 if parcel is held else None)

    receipts = deliver(destination(inbox.port, mailing), *parcels, held)
    [message] = inbox.messages
    assert message["Subject"] == "3 leads and notices"
    assert message.get_body(("plain",)).get_content().count("Grace Hopper") == 3
    assert [r.outcome for r in receipts] == [Outcome.DELIVERED] * 3 + [Outcome.LATER]
    assert (receipts[3].error_code, receipts[3].retry_after_seconds) == ("held_until_open", 60)


def test_templates_reach_nothing_but_their_context(tmp_path):
    for name, text in {
        "escape": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "flood": "{% for i in range(100000) %}{% for j in range(1000) %}xxxxxxxxxx{% endfor %}{% endfor %}",
        "broken": "{% if %}",
    }.items():
        (tmp_path / f"{name}.txt.j2").write_text(text)
        (tmp_path / f"{name}.html.j2").write_text("x")
    templates = Templates(tmp_path)
    for name in ("flood", "broken", "missing", "../secrets"):
        with pytest.raises(TemplateUnusable):
            templates.render(name, {})
    with pytest.raises(TemplateUnusable):
        templates.render("escape", {})


def test_values_are_bounded():
    rendered = TEMPLATES.render("lead", {**lead_parcel().body, "contact": {"full_name": "x" * 100_000}})
    assert len(rendered.subject) <= 200
    assert len(rendered.html) < 4000
