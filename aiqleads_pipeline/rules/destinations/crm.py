"""CRMs as destinations. How we log in and which fact fills which field is in ``crm/<destination>.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from aiqleads_pipeline.rules.destinations.base import SentDestination


class SalesforceDestination(SentDestination):
    """Salesforce; ``mapping`` is a file of the folder ``crm`` of the rules (default: ``<name>.yaml``)."""

    kind: Literal["salesforce"]
    chunk_size: Annotated[int, Field(ge=1, le=10_000)] = 200
    concurrency: Annotated[int, Field(ge=1, le=25)] = 2
    mapping: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}\.yaml$")] | None = None


class HubSpotDestination(SentDestination):
    """HubSpot; ``mapping`` is a file of the folder ``crm`` of the rules (default: ``<name>.yaml``)."""

    kind: Literal["hubspot"]
    chunk_size: Annotated[int, Field(ge=1, le=100)] = 100
    concurrency: Annotated[int, Field(ge=1, le=10)] = 2
    mapping: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}\.yaml$")] | None = None
