"""Company sites with links to social profiles, by path (``/acme.com/``) or by Host header. Some hold traps: links for
sharing, other people's profiles, markup that would run where it is shown.
"""

from __future__ import annotations

import html
import json
from typing import Any

from aiqleads_pipeline.sandbox.doubles.companies import CompanyDouble
from aiqleads_pipeline.sandbox.exchange import Reply, Request, in_text, route

_LOCAL = ("127.0.0.1", "localhost")


class Sites(CompanyDouble):
    """The web. Names that begin with ``none-`` have no profiles, with ``hostile-`` they hold what must stay inert."""

    name = "sites"
    title = "Company sites"

    @route("GET", "/robots.txt")
    def robots(self, request: Request) -> Reply:
        """All but one folder."""
        return in_text("User-agent: *\nDisallow: /private/\n")

    @route("GET", "/")
    @route("GET", "/about")
    def own_host(self, request: Request) -> Reply:
        """The site of the Host header."""
        host = request.headers.get("host", "").partition(":")[0].lower()
        return in_text("no such site", 404) if host in _LOCAL else self.site(request, host)

    @route("GET", r"/(?P<domain>[^/]+\.[^/]+)(?:/about)?/?")
    def site(self, request: Request, domain: str) -> Reply:
        """A front page."""
        if domain == "robots.txt":
            return self.robots(request)
        facts = self.company(domain.removeprefix("none-").removeprefix("hostile-"))
        if facts is None:
            return in_text("no such site", 404)
        facts = {**facts, "domain": domain}
        return in_text(_page(facts), kind="text/html", effects=1)


def _page(facts: dict[str, Any]) -> str:
    profiles = [] if facts["domain"].startswith("none-") else [
        f"https://www.{facts['linkedin']}/", f"https://x.com/{facts['slug']}", f"https://www.{facts['facebook']}",
        f"https://www.youtube.com/@{facts['slug']}", f"https://github.com/{facts['slug']}",
    ]  # fmt: skip
    data = {"@context": "https://schema.org", "@type": "Organization", "name": facts["name"], "sameAs": profiles[:2]}
    links = "".join(
        f'<a rel="me" href="{html.escape(url)}?utm_source=footer">{html.escape(url)}</a>' for url in profiles
    )
    traps = (
        '<a href="https://www.linkedin.com/shareArticle?mini=true&url=https://example.com">Share</a>'
        '<a href="https://twitter.com/intent/tweet?text=hi">Tweet</a>'
        '<a href="https://www.facebook.com/sharer/sharer.php?u=x">Share</a>'
    )
    if facts["domain"].startswith("hostile-"):
        traps += (
            '<a href="javascript:alert(1)//linkedin.com/company/x">in</a><a href="https://linkedin.com.evil.example/x">in</a>'
            '<a href="https://www.linkedin.com/company/\'%20OR%201=1">in</a><a href="https://x.com/'
            + "a" * 5000
            + '">x</a>'
        )
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>{html.escape(facts["name"])}</title>'
        f'<script type="application/ld+json">{json.dumps(data)}</script></head>'
        f"<body><h1>{html.escape(facts['name'])}</h1><p>{html.escape(facts['city'])}</p>"
        f"<footer>{links}{traps}</footer></body></html>"
    )
