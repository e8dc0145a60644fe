"""PagerDuty-compatible events (API v2) as a destination for notices: trigger and resolve.

Belongs here: one event per notice. ``dedup_key`` is the notice's incident, so that a repeat has no second effect.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from resources.destinations import Outcome, Parcel, Receipt
from resources.http import HttpClient, HttpError, Limits
from resources.notify import receipt_of

MOST_SUMMARY_CHARS, MOST_KEY_CHARS = 1024, 255
_SEVERITIES = {"error": "error", "warning": "warning", "critical": "critical", "info": "info"}


class PagerDutyDestination:
    """Sends notices as events.

    Args:
        is_over: whether a notice's incident has ended since. A trigger that comes late would open it for ever.
    """

    chunk_size = 10

    def __init__(
        self,
        name: str,
        url: str,
        routing_key: SecretStr,
        client: HttpClient,
        is_over: Callable[[Mapping[str, Any]], bool] = lambda body: False,
    ) -> None:
        self.name, self._url, self._key, self._client, self._is_over = name, url, routing_key, client, is_over

    def deliver(self, parcels: Sequence[Parcel], *, timeout_seconds: float) -> list[Receipt]:
        """One call for each, in order."""
        deadline = time.monotonic() + timeout_seconds
        return [self._send(parcel, deadline) for parcel in parcels]

    def _send(self, parcel: Parcel, deadline: float) -> Receipt:
        event = pagerduty_event(parcel.body, str(parcel.delivery_id), self._key.get_secret_value())
        if event["event_action"] == "trigger" and self._is_over(parcel.body):
            return Receipt(parcel.delivery_id, Outcome.DELIVERED, detail="healed before it was told")
        limits = Limits(
            total_seconds=max(deadline - time.monotonic(), 0.001),
            max_retries=0,
            max_redirects=0,
            max_body_bytes=1 << 16,
        )
        sent = json.dumps(event).encode()
        try:
            answer = self._client.call(
                "POST", self._url, headers={"Content-Type": "application/json"}, body=sent, limits=limits,
                may_repeat=True,
            )  # fmt: skip
            if answer.status != 202 and not isinstance(answer.json(), dict):
                raise ValueError("no event was taken")
        except HttpError as error:
            return receipt_of(parcel, error, len(sent))
        except ValueError as error:
            return Receipt(parcel.delivery_id, Outcome.RETRY, None, "bad_answer", str(error), status_code=answer.status)
        return Receipt(
            parcel.delivery_id, Outcome.DELIVERED, event["dedup_key"], status_code=answer.status,
            sent_bytes_count=len(sent), answer_bytes_count=len(answer.body),
        )  # fmt: skip


def pagerduty_event(body: Mapping[str, Any], delivery_id: str, routing_key: str) -> dict[str, Any]:
    """The event of a notice."""
    key = _dedup_key(str(body.get("incident") or delivery_id))
    if body.get("is_healed"):
        return {"routing_key": routing_key, "event_action": "resolve", "dedup_key": key}
    summary = str(body.get("summary") or body.get("topic", "notice"))
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": key,
        "client": "AIQLeads",
        "payload": {
            "summary": summary[:MOST_SUMMARY_CHARS],
            "source": str(body.get("source") or "aiqleads")[:MOST_KEY_CHARS],
            "severity": _SEVERITIES.get(str(body.get("severity")), "warning"),
            "timestamp": body.get("created_at"),
            "class": body.get("code"),
            "group": body.get("group"),
            "custom_details": {
                name: body[name] for name in ("what_to_do", "command", "alerts", "more_count") if body.get(name)
            },
        },
    }
    if link := body.get("link"):
        event["links"] = [{"href": str(link), "text": "Open"}]
    return event


def _dedup_key(incident: str) -> str:
    """The incident's name; of a longer one its head with a hash, so that no two become one."""
    if len(incident) <= MOST_KEY_CHARS:
        return incident
    mark = hashlib.sha256(incident.encode()).hexdigest()[:32]
    return f"{incident[: MOST_KEY_CHARS - len(mark) - 1]}~{mark}"
