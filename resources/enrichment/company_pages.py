"""Profile links that a company's own page names: its LinkedIn, X and Facebook. Behind a legal switch, off by default.

One page per company, robots.txt first, links only: nothing is read at the networks themselves.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from protego import Protego
from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from resources.enrichment import Answers, Found, KeyKind, LookupRefused, LookupUnavailable, facts
from resources.enrichment.calling import HttpProvider, guarded
from resources.http import Answer, Limits, UnknownHost

MOST_KEYS = 1
USER_AGENT = "aiqleads"
MOST_PAGE_BYTES = 1 << 20
MOST_ROBOTS_BYTES = 1 << 18
MOST_LINKS = 2000
# Errors of a site that is as it is: asking again soon won't help.
_SITES_OWN = ("not_connected", "bad_answer", "answer_too_large", "redirected")


class CompanyPages(HttpProvider):
    """Profile links by company domain. ``base_url`` holds ``{domain}``."""

    OPTIONS: frozenset[str] = frozenset()
    BASE_URL = "https://{domain}"
    key_kind = KeyKind.COMPANY_DOMAIN
    own_fields = facts.SOCIAL_FIELDS

    def lookup(self, keys: Sequence[str], *, timeout_seconds: float) -> Answers:
        """See ``EnrichmentProvider``. A site that can't be reached is one that is not known: the next one may be."""
        (key,) = keys
        deadline = time.monotonic() + timeout_seconds
        root = self._setup.base_url.replace("{domain}", key).rstrip("/")
        try:
            if not self._may_read(root, deadline):
                return Answers(withheld=frozenset(keys))
            answer = self._get(f"{root}/", deadline, MOST_PAGE_BYTES)
        except (LookupRefused, LookupUnavailable) as error:
            is_over = isinstance(error, LookupUnavailable) and error.code not in _SITES_OWN
            return Answers(later=frozenset(keys)) if is_over else Answers()
        known = _links(answer)
        return Answers({key: known} if known else {})

    def _may_read(self, root: str, deadline: float) -> bool:
        try:
            answer = self._get(f"{root}/robots.txt", deadline, MOST_ROBOTS_BYTES, takes=(404, 410, 401, 403))
        except LookupRefused as error:
            if error.code == UnknownHost.code:
                raise
            return True
        if answer.status in (401, 403):
            return False
        if answer.status != 200 or answer.content_type == "text/html":
            return True
        rules = Protego.parse(answer.body.decode("utf-8", errors="replace"))
        return bool(rules.can_fetch(f"{root}/", USER_AGENT))

    def _get(self, url: str, deadline: float, most_bytes: int, takes: tuple[int, ...] = ()) -> Answer:
        left = max(deadline - time.monotonic(), 0.001)
        limits = Limits(
            connect_seconds=min(5.0, left), read_seconds=left, total_seconds=left, max_body_bytes=most_bytes,
            max_redirects=3, max_retries=0,
        )  # fmt: skip
        headers = {"User-Agent": USER_AGENT, "Accept": "text/html,text/plain;q=0.9"}
        return guarded(self.name, lambda: self._http.call("GET", url, headers=headers, limits=limits), takes)


def _links(answer: Answer) -> Found | None:
    if answer.content_type not in ("text/html", "application/xhtml+xml"):
        return None
    try:
        page = LexborHTMLParser(answer.body)
        links = [node.attributes.get("href") for node in page.css("a[href], link[href][rel=me]")[:MOST_LINKS]]
    except SelectolaxError:
        return None
    given: dict[str, str] = {}
    for field in sorted(facts.SOCIAL_FIELDS):
        known = list(dict.fromkeys(url for link in links if (url := facts.profile_url(field, link)) is not None))
        if len(known) == 1:  # a page with several profiles of one network names others too: nobody knows whose
            given[field] = known[0]
    return facts.found(given, 0.7)
