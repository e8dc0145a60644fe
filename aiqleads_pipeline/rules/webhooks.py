"""What ``sources.yaml`` says of a source's webhook: how its sender proves who it is, and where its leads are.

Belongs here: the schema and its checks. Does not belong here: proving (``doors.webhook_signatures``) and reading
(``stages.reading.events``). A secret is named only; its value is ``AIQLEADS_SECRET__<NAME>``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES
from aiqleads_pipeline.rules.loading import RuleModel
from aiqleads_pipeline.rules.secret_names import SecretName, SecretNames

Scheme = Literal["standard", "github", "stripe", "shared_key", "meta", "typeform", "hubspot", "basic", "none"]
# Where the senders of a scheme name the event, if its rules don't say.
_EVENT_IDS = {"stripe": "$.id", "typeform": "$.event_id", "shared_key": "$.lead_id"}
_GOOGLE_KEY = "google_key"


def _json_path(path: str) -> str:
    from jsonpath_rfc9535 import JSONPathError, compile

    try:
        compile(path)
    except JSONPathError as error:
        raise ValueError(f"{path!r} is no JSON path as in RFC 9535, such as $.contact.email: {error}") from None
    return path


def _known_column(name: str) -> str:
    if name not in LEAD_COLUMN_NAMES:
        raise ValueError(f"{name!r} is no column of the contract")
    return name


JsonPath = Annotated[str, Field(max_length=500), AfterValidator(_json_path)]
ColumnPaths = dict[Annotated[str, AfterValidator(_known_column)], JsonPath]


class SecretReference(RuleModel):
    """A secret by its name."""

    secret: SecretName


class WebhookRules(RuleModel):
    """A source's webhook. Paths of ``fields`` begin at a lead, those of ``event_fields`` at the whole event."""

    scheme: Scheme
    # Several while they are rotated: a message signed by any of them counts.
    secret: SecretNames = ()
    username: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^:\x00-\x1f]+$")] | None = None
    verify_token: SecretReference | None = None
    key: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    tolerance_seconds: Annotated[int, Field(ge=10, le=3600)] = 300
    client: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    event_id: JsonPath | None = None
    leads: JsonPath | None = None
    fields: ColumnPaths = Field(default_factory=dict)
    event_fields: ColumnPaths = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_its_scheme(self) -> WebhookRules:
        if self.scheme == "none":
            if self.secret:
                raise ValueError("a webhook of the scheme `none` is open to everybody and has no secret")
        elif not self.secret:
            raise ValueError(f"a webhook of the scheme `{self.scheme}` needs `secret: NAME` (AIQLEADS_SECRET__<NAME>)")
        for name, scheme in (("username", "basic"), ("verify_token", "meta"), ("key", "shared_key")):
            if getattr(self, name) is not None and self.scheme != scheme:
                raise ValueError(f"only a webhook of the scheme `{scheme}` has `{name}`")
        if self.scheme == "basic" and self.username is None:
            raise ValueError("a webhook of the scheme `basic` needs `username`")
        return self

    @property
    def key_member(self) -> str:
        """The member of the body that holds a shared key."""
        return self.key or _GOOGLE_KEY

    @property
    def event_id_path(self) -> str | None:
        """Where an event's id is; None: events are told apart by their whole body (or by a signed header)."""
        return self.event_id or _EVENT_IDS.get(self.scheme)
