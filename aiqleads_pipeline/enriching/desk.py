"""The providers that may be asked now, set up from rules and secrets, with the store that all processes share.

Belongs here: making and closing them. Does not belong here: asking (``asking``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aiqleads_pipeline.rules.enrichment import ADAPTERS, EnrichmentRules, Provider
from aiqleads_pipeline.settings import Settings, SettingsError, secret
from resources.enrichment import EnrichmentProvider, Kind, LookupRefused, Terms
from resources.enrichment.calling import Setup
from resources.enrichment.making import make_provider, most_keys_per_call
from resources.store.database import Store
from resources.store.leases import holder_name
from resources.store.provider_permits import Breaking, Caps


@dataclass
class Desk:
    """Providers by name, and what keeps them in bounds. ``refused``: those that can't be set up, and why."""

    rules: EnrichmentRules
    settings: Settings
    store: Store
    providers: Mapping[str, EnrichmentProvider]
    refused: Mapping[str, str]
    holder: str = field(default_factory=lambda: holder_name("enrichment"))

    def now(self) -> datetime:
        """The clock of the edges."""
        return self.settings.now()

    def caps(self, name: str) -> Caps:
        """The money a provider may cost."""
        provider, content = self.rules.content.providers[name], self.rules.content
        return Caps(provider.usd_per_day, provider.usd_per_month, content.usd_per_day, content.usd_per_month)

    def breaking(self, name: str) -> Breaking:
        """When a provider is left alone."""
        return Breaking(**self.rules.content.providers[name].breaker.model_dump())

    def close(self) -> None:
        """Close all connections."""
        for provider in self.providers.values():
            provider.close()


def open_desk(rules: EnrichmentRules, settings: Settings, store: Store) -> Desk:
    """Set the enabled providers up; one that can't be (no secret) is noted and left out."""
    made: dict[str, EnrichmentProvider] = {}
    refused: dict[str, str] = {}
    for name, each in rules.enabled_providers.items():
        try:
            made[name] = make_provider(each.adapter, _setup(name, each, settings))
        except (LookupRefused, SettingsError) as error:
            refused[name] = str(error)
    return Desk(rules, settings, store, made, refused)


def _setup(name: str, provider: Provider, settings: Settings) -> Setup:
    return Setup(
        name=name,
        kind=Kind(provider.kind),
        base_url=provider.base_url or ADAPTERS[provider.adapter],
        terms=Terms(
            provider.cost_usd_per_key,
            min(provider.keys_per_call, _most_keys(provider), settings.pipeline.MAX_BATCH_SIZE),
            provider.calls_per_second,
            provider.charges_unknown,
        ),
        secret=secret(provider.secret) if provider.secret else None,
        options=provider.options,
        allow_loopback=settings.EGRESS_ALLOW_LOOPBACK,
    )


def _most_keys(provider: Provider) -> int:
    """A REST provider takes several keys only if its answers say which row is whose."""
    several = provider.adapter != "generic_rest" or "rows" in provider.options
    return most_keys_per_call(provider.adapter) if several else 1
