"""Enrichment by providers on the network: what each of them must be able to do.

Belongs here: the interface, and one module per provider beside this file (``resources/enrichment/<provider>.py``), all
held to the one contract suite in ``aiqleads_pipeline_tests``. Does not belong here: look-ups that need no network
(``aiqleads_pipeline.stages.enrich``), and the choice of provider, order and budget, which is made where the
``enriched_leads`` asset is wired: it asks for the keys the local stage left open, and hands the answers to SQL as one
Arrow table. No provider ships with the project yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable


class KeyKind(StrEnum):
    """What a provider is asked by."""

    COMPANY_DOMAIN = "company_domain"
    EMAIL = "email"
    PHONE_E164 = "phone_e164"


@dataclass(frozen=True)
class Terms:
    """What asking costs and how much a provider takes."""

    cost_usd_per_key: float
    keys_per_call: int
    calls_per_second: float


class LookupUnavailable(Exception):
    """The provider can't answer now, and a retry may help: timeout, limit reached, its own error."""


class LookupRefused(Exception):
    """The provider will not answer, and a retry can't help: wrong credentials, no credit left, call not allowed."""


@runtime_checkable
class EnrichmentProvider(Protocol):
    """Answers many keys at once.

    An implementation talks through ``resources.http`` only, so that timeouts, retries, breaker and egress guard hold
    for it too, and takes its credentials as a ``SecretStr``.
    """

    @property
    def name(self) -> str:
        """What stands in the ``_source`` columns: lower case, as in the rules."""
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

    def lookup(self, keys: Sequence[str], *, timeout_seconds: float) -> Mapping[str, Mapping[str, object]]:
        """Facts by key, for at most ``terms.keys_per_call`` distinct keys in one call.

        A key that the provider does not know is absent from the answer; a known key holds only ``fields`` it has a
        value for. ``timeout_seconds`` bounds the whole call with its retries.

        Raises:
            LookupUnavailable: nothing was answered; asking later may help.
            LookupRefused: nothing was answered; asking again can't help.
        """
        ...
