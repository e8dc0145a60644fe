"""`POST /v1/scrapes`: ask for a crawl of a site of `scrapes.yaml` now; `GET` says how far it is.

Belongs here: the two routes, for operators only. The crawl itself is a Dagster run that a sensor starts.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from aiqleads_pipeline.doors.access import ADMISSION
from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.reasons import describe
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.scrapes import load_scrapes
from resources.store import scrapes

router = APIRouter(tags=["scraping"])


class ScrapeRequest(BaseModel):
    """What to crawl."""

    model_config = ConfigDict(extra="forbid", strict=True)

    site: Annotated[str, Field(min_length=1, max_length=63, description="A site of scrapes.yaml")]


class ScrapeState(BaseModel):
    """A crawl that was asked for: waiting, running, done or failed; ``counts`` when it ended."""

    scrape_id: uuid.UUID
    site: str
    status: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    counts: dict[str, int]
    reason_code: str | None
    links: dict[str, str]


@router.post("/v1/scrapes", status_code=202, summary="Crawl a site now")
async def ask_for_scrape(body: ScrapeRequest, request: Request) -> ScrapeState:
    """202 with the crawl; the one that waits or runs already where there is one for the site."""
    doors = request.app.state.doors
    caller = request.scope[ADMISSION].caller
    return _state(await doors.workers.run(_ask, doors.outside, body.site, f"client:{caller.client}"))


@router.get("/v1/scrapes/{scrape_id}", summary="How far a crawl is")
async def show_scrape(scrape_id: str, request: Request) -> ScrapeState:
    """The crawl as it stands."""
    doors = request.app.state.doors
    try:
        wanted = uuid.UUID(scrape_id)
    except ValueError:
        raise Problem(404, "not_found") from None
    return _state(await doors.workers.run(_find, doors.outside, wanted))


def _ask(outside: Outside, site: str, requested_by: str) -> scrapes.Scrape:
    """In a thread: the open crawl of the site."""
    try:
        rules = load_scrapes(outside.settings.rules_dir)
    except RulesError:
        raise Problem(409, "scraping_disabled", detail="scrapes.yaml has faults.") from None
    if site not in rules.sites:
        fault = {"pointer": "/site", "code": "unknown_site", "message": describe("unknown_site")}
        raise Problem(400, "invalid_request", errors=[fault])
    if not any(each.name == site for each in rules.enabled_sites):
        raise Problem(409, "scraping_disabled")
    return scrapes.ask(outside.store, site, requested_by, outside.settings.now())[0]


def _find(outside: Outside, scrape_id: uuid.UUID) -> scrapes.Scrape:
    """In a thread."""
    try:
        return scrapes.scrape(outside.store, scrape_id)
    except scrapes.UnknownScrape:
        raise Problem(404, "not_found") from None


def _state(scrape: scrapes.Scrape) -> ScrapeState:
    counts: dict[str, Any] = scrape.counts
    return ScrapeState(
        scrape_id=scrape.scrape_id,
        site=scrape.site,
        status=scrape.state,
        requested_at=scrape.requested_at,
        started_at=scrape.started_at,
        finished_at=scrape.finished_at,
        counts={name: count for name, count in counts.items() if isinstance(count, int)},
        reason_code=scrape.reason_code,
        links={"self": f"/v1/scrapes/{scrape.scrape_id}"},
    )
