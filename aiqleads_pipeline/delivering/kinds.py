"""The registry of kinds: who builds a destination from its rule and its secrets. One line per kind.

Belongs here: finding the builder. A builder is ``build(rule, around) -> resources.destinations.Destination``; it is
imported when a destination of its kind is there, so that nobody pays for a CRM's library who has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.destinations import SentDestination
from aiqleads_pipeline.settings import secret
from resources.destinations import Destination
from resources.http import Breaker, HttpClient

BUILDERS: dict[str, str] = {
    "webhook": "aiqleads_pipeline.delivering.web:build_webhook",
    "callback": "aiqleads_pipeline.delivering.web:build_callback",
    "salesforce": "aiqleads_pipeline.delivering.crm:build_salesforce",
    "hubspot": "aiqleads_pipeline.delivering.crm:build_hubspot",
    "email": "aiqleads_pipeline.delivering.messages:build_email",
    "slack": "aiqleads_pipeline.delivering.messages:build_slack",
    "pagerduty": "aiqleads_pipeline.delivering.messages:build_pagerduty",
}


class _NoBreaker(Breaker):
    """The breaker that counts is the one in the store, which all processes share."""

    def __init__(self) -> None:
        super().__init__(threshold=1, open_seconds=0.0, now=lambda: 0.0)

    def admit(self, host: str) -> None:
        """Always."""

    def failed(self, host: str, pause_seconds: float | None = None, is_failure: bool = True) -> None:
        """Noted elsewhere."""


class NotBuilt(Exception):
    """A destination can't be used as its rule stands (a secret is missing, a file of its own is wrong): one line."""


@dataclass(frozen=True)
class Around:
    """What a builder may use. Each destination has an HTTP client of its own: no other's failures reach it."""

    outside: Outside
    client: HttpClient

    @property
    def rules_dir(self) -> Path:
        """Where the rules are."""
        return self.outside.settings.rules_dir

    def secret(self, name: str) -> SecretStr:
        """``AIQLEADS_SECRET__<NAME>``.

        Raises:
            SettingsError: it is not set.
        """
        return secret(name)


@dataclass(frozen=True)
class Built:
    """A destination with its client; ``close`` ends both."""

    rule: SentDestination
    destination: Destination
    client: HttpClient

    def close(self) -> None:
        """Close what it holds."""
        if callable(close := getattr(self.destination, "close", None)):
            close()
        self.client.close()


def build(rule: SentDestination, outside: Outside) -> Built:
    """A destination from its rule.

    Raises:
        NotBuilt: what is missing, in one line without a secret.
    """
    builder = _builder(rule.kind)
    client = HttpClient(
        allow_loopback=outside.settings.EGRESS_ALLOW_LOOPBACK, user_agent="aiqleads-delivery", breaker=_NoBreaker()
    )
    try:
        destination: Destination = builder(rule, Around(outside, client))
    except Exception as error:
        client.close()
        raise NotBuilt(f"destination {rule.name!r}: {_one_line(error)}") from error
    return Built(rule, destination, client)


def _builder(kind: str) -> Callable[[Any, Around], Destination]:
    module, _, name = BUILDERS[kind].partition(":")
    try:
        found: Callable[[Any, Around], Destination] = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        raise NotBuilt(f"nothing sends to destinations of kind {kind!r} in this release") from None
    return found


def _one_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
