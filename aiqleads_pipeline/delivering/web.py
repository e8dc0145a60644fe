"""Builders of webhooks and callbacks."""

from __future__ import annotations

from aiqleads_pipeline.delivering.kinds import Around
from aiqleads_pipeline.rules.destinations import CallbackDestination as CallbackRule
from aiqleads_pipeline.rules.destinations import WebhookDestination as WebhookRule
from aiqleads_pipeline.settings import SettingsError
from resources.destinations import Destination
from resources.destinations.callback import CallbackDestination, auth_headers
from resources.destinations.signatures import Signer
from resources.destinations.webhook import WebhookDestination


def build_webhook(rule: WebhookRule, around: Around) -> Destination:
    """A webhook that signs with those of its secrets that are set: while they are rotated one may be gone already.

    Raises:
        SettingsError: none is set.
        UnusableSecret: one is none of Standard Webhooks.
    """
    secrets, missing = [], []
    for name in rule.secret:
        try:
            secrets.append(around.secret(name))
        except SettingsError as error:
            missing.append(error)
    if not secrets:
        raise missing[0]
    settings = around.outside.settings
    public = settings.PUBLIC_URL.rstrip("/")
    return WebhookDestination(
        rule.name,
        rule.url,
        Signer(secrets),
        around.client,
        headers=rule.headers,
        lead_url=lambda lead_id: f"{public}/v1/leads/{lead_id}" if public else None,
    )


def build_callback(rule: CallbackRule, around: Around) -> Destination:
    """A callback.

    Raises:
        SettingsError: its secret is not set.
    """
    secret = None if rule.secret is None else around.secret(rule.secret)
    return CallbackDestination(
        rule.name,
        rule.url,
        around.client,
        method=rule.method,
        auth=auth_headers(rule.auth, secret, rule.auth_header),
        headers=rule.headers,
        external_id=rule.external_id,
    )
