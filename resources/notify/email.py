"""E-mail as a destination: leads to their owners, notices to whom they concern; at once, in digests, or held.

Belongs here: composing messages that no value of a lead can break out of, and receipts. Does not belong here: who an
owner is and when they want to be told (given as ``mailing``), and the words (``templates``).

SMTP knows no idempotency: if the server took a message and its answer was lost, it comes twice, under the same
Message-ID, by which mailboxes and readers know it.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Any

import idna

from resources.destinations import Outcome, Parcel, Receipt
from resources.http import HttpError
from resources.notify import is_notice, receipt_of
from resources.notify.smtp import BadRecipient, LoginFailed, MailServer, MailSession, NoTls, Refused, SmtpError
from resources.notify.templates import Templates, TemplateUnusable

HELD = "held_until_open"
_LOCAL = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}")
_MESSAGE_IDS = uuid.UUID("6a1b5c0e-52a8-5d0f-9a3e-0f6b7c1d2e3f")
_NEEDS_A_PERSON_SECONDS = 600.0


class BadAddress(ValueError):
    """Not an address that mail can be sent to. The message does not quote it."""


@dataclass(frozen=True)
class Mailing:
    """How one parcel is to go out.

    ``hold_seconds``: not before that. ``digest``: together with others of the same recipients. ``why_not``: a reason
    code for never.
    """

    recipients: tuple[tuple[str, str], ...] = ()  # name, address
    digest: bool = False
    hold_seconds: float | None = None
    why_not: str | None = None


class EmailDestination:
    """Sends parcels by SMTP. Threads may share it: each call has a conversation of its own.

    Args:
        mailing: how a parcel is to go out, as things stand now.
    """

    def __init__(
        self,
        name: str,
        server: MailServer,
        sender: tuple[str, str],
        templates: Templates,
        mailing: Callable[[Parcel], Mailing],
        chunk_size: int = 20,
    ) -> None:
        self.name, self.chunk_size = name, chunk_size
        self._server, self._templates, self._mailing = server, templates, mailing
        self._sender = mailbox(*sender)

    def deliver(self, parcels: Sequence[Parcel], *, timeout_seconds: float) -> list[Receipt]:
        """One conversation for all; each message stands or falls alone."""
        receipts: dict[uuid.UUID, Receipt] = {}
        groups = self._grouped(parcels, receipts)
        session: MailSession | None = None
        deadline = time.monotonic() + timeout_seconds
        try:
            for mailing, together in groups:
                try:
                    message, to = self._compose(mailing, together)
                    session = session or MailSession(self._server, deadline)
                    refused = session.send(message, self._sender.addr_spec, to)
                    receipts |= _delivered(together, str(message["Message-ID"]), refused)
                except (SmtpError, HttpError, BadAddress, TemplateUnusable) as error:
                    receipts |= {parcel.delivery_id: _failed(parcel, error) for parcel in together}
                    if not isinstance(error, Refused | BadRecipient | BadAddress | TemplateUnusable):
                        _close(session)
                        session = None
                        if not isinstance(error, SmtpError) or isinstance(error, NoTls | LoginFailed):
                            break  # the next conversation would end alike
        finally:
            _close(session)
        lost = Receipt(uuid.UUID(int=0), Outcome.RETRY, None, "not_connected", "the conversation ended before its turn")
        last = next((r for r in reversed(receipts.values()) if r.outcome in (Outcome.RETRY, Outcome.LATER)), lost)
        return [receipts.get(p.delivery_id) or _same(p, last) for p in parcels]

    def test(self, *, timeout_seconds: float) -> Receipt:
        """Connect, encrypt, log in; no message."""
        probe = Parcel(uuid.UUID(int=0), uuid.UUID(int=0), self.name, 1, 1, datetime.fromtimestamp(0), {})  # noqa: DTZ006
        try:
            MailSession(self._server, time.monotonic() + timeout_seconds).close()
        except (SmtpError, HttpError) as error:
            return _failed(probe, error)
        return Receipt(probe.delivery_id, Outcome.DELIVERED)

    def _grouped(
        self, parcels: Sequence[Parcel], receipts: dict[uuid.UUID, Receipt]
    ) -> list[tuple[Mailing, list[Parcel]]]:
        groups: dict[Any, tuple[Mailing, list[Parcel]]] = {}
        for parcel in parcels:
            mailing = self._mailing(parcel)
            if mailing.why_not is not None:
                receipts[parcel.delivery_id] = Receipt(
                    parcel.delivery_id, Outcome.REFUSED, None, mailing.why_not, "not sent"
                )
            elif mailing.hold_seconds is not None and mailing.hold_seconds > 0:
                receipts[parcel.delivery_id] = Receipt(
                    parcel.delivery_id, Outcome.LATER, None, HELD, None, mailing.hold_seconds
                )
            else:
                key = mailing.recipients if mailing.digest else parcel.delivery_id
                groups.setdefault(key, (mailing, []))[1].append(parcel)
        return list(groups.values())

    def _compose(self, mailing: Mailing, parcels: list[Parcel]) -> tuple[EmailMessage, list[str]]:
        """The message and whom it goes to."""
        first = parcels[0]
        to = [mailbox(*recipient) for recipient in mailing.recipients]
        bodies = [dict(parcel.body) for parcel in parcels]
        if len(parcels) > 1:
            rendered = self._templates.render(
                "digest", {"items": bodies, "count": len(bodies), "to": to[0].display_name}
            )
        else:
            kind = "lead" if not is_notice(first) else str(first.body["topic"]).partition(".")[0]
            name = kind if kind in ("lead", "alert") and not (is_notice(first) and kind == "lead") else "notice"
            rendered = self._templates.render(name, {**bodies[0], "to": to[0].display_name})
        message = EmailMessage(policy=_policy([self._sender, *to]))
        message["Subject"] = one_line(rendered.subject) or "AIQLeads"
        message["From"], message["To"] = self._sender, to
        message["Date"] = format_datetime(first.created_at)
        message["Message-ID"] = _message_id(parcels, self._sender.domain)
        if incident := first.body.get("incident"):
            thread = uuid.uuid5(_MESSAGE_IDS, str(incident))
            message["References"] = f"<{thread}@{self._sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(rendered.text)
        message.add_alternative(rendered.html, subtype="html")
        return message, [address.addr_spec for address in to]


def mailbox(name: str, address: str) -> Address:
    """A name and an address as a header holds them, whatever the name is made of.

    Raises:
        BadAddress
    """
    local, _, domain = address.strip().rpartition("@")
    if not _LOCAL.fullmatch(local):
        raise BadAddress("the address is none")
    try:
        domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
        found = Address(one_line(name)[:200], local, domain)
    except (ValueError, IndexError, idna.IDNAError, UnicodeError) as error:
        raise BadAddress("the address is none") from error
    if not re.fullmatch(r"[A-Za-z0-9.-]+|\[[0-9a-fA-F.:]+\]", domain):
        raise BadAddress("the address is none")
    return found


def one_line(text: str) -> str:
    """Text without line breaks, control characters and encoded words: a header can't be broken out of.

    Python's headers decode an encoded word (``=?utf-8?q?=0A...?=``) in what they are given, line breaks included.
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).replace("=?", "= ?").split())


def _policy(addresses: Sequence[Address]) -> Any:
    is_ascii = all(address.addr_spec.isascii() for address in addresses)
    # A Message-ID must not be folded: readers compare it as it stands.
    return (SMTP if is_ascii else SMTPUTF8).clone(max_line_length=320)


def _message_id(parcels: Sequence[Parcel], domain: str) -> str:
    ids = sorted(str(parcel.delivery_id) for parcel in parcels)
    name = ids[0] if len(ids) == 1 else str(uuid.uuid5(_MESSAGE_IDS, " ".join(ids)))
    return f"<{name}@{domain}>"


def _delivered(parcels: Sequence[Parcel], message_id: str, refused: int) -> dict[uuid.UUID, Receipt]:
    detail = f"{refused} of the recipients were refused" if refused else None
    return {p.delivery_id: Receipt(p.delivery_id, Outcome.DELIVERED, message_id, None, detail) for p in parcels}


def _failed(parcel: Parcel, error: Exception) -> Receipt:
    if isinstance(error, HttpError):
        return receipt_of(parcel, error)
    if isinstance(error, BadAddress | BadRecipient):
        return Receipt(parcel.delivery_id, Outcome.REFUSED, None, "bad_recipient", str(error))
    if isinstance(error, Refused):
        return Receipt(parcel.delivery_id, Outcome.REFUSED, None, error.code, str(error))
    if isinstance(error, TemplateUnusable):
        return Receipt(
            parcel.delivery_id, Outcome.LATER, None, "template_unusable", str(error), _NEEDS_A_PERSON_SECONDS
        )
    if isinstance(error, NoTls | LoginFailed):  # the rules or the server must change: no fault of this message
        return Receipt(parcel.delivery_id, Outcome.LATER, None, error.code, str(error), _NEEDS_A_PERSON_SECONDS)
    code = error.code if isinstance(error, SmtpError) else "smtp_deferred"
    return Receipt(parcel.delivery_id, Outcome.RETRY, None, code, str(error))


def _same(parcel: Parcel, other: Receipt) -> Receipt:
    return Receipt(parcel.delivery_id, other.outcome, None, other.error_code, other.detail, other.retry_after_seconds)


def _close(session: MailSession | None) -> None:
    if session is not None:
        session.close()
