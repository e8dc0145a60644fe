"""Scraping: ``scrapes.yaml``.

Belongs here: which sites may be read, from where on, how fast, and what of them is a lead. Does not belong here: how a
site is crawled (``doors.scraping``). Without the file, or with ``enabled: false``, nothing is scraped.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES
from aiqleads_pipeline.rules.loading import RuleFile, RuleModel, RulesError, load_rules

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
_FIELD = re.compile(r"(?P<selector>.*?)(?:@(?P<attribute>[A-Za-z][A-Za-z0-9-]*))?", re.DOTALL)
_HOST = re.compile(r"[a-z0-9.-]+(:[0-9]+)?|\[[0-9a-f:]+\](:[0-9]+)?")


def _selector(text: str) -> str:
    try:
        LexborHTMLParser("<p></p>").css(text)
    except SelectolaxError:
        raise ValueError(f"{text!r} is no CSS selector") from None
    return text


def split_field(text: str) -> tuple[str, str | None]:
    """``selector@attribute`` as its two parts; without ``@`` the text counts. An empty selector is the item itself."""
    found = _FIELD.fullmatch(text)
    assert found is not None  # noqa: S101 - every text matches
    return found["selector"].strip(), found["attribute"]


def _field(text: str) -> str:
    selector, attribute = split_field(text)
    if not selector and attribute is None:
        raise ValueError("name a CSS selector, `selector@attribute` or `@attribute`")
    if selector:
        _selector(selector)
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(f"{text!r} is no host: lower case, with a port where it is not the usual one")
    return text


Selector = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_selector)]
FieldSelector = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_field)]
Host = Annotated[str, Field(max_length=260), AfterValidator(_host)]


class SchemaOrg(RuleModel):
    """Leads are what the page itself says in schema.org terms (JSON-LD, Microdata, RDFa)."""

    types: Annotated[tuple[str, ...], Field(min_length=1, max_length=200)] = (
        "Person", "Organization", "Corporation", "LocalBusiness", "ProfessionalService",
    )  # fmt: skip


class Items(RuleModel):
    """Leads are what CSS selectors find: ``each`` finds a lead's element, ``columns`` its values beneath it."""

    each: Selector
    columns: Annotated[dict[str, FieldSelector], Field(min_length=1)]


class Site(RuleModel):
    """One site. ``hosts`` are all that is ever asked; ``source`` is the site's name unless told otherwise."""

    name: str = ""
    source: Name | None = None
    enabled: bool = True
    hosts: Annotated[tuple[Host, ...], Field(min_length=1, max_length=50)]
    start: Annotated[tuple[str, ...], Field(min_length=1, max_length=100)]
    follow: Annotated[tuple[Selector, ...], Field(max_length=50)] = ()
    schema_org: SchemaOrg | None = None
    items: Items | None = None
    seconds_between_requests: Annotated[float, Field(ge=0, le=3600)] = 2.0
    max_pages: Annotated[int, Field(ge=1, le=10_000)] = 100
    max_depth: Annotated[int, Field(ge=0, le=100)] = 5
    max_page_kb: Annotated[int, Field(ge=1, le=65_536)] = 2048
    max_total_mb: Annotated[int, Field(ge=1, le=10_240)] = 50
    max_seconds: Annotated[int, Field(ge=1, le=86_400)] = 900

    @model_validator(mode="after")
    def _says_what_a_lead_is(self) -> Site:
        if self.schema_org is None and self.items is None:
            raise ValueError("say what a lead is: `schema_org` or `items`, or both")
        return self

    @property
    def lead_source(self) -> str:
        """The source of its leads."""
        return self.source or self.name

    @property
    def rules_sha256(self) -> str:
        """Tells one way of reading pages from another: pages are read again when it changes."""
        said = self.model_dump_json(include={"follow", "schema_org", "items"})
        return hashlib.sha256(said.encode()).hexdigest()


class _ScrapesFile(RuleModel):
    enabled: bool = False
    contact: Annotated[str, Field(max_length=200, pattern=r"^[\x20-\x7e]*$")] = ""
    sites: dict[str, Site] = Field(default_factory=dict)


@dataclass(frozen=True)
class ScrapeRules:
    """All sites by name. ``contact`` is told to the sites: a URL or an address where somebody answers."""

    is_enabled: bool
    contact: str
    sites: dict[str, Site]

    @property
    def enabled_sites(self) -> tuple[Site, ...]:
        """The sites that may be crawled now."""
        return tuple(site for site in self.sites.values() if self.is_enabled and site.enabled)


def load_scrapes(rules_dir: Path) -> ScrapeRules:
    """Read and check ``scrapes.yaml``.

    Raises:
        RulesError: one ``scrapes.yaml:line: what`` per fault.
    """
    path = rules_dir / "scrapes.yaml"
    if not path.exists():
        return ScrapeRules(False, "", {})
    content, file = load_rules(path, _ScrapesFile)
    faults = [fault for name, site in content.sites.items() for fault in _faults(name, site, file)]
    if content.enabled and not content.contact:
        faults.append(file.fault("name a `contact` that the sites can turn to", "enabled"))
    if faults:
        raise RulesError("\n".join(faults))
    sites = {name: site.model_copy(update={"name": name}) for name, site in content.sites.items()}
    return ScrapeRules(content.enabled, content.contact, sites)


def _faults(name: str, site: Site, file: RuleFile) -> list[str]:
    where = ("sites", name)
    faults = []
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", name):
        faults.append(file.fault(f"{name!r} can't be a source: lower-case letters, digits, _ and - only", *where))
    if site.name:
        faults.append(file.fault("the site's name is its key: remove `name`", *where, "name"))
    for i, url in enumerate(site.start):
        faults += [file.fault(what, *where, "start", i) for what in _url_faults(url, site.hosts)]
    for column in site.items.columns if site.items else ():
        if column not in LEAD_COLUMN_NAMES:
            faults.append(file.fault(f"{column!r} is no column of the contract", *where, "items", "columns", column))
    return faults


def _url_faults(url: str, hosts: tuple[str, ...]) -> list[str]:
    try:
        parts = urlsplit(url)
        usual = {"http": 80, "https": 443}.get(parts.scheme)
        port = parts.port
    except ValueError:
        return [f"{url!r} is no URL"]
    if usual is None or not parts.hostname or "@" in parts.netloc:
        return [f"{url!r} is no http or https URL without credentials"]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    asked = host if port in (None, usual) else f"{host}:{port}"
    return [] if asked in hosts else [f"the host {asked!r} is not among this site's `hosts`"]
