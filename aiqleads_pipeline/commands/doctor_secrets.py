"""Whether the secrets that the rules name are there: one finding of ``aiqleads doctor``.

Belongs here: looking at what is switched on - destinations, CRMs, the dead man's watch, webhooks of sources. Does not
belong here: providers of enrichment; they are looked at with their own rules. Values are never told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel

from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.doors.webhook_signatures import secrets_of
from aiqleads_pipeline.rules.alerts import load_alerts
from aiqleads_pipeline.rules.book import RuleBook
from aiqleads_pipeline.rules.crm import load_crm
from aiqleads_pipeline.rules.destinations import HubSpotDestination, SalesforceDestination
from aiqleads_pipeline.rules.secret_names import secrets_named_in
from aiqleads_pipeline.rules.webhooks import WebhookRules
from aiqleads_pipeline.settings import SettingsError, secret


def lacking_secrets(rules: RuleBook, rules_dir: Path) -> list[str]:
    """One line per thing that is switched on and can't work for want of its secrets.

    Raises:
        RulesError: the rules have faults.
    """
    lacking = []
    for destination in rules.destinations.sent.values():
        named = [destination, *_mapping_of(destination, rules_dir)]
        lacking += _line(f"destination {destination.name}", _unset(named))
    lacking += _line("dead_man of alerts.yaml", _unset([load_alerts(rules_dir).content.dead_man]))
    for source in rules.sources.listed.values():
        if source.webhook is not None and not is_not_set_up(source.webhook):
            lacking += _line(f"webhook of source {source.name}", _lacking_of(source.webhook))
    return lacking


def webhooks_not_set_up(rules: RuleBook) -> list[str]:
    """The sources whose webhook has none of its secrets: nobody uses it, and whoever calls is told to wait."""
    return [name for name, each in rules.sources.listed.items() if each.webhook and is_not_set_up(each.webhook)]


def is_not_set_up(webhook: WebhookRules) -> bool:
    """Whether a webhook names secrets and has none of them."""
    named = set(secrets_named_in(webhook))
    return bool(named) and _unset([webhook]) == named


def _mapping_of(destination: BaseModel, rules_dir: Path) -> Iterator[BaseModel]:
    if isinstance(destination, SalesforceDestination | HubSpotDestination):
        yield load_crm(rules_dir, destination.mapping or f"{destination.name}.yaml", destination.kind)


def _lacking_of(webhook: WebhookRules) -> set[str]:
    """Of several secrets one is enough; it must be of its scheme's form."""
    lacking = _unset([webhook.verify_token]) if webhook.verify_token else set()
    try:
        secrets_of(webhook)
    except Problem:
        lacking |= set(webhook.secret)
    return lacking


def _unset(named: Iterable[BaseModel]) -> set[str]:
    return {name for rule in named for name in secrets_named_in(rule) if not _is_set(name)}


def _is_set(name: str) -> bool:
    try:
        secret(name)
    except SettingsError:
        return False
    return True


def _line(subject: str, names: set[str]) -> list[str]:
    variables = ", ".join(f"AIQLEADS_SECRET__{name.upper()}" for name in sorted(names))
    return [f"{subject}: {variables} not set, or not of the form that it needs"] if names else []
