"""A Slack-compatible incoming webhook as a destination for notices.

Belongs here: one message per notice. The protocol knows no idempotency: a message whose answer was lost comes twice.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from resources.destinations import Outcome, Parcel, Receipt
from resources.http import HttpClient, HttpError, Limits
from resources.notify import receipt_of

MOST_CHARS = 2900  # of a section: Slack takes 3,000
_MARKS = {"error": ":red_circle:", "warning": ":large_yellow_circle:", "healed": ":large_green_circle:"}


class SlackDestination:
    """Posts notices to one channel. ``url`` is the credential."""

    chunk_size = 1

    def __init__(self, name: str, url: SecretStr, client: HttpClient) -> None:
        self.name, self._url, self._client = name, url, client

    def deliver(self, parcels: Sequence[Parcel], *, timeout_seconds: float) -> list[Receipt]:
        """One call for each."""
        deadline = time.monotonic() + timeout_seconds
        return [self._post(parcel, deadline) for parcel in parcels]

    def _post(self, parcel: Parcel, deadline: float) -> Receipt:
        limits = Limits(
            total_seconds=max(deadline - time.monotonic(), 0.001),
            max_retries=0,
            max_redirects=0,
            max_body_bytes=1 << 16,
        )
        body = json.dumps(slack_message(parcel.body)).encode()
        try:
            answer = self._client.call(
                "POST",
                self._url.get_secret_value(),
                headers={"Content-Type": "application/json"},
                body=body,
                limits=limits,
            )
        except HttpError as error:
            return receipt_of(parcel, error, len(body))
        if answer.status >= 300 or answer.content_type == "text/html":
            return Receipt(
                parcel.delivery_id, Outcome.RETRY, None, "bad_answer", "no answer of an incoming webhook",
                status_code=answer.status,
            )  # fmt: skip
        return Receipt(
            parcel.delivery_id, Outcome.DELIVERED, status_code=answer.status, sent_bytes_count=len(body),
            answer_bytes_count=len(answer.body),
        )  # fmt: skip


def slack_message(body: Mapping[str, Any]) -> dict[str, Any]:
    """The payload: ``text`` for what can't show blocks, and the blocks."""
    mark = _MARKS["healed" if body.get("is_healed") else str(body.get("severity", "warning"))]
    summary = str(body.get("summary") or body.get("topic", "notice"))
    lines = [f"*{mark} {_escaped(summary)}*"]
    lines += [
        f"• {_escaped(str(each.get('subject', '')))}: {_escaped(str(each.get('detail', '')))}" for each in _items(body)
    ]
    if (more := int(body.get("more_count") or 0)) > 0:
        lines.append(f"… and {more} more")
    if body.get("what_to_do") and not body.get("is_healed"):
        lines.append(f"_{_escaped(str(body['what_to_do']))}_")
    if body.get("command") and not body.get("is_healed"):
        lines.append(f"`{_escaped(str(body['command'])).replace('`', '')}`")
    if link := body.get("link"):
        lines.append(f"<{_link(str(link))}|Open>")
    text = "\n".join(lines)
    shown = text if len(text) <= MOST_CHARS else text[: MOST_CHARS - 1] + "…"
    return {
        "text": _escaped(summary)[:MOST_CHARS],
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": shown}}],
    }


def _items(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = body.get("alerts") or []
    return list(found)[:10] if isinstance(found, list | tuple) else []


def _escaped(text: str) -> str:
    """As Slack asks: nothing in it is markup, a mention or a link."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")[:600]


def _link(url: str) -> str:
    return re.sub(r"[<>|\s]", "", url) if url.startswith(("http://", "https://")) else ""
