"""Ways to reach a person as destinations: e-mail, Slack-compatible webhooks, PagerDuty-compatible events.

Belongs here: their keys in ``destinations.yaml``. What they say is made in ``resources.notify`` and its templates.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from aiqleads_pipeline.rules.destinations.base import SentDestination, WebUrl
from aiqleads_pipeline.rules.secret_names import SecretName

Mailbox = Annotated[str, Field(max_length=320, pattern=r"^[^\s@<>\x00-\x1f]+@[^\s@<>\x00-\x1f]+$")]


class EmailDestination(SentDestination):
    """Mail by SMTP. Leads go to their owners as each wants it (``notify`` in ``teams.yaml``), or to ``to`` where it is
    given; notices to the owners they name, or to ``to``. ``mode: digest`` makes digests of owners' instant mail too."""

    kind: Literal["email"]
    chunk_size: Annotated[int, Field(ge=1, le=1000)] = 100
    concurrency: Annotated[int, Field(ge=1, le=16)] = 2
    host: Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9._:-]+$")]
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: Annotated[str, Field(max_length=320, pattern=r"^[\x21-\x7e]+$")] | None = None
    secret: SecretName | None = None
    sender: Mailbox
    sender_name: Annotated[str, Field(max_length=100)] = "AIQLeads"
    templates: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")] | None = None  # a folder
    to: Annotated[tuple[Mailbox, ...], Field(max_length=50)] = ()
    mode: Literal["instant", "digest"] = "instant"

    @model_validator(mode="after")
    def _logs_in_with_both(self) -> EmailDestination:
        if (self.username is None) != (self.secret is None):
            raise ValueError("to log in, name both `username` and `secret`")
        return self


class SlackDestination(SentDestination):
    """A Slack-compatible incoming webhook. Its URL is a credential, so that it is a secret."""

    gets_leads: ClassVar[bool] = False

    kind: Literal["slack"]
    retries: str = "urgent"
    concurrency: Annotated[int, Field(ge=1, le=16)] = 1
    rate_per_second: Annotated[float, Field(gt=0, le=100)] | None = 1.0
    secret: SecretName


class PagerDutyDestination(SentDestination):
    """A PagerDuty-compatible events API (v2). ``secret`` names the routing key."""

    gets_leads: ClassVar[bool] = False

    kind: Literal["pagerduty"]
    retries: str = "urgent"
    concurrency: Annotated[int, Field(ge=1, le=1)] = 1  # events of an incident must come in their order
    url: WebUrl = "https://events.pagerduty.com/v2/enqueue"
    secret: SecretName
