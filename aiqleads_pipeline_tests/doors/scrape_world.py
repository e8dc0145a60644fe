"""A web of loopback sites and an installation that crawls them: what the tests of crawls share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiqleads_pipeline.doors.scraping.harvest import ask_all, with_time, work_off
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline_tests.doors.http_world import Asked, Site, reply
from resources.store import drops, scrapes

HTML = "text/html; charset=utf-8"


@dataclass
class Web:
    """What a site says by path: a page (answered with its ETag), or a whole answer. ``/robots.txt`` is a page too."""

    pages: dict[str, str | bytes | Callable[[Asked], bytes]] = field(default_factory=dict)

    def answer(self, asked: Asked) -> bytes:
        page = self.pages.get(asked.target, reply(404))
        if callable(page):
            return page(asked)
        if isinstance(page, bytes):
            return page
        etag = f'"{hashlib.sha256(page.encode()).hexdigest()[:8]}"'
        if asked.headers.get("if-none-match") == etag:
            return reply(304, ETag=etag)
        return reply(200, page, Content_Type=HTML, ETag=etag, Last_Modified="Mon, 23 Nov 2026 10:00:00 GMT")


@dataclass
class Scraper:
    """An installation whose pace follows a clock of its own."""

    outside: Outside
    rules: Path
    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)

    def allow(self, site: Site, more: str = "", start: str = "/", what: str = "schema_org: {}") -> None:
        host = f"127.0.0.1:{site.port}"
        (self.rules / "scrapes.yaml").write_text(
            f"""
enabled: true
contact: https://example.com/crawler
sites:
  members:
    hosts: ["{host}"]
    start: ["http://{host}{start}"]
    follow: [a]
    {what}
    {more}
""",
            encoding="utf-8",
        )

    def sleep(self, seconds: float) -> None:
        self.waits.append(round(seconds, 3))
        self.seconds += seconds

    def crawl(self) -> scrapes.Scrape:
        """Ask for all sites and work it off; the one scrape as it ended."""
        ask_all(self.outside, "test")
        (ended,) = self.work_off()
        return ended

    def work_off(self) -> list[scrapes.Scrape]:
        return work_off(self.outside, "run", with_time(self.sleep, lambda: self.seconds))

    def leads(self, scrape: scrapes.Scrape) -> list[dict[str, str]]:
        if scrape.drop_uri is None:
            return []
        return [json.loads(line) for line in Path(scrape.drop_uri).read_text(encoding="utf-8").splitlines()]

    def batches(self) -> list[drops.Batch]:
        place = self.outside
        drops.discover(place.bucket, place.store, place.settings.now(), 0, {}, channel="scrape")
        return drops.open_batches(place.store, channel="scrape")


def targets(site: Site) -> list[str]:
    return [asked.target for asked in site.asked]
