"""One page: its text, its links, its leads, and what it asks of crawlers.

Belongs here: everything that is read from an answer's body. Does not belong here: asking for it (``crawl``).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from aiqleads_pipeline.doors.scraping.json_ld import json_ld_nodes
from aiqleads_pipeline.doors.scraping.markup import microdata_nodes, rdfa_nodes
from aiqleads_pipeline.doors.scraping.nodes import Room, UnreadablePage, collapsed
from aiqleads_pipeline.doors.scraping.schema_leads import Lead, address_text, each_once, leads_of
from aiqleads_pipeline.rules.scrapes import Items, Site, split_field
from resources.http import EgressRefused, Url

HTML_TYPES = ("text/html", "application/xhtml+xml")
MAX_LINKS = 5_000  # of one page
MAX_ITEMS = 5_000
_MAX_NESTING = 2_000  # the parser's time grows with the square of it
_TAG = re.compile(rb"<(/?)([A-Za-z][A-Za-z0-9]*)")
_UNNESTED = frozenset(
    b"area base br col embed hr img input link meta param source track wbr p li dt dd option optgroup tr td th thead "
    b"tbody tfoot colgroup".split()
)
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_CHARSET_PARAMETER = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
# What browsers take these names for.
_WINDOWS_1252 = ("ascii", "iso8859-1", "latin-1")


@dataclass(frozen=True)
class PageRead:
    """What a page says. ``links`` are absolute, in their order, each once."""

    leads: list[Lead]
    links: tuple[Url, ...]
    broken_count: int  # JSON-LD texts that are no JSON


def read_page(body: bytes, headers: Mapping[str, str], url: Url, site: Site) -> PageRead:
    """Read a page by its site's rules; what it forbids crawlers (``noindex``, ``nofollow``) is not taken.

    Raises:
        UnreadablePage: it is nested too deeply, or its texts lie in each other so often that there is no end of them.
    """
    if _nesting(body) > _MAX_NESTING:
        raise UnreadablePage("page_too_deep")
    tree = LexborHTMLParser(_text(body, headers.get("content-type", "")))
    base = _base(tree, url)
    forbidden = _forbidden(tree, headers)
    leads: list[Lead] = []
    room = Room()
    broken_count = 0
    if not forbidden & {"noindex", "none"}:
        if site.schema_org is not None:
            scripts = [script.text(deep=True) for script in tree.css("script[type]") if _is_json_ld(script)]
            nodes, broken_count = json_ld_nodes(scripts, str(base), room)
            for found in (nodes, microdata_nodes(tree, str(base), room), rdfa_nodes(tree, str(base), room)):
                leads += leads_of(found, site.schema_org.types)
        if site.items is not None:
            leads += _items(tree, site.items, base, room)
    links = () if forbidden & {"nofollow", "none"} else tuple(dict.fromkeys(_links(tree, site, base)))
    return PageRead(each_once(leads), links, broken_count)


def _nesting(body: bytes) -> int:
    deepest = depth = 0
    for closing, name in _TAG.findall(body):
        if name.lower() not in _UNNESTED:
            depth = max(depth - 1, 0) if closing else depth + 1
            deepest = max(deepest, depth)
    return deepest


def _text(body: bytes, content_type: str) -> str:
    named = _CHARSET_PARAMETER.search(content_type)
    in_page = _CHARSET.search(body[:2048])
    name = named[1] if named else in_page[1].decode("ascii") if in_page else "utf-8"
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if body.startswith(mark):
            return body.decode(encoding, errors="replace").lstrip("\ufeff")
    try:
        codec = codecs.lookup(name).name
        text = body.decode("cp1252" if codec in _WINDOWS_1252 else codec, errors="replace")
    except (LookupError, ValueError):
        text = body.decode("utf-8", errors="replace")
    return text.encode("utf-8", errors="replace").decode("utf-8")  # lone surrogates of odd codecs


def _base(tree: LexborHTMLParser, url: Url) -> Url:
    element = tree.css_first("base[href]")
    try:
        return url.joined(element.attributes.get("href") or "") if element is not None else url
    except EgressRefused:
        return url


def _forbidden(tree: LexborHTMLParser, headers: Mapping[str, str]) -> set[str]:
    said = [headers.get("x-robots-tag", "")]
    for element in tree.css("meta[name][content]"):
        if (element.attributes.get("name") or "").strip().lower() in ("robots", "aiqleads"):
            said.append(element.attributes.get("content") or "")
    return {word.rpartition(":")[2].strip() for text in said for word in text.lower().split(",")}


def _is_json_ld(script: LexborNode) -> bool:
    kind = script.attributes.get("type") or ""
    return kind.partition(";")[0].strip().lower() == "application/ld+json"


def _links(tree: LexborHTMLParser, site: Site, base: Url) -> Iterator[Url]:
    for selector in site.follow:
        for element in tree.css(selector)[:MAX_LINKS]:
            reference = element.attributes.get("href")
            if reference and "nofollow" not in (element.attributes.get("rel") or "").lower().split():
                try:
                    link = base.joined(reference)
                except EgressRefused:
                    continue
                if link.netloc in site.hosts:
                    yield link


def _items(tree: LexborHTMLParser, items: Items, base: Url, room: Room) -> Iterator[Lead]:
    for element in tree.css(items.each)[:MAX_ITEMS]:
        found = {column: room.take(_value(element, spec, base)) for column, spec in items.columns.items()}
        lead = {column: value for column, value in found.items() if value}
        if lead:
            yield lead


def _value(item: LexborNode, spec: str, base: Url) -> str:
    selector, attribute = split_field(spec)
    element = item.css_first(selector) if selector else item
    if element is None:
        return ""
    if attribute is None:
        return collapsed(element.text(deep=True, separator=" "))
    value = (element.attributes.get(attribute) or "").strip()
    scheme = value.partition(":")[0].lower()
    if scheme in ("mailto", "tel"):
        return address_text(value, scheme)
    if attribute in ("href", "src") and value:
        try:
            return str(base.joined(value))
        except EgressRefused:
            return ""
    return collapsed(value)
