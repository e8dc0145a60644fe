"""Enrichment by providers on the network: what each of them must be able to do.

Belongs here: the interface, and one module per provider beside this file, all held to the one conformance suite in
``aiqleads_pipeline_tests/enrich_providers``. Does not belong here: look-ups that need no network
(``aiqleads_pipeline.stages.enrich``), and the choice of provider, order, cache and budget
(``aiqleads_pipeline.enriching``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

Value = str | int | float | bool


class Kind(StrEnum):
    """What a provider tells about."""

    COMPANY = "company"
    EMAIL = "email"
    PHONE = "phone"
    SOCIAL = "social"
    GEO = "geo"
    INDUSTRY = "industry"


class KeyKind(StrEnum):
    """What a provider is asked by. All keys are text; those of ``PERSONAL`` name a person."""

    COMPANY_DOMAIN = "company_domain"
    COMPANY_NAME = "company_name"  # name|country, the country as ISO 3166-1 alpha-2 or empty
    EMAIL = "email"
    EMAIL_DOMAIN = "email_domain"
    PHONE_E164 = "phone_e164"
    PLACE = "place"  # street, postal code, city, region, country: what is known, by commas


PERSONAL = frozenset({KeyKind.EMAIL, KeyKind.PHONE_E164, KeyKind.PLACE})


@dataclass(frozen=True)
class Terms:
    """What asking costs and how much a provider takes. ``charges_unknown``: a key that it does not know costs too."""

    cost_usd_per_key: float
    keys_per_call: int
    calls_per_second: float
    charges_unknown: bool = True


@dataclass(frozen=True)
class Found:
    """What a provider knows of a key: checked values by field, how sure it is (0-1), how many values were refused."""

    facts: Mapping[str, Value]
    confidence_share: float
    refused_count: int = 0


@dataclass(frozen=True)
class Answers:
    """The answer to one look-up. A key that is nowhere in it is not known to the provider.

    ``later``: not answered yet, asking again helps. ``withheld``: it must not be used (a person objected).
    """

    found: Mapping[str, Found] = field(default_factory=dict)
    later: frozenset[str] = frozenset()
    withheld: frozenset[str] = frozenset()


class LookupUnavailable(Exception):
    """The provider can't answer now, and a retry may help: timeout, limit reached, its own error.

    ``code`` is the error's, ``pause_seconds`` what it asked for.
    """

    def __init__(self, message: str, code: str = "unavailable", pause_seconds: float | None = None) -> None:
        super().__init__(message)
        self.code, self.pause_seconds = code, pause_seconds


class LookupRefused(Exception):
    """The provider will not answer, and a retry can't help: wrong credentials, no credit left, call not allowed."""

    def __init__(self, message: str, code: str = "refused") -> None:
        super().__init__(message)
        self.code = code


@runtime_checkable
class EnrichmentProvider(Protocol):
    """Answers many keys at once.

    An implementation talks through ``resources.http`` only (DNS: to checked addresses only), so that timeouts, limits
    and egress guard hold for it too, and takes its credentials as a ``SecretStr``. What it returns went through
    ``resources.enrichment.facts``. Threads share it.
    """

    @property
    def name(self) -> str:
        """What stands in the ``_source`` columns: lower case, as in the rules."""
        ...

    @property
    def kind(self) -> Kind:
        """What it mainly tells about: its asset, its switch."""
        ...

    @property
    def key_kind(self) -> KeyKind:
        """What it is asked by."""
        ...

    @property
    def fields(self) -> frozenset[str]:
        """Columns of ``enriched_leads`` that it may fill."""
        ...

    @property
    def terms(self) -> Terms:
        """Price and limits, which the caller keeps."""
        ...

    def lookup(self, keys: Sequence[str], *, timeout_seconds: float) -> Answers:
        """Facts by key, for at most ``terms.keys_per_call`` distinct keys in one call.

        ``timeout_seconds`` bounds the whole call with its retries.

        Raises:
            LookupUnavailable: nothing was answered; asking later may help.
            LookupRefused: nothing was answered; asking again can't help.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
