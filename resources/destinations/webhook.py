"""Webhooks out, as in Standard Webhooks: one signed event per delivery, whose id is the delivery's on every attempt.

Belongs here: the event and its request. Does not belong here: signatures (``signatures``), what answers mean
(``answering``), the egress guard and sockets (``resources.http``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from resources.destinations import Outcome, Parcel, Receipt
from resources.destinations.answering import receipt_of_answer, receipt_of_error
from resources.destinations.signatures import Signer
from resources.durable import crash_point
from resources.http import HttpClient, HttpError, Limits, Url, parse_url

MOST_BYTES = 20_000
ANSWER_BYTES = 64 << 10
CONNECT_SECONDS = 10.0
# What is left out of an event that is too large, in this order: all of it can be asked for at the API.
_LEFT_OUT = (("reasons",), ("interest", "message"), ("interest",), ("company",))


class WebhookDestination:
    """Sends events to one address. Threads may share it.

    Args:
        url: checked by the guard each time that a connection is made.
        headers: further ones.
        describe_lead: the API's address of a lead, where it is known from outside.
    """

    chunk_size = 1

    def __init__(
        self,
        name: str,
        url: str,
        signer: Signer,
        client: HttpClient,
        headers: Mapping[str, str] | None = None,
        lead_url: Callable[[str], str | None] = lambda lead_id: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._name, self._url, self._signer, self._client = name, parse_url(url), signer, client
        self._headers, self._lead_url, self._now = dict(headers or {}), lead_url, now

    @property
    def name(self) -> str:
        """As in the rules."""
        return self._name

    def deliver(self, parcels: Sequence[Parcel], *, timeout_seconds: float) -> list[Receipt]:
        """One event per parcel, one after the other."""
        return [self._send(parcel, timeout_seconds) for parcel in parcels]

    def _send(self, parcel: Parcel, timeout_seconds: float) -> Receipt:
        body = event_body(parcel, self._lead_url(str(parcel.lead_id)))
        if len(body) > MOST_BYTES:
            return Receipt(
                parcel.delivery_id,
                Outcome.REFUSED,
                error_code="payload_too_large",
                detail=f"the event has {len(body):,} bytes, {MOST_BYTES:,} are allowed",
            )
        headers = self._headers | self._signer.headers(str(parcel.delivery_id), self._now(), body)
        headers["Content-Type"] = "application/json"
        return exchange(self._client, "POST", self._url, headers, body, parcel, timeout_seconds)


def exchange(
    client: HttpClient,
    method: str,
    url: Url,
    headers: Mapping[str, str],
    body: bytes,
    parcel: Parcel,
    timeout_seconds: float,
    on_answer: Callable[[bytes], str | None] = lambda body: None,
) -> Receipt:
    """One request for one parcel, without redirects or retries of its own; what it came to.

    Args:
        on_answer: finds the record's id in the body of an answer that says "delivered".
    """
    limits = Limits(
        connect_seconds=min(CONNECT_SECONDS, timeout_seconds),
        read_seconds=timeout_seconds,
        total_seconds=timeout_seconds,
        max_body_bytes=ANSWER_BYTES,
        cuts_long_bodies=True,
        max_redirects=0,
        max_retries=0,
    )
    crash_point("before:deliver")
    try:
        # It may come twice: its id tells the receiver that it did.
        answer = client.call(method, url, headers=headers, body=body, limits=limits, may_repeat=True)
    except HttpError as error:
        return receipt_of_error(parcel.delivery_id, error, len(body), parcel.body)
    crash_point("after:deliver")
    receipt = receipt_of_answer(parcel.delivery_id, answer, len(body), parcel.body)
    if receipt.outcome is Outcome.DELIVERED and (external_id := on_answer(answer.body)):
        return Receipt(**{**receipt.__dict__, "external_id": external_id})
    return receipt


def event_body(parcel: Parcel, lead_url: str | None = None) -> bytes:
    """The event as it is sent, the same bytes on every attempt: ``type, timestamp, data`` and, if need be, what was
    left out so that it fits."""
    data = {name: value for name, value in parcel.body.items() if name not in ("topic", "delivery_id")}
    event: dict[str, Any] = {
        "type": parcel.body.get("topic", "lead.routed"),
        "timestamp": parcel.created_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": data,
    }
    if lead_url is not None and "topic" not in parcel.body:
        event["links"] = {"lead": lead_url}
    body = _encoded(event)
    for path in _LEFT_OUT:
        if len(body) <= MOST_BYTES:
            break
        if _remove(data, path):
            event.setdefault("left_out", []).append(".".join(path))
            body = _encoded(event)
    return body


def _remove(data: dict[str, Any], path: tuple[str, ...]) -> bool:
    *parents, name = path
    holder = data
    for parent in parents:
        inner = holder.get(parent)
        if not isinstance(inner, dict):
            return False
        holder[parent] = inner = dict(inner)  # the parcel's own body stays whole
        holder = inner
    return holder.pop(name, None) is not None


def _encoded(event: Mapping[str, Any]) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
