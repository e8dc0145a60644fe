"""Crawls that were asked for, and what their pages were when last read.

Belongs here: asking once, beginning, ending together with what was seen. Does not belong here: how a site is crawled
(``aiqleads_pipeline.doors.scraping``) and what becomes of its leads (they are a drop like any other).
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from resources.store.database import statement
from resources.store.errors import StoreError

if TYPE_CHECKING:
    from resources.store.database import Store
    from resources.store.leases import Lease


class UnknownScrape(StoreError):
    """There is no such crawl."""


@dataclass(frozen=True)
class Scrape:
    """A crawl of a site. ``state``: waiting -> running -> done | failed; ``counts`` are set at its end."""

    scrape_id: uuid.UUID
    site: str
    state: str
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempts_count: int
    run_id: str | None
    counts: dict[str, Any]
    drop_uri: str | None
    reason_code: str | None


@dataclass(frozen=True)
class Page:
    """A page as it was read: validators for the next request, hashes of its content, its leads and the rules."""

    url: str
    etag: str | None
    last_modified: str | None
    content_sha256: str
    leads_sha256: str
    rules_sha256: str
    links: tuple[str, ...]
    fetched_at: datetime


@dataclass(frozen=True)
class Ended:
    """How a crawl ended: the pages whose leads are in the drop, what was counted, why it stopped early if it did."""

    pages: Sequence[Page] = ()
    counts: Mapping[str, Any] = field(default_factory=dict)
    drop_uri: str | None = None
    reason_code: str | None = None
    has_failed: bool = False


def ask(store: Store, site: str, requested_by: str, now: datetime) -> tuple[Scrape, bool]:
    """Ask for a crawl of a site; returns the open one of the site, and whether it is new."""
    scrape_id = uuid.uuid4()
    asked = {"scrape_id": scrape_id, "site": site, "requested_by": requested_by, "now": now}
    while True:
        with store.transaction("store:ask_scrape") as con:
            con.execute(statement("scrapes/ask"), asked)
            found = con.execute(statement("scrapes/read_open"), {"site": site}).first()
        if found is not None:  # else the open one ended between the two statements
            return Scrape(*found), found.scrape_id == scrape_id


def scrape(store: Store, scrape_id: uuid.UUID) -> Scrape:
    """One crawl.

    Raises:
        UnknownScrape: there is none.
    """
    with store.read() as con:
        found = con.execute(statement("scrapes/read"), {"scrape_id": scrape_id}).first()
    if found is None:
        raise UnknownScrape(f"there is no scrape {scrape_id}")
    return Scrape(*found)


def open_scrapes(store: Store) -> list[Scrape]:
    """Crawls that wait or run, the oldest first. One that runs without a live lease was killed."""
    with store.read() as con:
        return [Scrape(*row) for row in con.execute(statement("scrapes/list_open"))]


def begin(store: Store, scrape_id: uuid.UUID, run_id: str, now: datetime, lease: Lease) -> int | None:
    """Begin an open crawl (again, if its worker died); returns which attempt it is, None if it is not open."""
    with store.transaction("store:begin_scrape", lease) as con:
        begun = {"scrape_id": scrape_id, "run_id": run_id, "now": now}
        return con.execute(statement("scrapes/begin"), begun).scalar()


def finish(store: Store, scrape: Scrape, lease: Lease, now: datetime, ended: Ended) -> None:
    """End a crawl, and remember its pages, in one transaction. The drop must be durable by now."""
    row = {
        "scrape_id": scrape.scrape_id,
        "state": "failed" if ended.has_failed else "done",
        "counts": json.dumps(dict(ended.counts)),
        "drop_uri": ended.drop_uri,
        "reason_code": ended.reason_code,
        "now": now,
    }
    with store.transaction("store:finish_scrape", lease) as con:
        if ended.pages:
            con.execute(statement("scrapes/upsert_pages"), {"site": scrape.site, **_columns(ended.pages)})
        con.execute(statement("scrapes/finish"), row)


def find_page(store: Store, site: str, url: str) -> Page | None:
    """What is known of a page of a site."""
    with store.read() as con:
        key = {"site": site, "url_sha256": hashlib.sha256(url.encode()).digest()}
        found = con.execute(statement("scrapes/find_page"), key).first()
    if found is None:
        return None
    return Page(**{**found._mapping, "links": tuple(found.links)})


def _columns(pages: Sequence[Page]) -> dict[str, list[Any]]:
    unique = list({page.url: page for page in pages}.values())
    return {
        "urls": [page.url for page in unique],
        "etags": [page.etag for page in unique],
        "last_modifieds": [page.last_modified for page in unique],
        "content_hashes": [page.content_sha256 for page in unique],
        "leads_hashes": [page.leads_sha256 for page in unique],
        "rules_hashes": [page.rules_sha256 for page in unique],
        "links": [json.dumps(page.links) for page in unique],
        "fetched_ats": [page.fetched_at for page in unique],
    }
