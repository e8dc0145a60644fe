"""Providers by the name that the rules use for their adapter.

Belongs here: the list. A new adapter is one module beside this one and one line here; the conformance suite takes it
from ``ADAPTERS`` and fails until it has a story of its own.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from resources.enrichment import EnrichmentProvider, LookupRefused
from resources.enrichment.calling import Setup

ADAPTERS = {
    "people_data_labs": "PeopleDataLabs",
    "apollo": "Apollo",
    "open_corporates": "OpenCorporates",
    "hunter": "Hunter",
    "zerobounce": "ZeroBounce",
    "google_places": "GooglePlaces",
    "dns_mx": "DnsMx",
    "company_pages": "CompanyPages",
    "generic_rest": "GenericRest",
}


def adapter(name: str) -> Any:
    """The class of an adapter."""
    return getattr(import_module(f"resources.enrichment.{name}"), ADAPTERS[name])


def most_keys_per_call(name: str) -> int:
    """How many keys the vendor takes in one call."""
    return int(import_module(f"resources.enrichment.{name}").MOST_KEYS)


def make_provider(name: str, setup: Setup) -> EnrichmentProvider:
    """A provider.

    Raises:
        LookupRefused: it can't work as it is set up.
    """
    try:
        made: EnrichmentProvider = adapter(name)(setup)
    except (KeyError, ValueError) as error:
        raise LookupRefused(f"{setup.name} can't be set up: {type(error).__name__}", "wrong_setup") from None
    return made
