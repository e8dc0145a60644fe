"""A mailbox that keeps what comes by SMTP (``mail`` speaks the protocol): messages by Message-ID, repeats counted."""

from __future__ import annotations

from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from aiqleads_pipeline.sandbox.exchange import Double, stamp


class Mailbox(Double):
    """Takes mail for everybody."""

    name = "smtp"
    title = "SMTP server"
    defaults = {"require_auth": False, "unknown_recipients": [], "max_bytes": 10 << 20}
    credentials = {"username": "sandbox", "password": "sandbox-password"}

    def forget(self) -> None:
        """No mail has come."""
        self._messages: dict[str, dict[str, Any]] = {}

    def keep(self, sender: str, recipients: list[str], raw: bytes, now: datetime) -> bool:
        """Keep a message; whether it is the first of its Message-ID."""
        message = BytesParser(EmailMessage, policy=policy.default).parsebytes(raw)
        message_id = str(message.get("Message-ID") or f"<none-{len(self._messages)}>").strip()
        known = self._messages.get(message_id)
        if known is not None:
            known["attempts"] += 1
            known["bodies_differ"] = known["bodies_differ"] or known["raw"] != raw.decode("utf-8", "replace")
            return False
        self._messages[message_id] = {
            "message_id": message_id,
            "at": stamp(now),
            "from": sender,
            "to": recipients,
            "subject": str(message.get("Subject", "")),
            "headers": [[name, str(value)] for name, value in message.items()],
            "text": _part(message, "plain"),
            "html": _part(message, "html"),
            "raw": raw.decode("utf-8", "replace"),
            "attempts": 1,
            "bodies_differ": False,
        }
        return True

    def records(self, kind: str) -> list[dict[str, Any]]:
        """``messages``, one for each Message-ID."""
        if kind != "messages":
            raise KeyError(kind)
        return list(self._messages.values())

    def facts(self) -> dict[str, Any]:
        """What the page shows."""
        people = {to for message in self._messages.values() for to in message["to"]}
        return {"messages": len(self._messages), "recipients": len(people)}


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    if part is None or part.get_content_subtype() != kind:
        return None
    content: str = part.get_content()
    return content
