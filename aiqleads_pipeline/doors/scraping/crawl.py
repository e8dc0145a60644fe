"""One crawl of one site: from its start pages on, politely, within its budgets.

Belongs here: what is asked next, when, and when it ends. Does not belong here: reading a page (``page``), keeping
anything (``harvest`` gives the functions that do).
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from aiqleads_pipeline.doors.scraping.nodes import UnreadablePage
from aiqleads_pipeline.doors.scraping.page import HTML_TYPES, read_page
from aiqleads_pipeline.doors.scraping.robots import Robots, fetch_robots
from aiqleads_pipeline.doors.scraping.schema_leads import Lead
from aiqleads_pipeline.rules.scrapes import Site
from resources.http import (
    Answer,
    AnswerTooLarge,
    EgressRefused,
    HttpClient,
    HttpError,
    Limits,
    RefusedStatus,
    TransientError,
    Url,
    parse_url,
)
from resources.store.scrapes import Page

log = logging.getLogger(__name__)
MAX_QUEUE = 50_000
MAX_LEADS = 100_000
MAX_REMEMBERED_CHARS = 32_000_000  # of links, over all pages
_LONGEST_STEP_SECONDS = 5.0


@dataclass(frozen=True)
class Keeper:
    """What a crawl needs of the outside."""

    find_page: Callable[[str], Page | None]
    keep_evidence: Callable[[bytes], str]
    still_ours: Callable[[], None]  # raises when the lease is lost
    now: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic  # seconds


@dataclass(frozen=True, order=True)
class _Waiting:
    """A page to ask for: start pages first, then pages never read, then those read longest ago. So a site with more
    pages than a crawl may ask for is read whole over several, and then kept fresh in turn."""

    rank: float
    number: int
    url: Url = field(compare=False)
    depth: int = field(compare=False)
    known: Page | None = field(compare=False)


@dataclass
class Crawled:
    """What a crawl brought: leads with the page they are from, pages to remember, counts, why it ended early."""

    leads: list[Lead] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    reason_code: str | None = None


class Crawl:
    """One crawl. ``run`` it once."""

    def __init__(self, site: Site, client: HttpClient, limits: Limits, keeper: Keeper) -> None:
        self._site, self._client, self._keeper = site, client, keeper
        self._limits = replace(limits, max_redirects=0, max_body_bytes=site.max_page_kb * 1024)
        self._robots: dict[str, Robots] = {}
        self._asked_at: dict[str, float] = {}
        self._queue: list[_Waiting] = []
        self._numbers = itertools.count()
        self._seen: set[str] = set()
        self._room_chars = MAX_REMEMBERED_CHARS
        self._bytes_left = site.max_total_mb << 20
        self._deadline = keeper.clock() + site.max_seconds
        self._found = Crawled()

    def run(self) -> Crawled:
        """Crawl until everything is read or a budget is spent."""
        for start in self._site.start:
            self._enqueue(parse_url(start), 0, is_start=True)
        while self._queue and self._found.reason_code is None:
            self._keeper.still_ours()
            if self._found.counts["asked"] >= self._site.max_pages:
                self._found.reason_code = "page_budget_spent"
            else:
                self._visit(heapq.heappop(self._queue))
        return self._found

    def _visit(self, waiting: _Waiting) -> None:
        url, depth, known = waiting.url, waiting.depth, waiting.known
        robots = self._robots_of(url)
        if not robots.allows(url):
            self._count("robots_unavailable" if robots.reason else "disallowed")
            return
        if not self._wait_for_turn(url, robots):
            return
        self._count("asked")
        limits = self._limits_now()
        try:
            answer = self._client.call("GET", url, headers=_asking(known), limits=limits)
        except RefusedStatus:
            self._count("gone")
            return
        except AnswerTooLarge:
            self._count("too_large")
            self._spend(limits.max_body_bytes)
            return
        except TransientError as error:
            self._note_failure(url, error)
            return
        except HttpError as error:
            log.info("%s: %s", url.redacted, error.code)
            self._count(error.code)
            return
        finally:
            self._asked_at[url.netloc] = self._keeper.clock()
        self._take(url, depth, answer, known)

    def _take(self, url: Url, depth: int, answer: Answer, known: Page | None) -> None:
        self._spend(len(answer.body))
        if answer.status == 304 and known is not None:
            self._count("unchanged")
            self._remember(replace(known, fetched_at=self._keeper.now()))
        elif 300 <= answer.status < 400:
            self._count("redirects")
            if answer.location is not None:
                self._redirect(url, answer.location, depth)
        elif answer.content_type not in HTML_TYPES:
            self._count("no_html")
        else:
            self._read(url, depth, answer, known)

    def _read(self, url: Url, depth: int, answer: Answer, known: Page | None) -> None:
        try:
            page = read_page(answer.body, answer.headers, url, self._site)
        except UnreadablePage as unreadable:
            self._count(str(unreadable))
            return
        except Exception as error:  # poison is set aside alone: the other pages go on
            log.warning("a page of %s can't be read: %s", url.netloc, type(error).__name__)
            self._count("unreadable")
            return
        content_sha256 = self._keeper.keep_evidence(answer.body)
        leads_sha256 = hashlib.sha256(json.dumps(page.leads, sort_keys=True).encode()).hexdigest()
        self._count("read")
        self._found.counts["broken_json_ld"] += page.broken_count
        if known is not None and known.leads_sha256 == leads_sha256:
            self._count("same_leads")
        else:
            origin = {"scrape_url": str(url), "scrape_evidence_sha256": content_sha256}
            self._found.leads += [{**lead, **origin} for lead in page.leads]
            self._found.counts["leads"] += len(page.leads)
            if len(self._found.leads) >= MAX_LEADS:
                self._found.reason_code = "lead_budget_spent"
        remembered = Page(
            url=str(url),
            etag=_validator(answer.headers.get("etag")),
            last_modified=_validator(answer.headers.get("last-modified")),
            content_sha256=content_sha256,
            leads_sha256=leads_sha256,
            rules_sha256=self._site.rules_sha256,
            links=tuple(str(link) for link in page.links),
            fetched_at=self._keeper.now(),
        )
        self._remember(remembered)
        for link in page.links:
            self._enqueue(link, depth + 1)

    def _remember(self, page: Page) -> None:
        """Remember a page while there is room for its links; one without is read anew by every crawl."""
        self._room_chars -= sum(map(len, page.links))
        if self._room_chars >= 0:
            self._found.pages.append(page)

    def _enqueue(self, url: Url, depth: int, is_start: bool = False) -> None:
        if url.netloc not in self._site.hosts:
            self._count("other_host")
        elif depth <= self._site.max_depth and str(url) not in self._seen and len(self._seen) < MAX_QUEUE:
            self._seen.add(str(url))
            known = self._keeper.find_page(str(url))
            if known is not None and known.rules_sha256 != self._site.rules_sha256:
                known = None  # read by other rules: it must be read again
            rank = 0.0 if is_start else 1.0 if known is None else known.fetched_at.timestamp()
            heapq.heappush(self._queue, _Waiting(rank, next(self._numbers), url, depth, known))
            for link in known.links if known else ():  # what is behind a known page is found without asking for it
                self._enqueue_text(link, depth + 1)

    def _enqueue_text(self, link: str, depth: int) -> None:
        try:
            self._enqueue(parse_url(link), depth)
        except EgressRefused:
            self._count("egress_refused")

    def _redirect(self, url: Url, location: str, depth: int) -> None:
        """A redirect is one more page to ask for, under the same rules and budgets."""
        try:
            target = url.joined(location)
        except EgressRefused:
            self._count("egress_refused")
            return
        if (url.scheme, target.scheme) == ("https", "http"):
            self._count("egress_refused")
            return
        self._enqueue(target, depth)

    def _robots_of(self, url: Url) -> Robots:
        origin = f"{url.scheme}://{url.netloc}"
        if origin not in self._robots:
            self._robots[origin] = fetch_robots(self._client, url, self._limits)
            self._asked_at[url.netloc] = self._keeper.clock()
        return self._robots[origin]

    def _wait_for_turn(self, url: Url, robots: Robots) -> bool:
        """Wait until the host may be asked again; False if the crawl's time is over before."""
        gap = max(self._site.seconds_between_requests, robots.seconds_between_requests)
        turn = self._asked_at.get(url.netloc, self._keeper.clock() - gap) + gap
        if turn >= self._deadline or self._keeper.clock() >= self._deadline:
            self._found.reason_code = "time_budget_spent"
            return False
        while (left := turn - self._keeper.clock()) > 0:
            self._keeper.still_ours()
            self._keeper.sleep(min(left, _LONGEST_STEP_SECONDS))
        return True

    def _limits_now(self) -> Limits:
        left = max(self._deadline - self._keeper.clock(), 1.0)
        body = min(self._limits.max_body_bytes, self._bytes_left)
        return replace(self._limits, max_body_bytes=body, total_seconds=min(self._limits.total_seconds, left))

    def _note_failure(self, url: Url, error: TransientError) -> None:
        log.info("%s: %s", url.redacted, error.code)
        self._count("failed")
        if error.retry_after_seconds:  # the site asks for a pause, or the breaker found it unwell
            self._found.reason_code = "site_unavailable"

    def _spend(self, received_bytes: int) -> None:
        self._bytes_left -= received_bytes
        if self._bytes_left <= 0:
            self._found.reason_code = "byte_budget_spent"

    def _count(self, what: str) -> None:
        self._found.counts[what] += 1


def _asking(known: Page | None) -> dict[str, str]:
    headers = {"Accept": "text/html,application/xhtml+xml"}
    if known is not None and known.etag:
        headers["If-None-Match"] = known.etag
    if known is not None and known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    return headers


def _validator(value: str | None) -> str | None:
    """A validator that can be sent back as it came."""
    return value if value and value.isascii() and value.isprintable() and len(value) <= 1000 else None
