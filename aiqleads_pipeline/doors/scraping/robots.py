"""robots.txt as RFC 9309 has it: what may be asked, and how far apart. Nobody can switch it off."""

from __future__ import annotations

from dataclasses import dataclass, replace

from protego import Protego

from resources.http import HttpClient, HttpError, Limits, RefusedStatus, Url, parse_url

PRODUCT = "aiqleads"
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Robots:
    """The rules of one host. ``reason`` says why nothing may be asked, where that is so."""

    parsed: Protego | None
    reason: str | None = None

    def allows(self, url: Url) -> bool:
        """Whether a page may be asked for."""
        return self.reason is None and (self.parsed is None or bool(self.parsed.can_fetch(str(url), PRODUCT)))

    @property
    def seconds_between_requests(self) -> float:
        """How far apart requests must be, as far as the host says so."""
        if self.parsed is None:
            return 0.0
        rate = self.parsed.request_rate(PRODUCT)
        by_rate = rate.seconds / rate.requests if rate is not None and rate.requests else 0.0
        return max(float(self.parsed.crawl_delay(PRODUCT) or 0.0), by_rate)


def fetch_robots(client: HttpClient, page: Url, limits: Limits) -> Robots:
    """The robots.txt of a page's host. One that is not there allows all; one that can't be had allows nothing."""
    url = parse_url(f"{page.scheme}://{page.netloc}/robots.txt")
    try:
        answer = client.call("GET", url, limits=replace(limits, max_body_bytes=_MAX_BYTES, max_redirects=5))
    except RefusedStatus as refused:
        is_absent = 400 <= refused.status < 500
        return Robots(None, None if is_absent else "robots_unavailable")
    except HttpError:
        return Robots(None, "robots_unavailable")
    return Robots(Protego.parse(answer.body.decode("utf-8", errors="replace")))
