"""Webhooks (signed as in Standard Webhooks) and callbacks (calls of somebody's own API).

Belongs here: their keys in ``destinations.yaml``. Does not belong here: what is sent (``resources.destinations``).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field, model_validator

from aiqleads_pipeline.rules.destinations.base import SentDestination, WebUrl
from aiqleads_pipeline.rules.secret_names import SecretName, SecretNames

_HEADERS_OF_OURS = frozenset(
    {
        "authorization", "connection", "content-length", "content-type", "cookie", "expect", "host",
        "idempotency-key", "transfer-encoding", "webhook-id", "webhook-signature", "webhook-timestamp",
    }
)  # fmt: skip

PRIORITY_CHANGED = "lead.priority_changed"
# Leads that were routed by the rules, given to an owner by a person, delivered to a destination, came again, ended as
# won or otherwise, got another priority; and batches that are done. Of too many, ``events.left_out`` tells how many.
Event = Literal[
    "lead.routed", "lead.assigned", "lead.delivered", "lead.came_again", "lead.converted", "lead.closed",
    "lead.priority_changed", "batch.done",
]  # fmt: skip
LEFT_OUT = "events.left_out"
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]
HeaderValue = Annotated[str, Field(max_length=1000, pattern=r"^[\x20-\x7e]*$")]


class _WebDestination(SentDestination):
    is_webhook: ClassVar[bool] = True

    url: WebUrl
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=20)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _headers_are_theirs(self) -> _WebDestination:
        if taken := sorted(name for name in self.headers if name.lower() in _HEADERS_OF_OURS):
            raise ValueError(f"the header {taken[0]!r} is written by us")
        return self


class WebhookDestination(_WebDestination):
    """An event per lead or notice, by POST. ``secret`` names one or, while they are rotated, several secrets:
    ``whsec_...`` (HMAC, v1) or ``whsk_...`` (ed25519, v1a); each signs.

    ``events``: what it is told of leads' lives beside routed leads.
    """

    kind: Literal["webhook"]
    secret: Annotated[SecretNames, Field(min_length=1)]
    events: Annotated[tuple[Event, ...], Field(max_length=len(get_args(Event)))] = ()


class CallbackDestination(_WebDestination):
    """A call of somebody's API per lead: ``{lead_id}`` and ``{delivery_id}`` in the URL are filled in."""

    kind: Literal["callback"]
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    auth: Literal["bearer", "basic", "header", "none"] = "bearer"
    secret: SecretName | None = None  # of `basic`: user:password
    auth_header: HeaderName | None = None
    external_id: Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9_.-]+$")] | None = None

    @model_validator(mode="after")
    def _has_what_its_auth_needs(self) -> CallbackDestination:
        if (self.secret is None) != (self.auth == "none"):
            raise ValueError("`auth: none` has no secret; every other needs `secret: NAME`")
        if (self.auth_header is None) != (self.auth != "header"):
            raise ValueError("`auth: header` needs `auth_header`; no other has one")
        return self
