"""Pages: three syntaxes give the same lead, selectors find theirs, and no page can hurt the reader."""

from __future__ import annotations

import itertools

import pytest

from aiqleads_pipeline.doors.scraping.nodes import UnreadablePage
from aiqleads_pipeline.doors.scraping.page import read_page
from aiqleads_pipeline.rules.scrapes import Items, SchemaOrg, Site
from aiqleads_pipeline_tests.doors.scrape_pages import BASE, DINER, JANE, JSON_LD, MICRODATA, RDFA
from resources.http import parse_url

SCHEMA = Site(hosts=("directory.example.com",), start=(BASE,), schema_org=SchemaOrg(), follow=("a",))


def read(html: str | bytes, site: Site = SCHEMA, **headers: str):
    body = html.encode() if isinstance(html, str) else html
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_page(body, {"content-type": "text/html; charset=utf-8", **named}, parse_url(BASE), site)


@pytest.mark.parametrize("syntax", [JSON_LD, MICRODATA, RDFA], ids=["json-ld", "microdata", "rdfa"])
def test_each_syntax_gives_the_same_leads(syntax):
    assert read(f"<html><body>{syntax}</body></html>").leads == [JANE, DINER]


@pytest.mark.parametrize("pages", list(itertools.permutations([JSON_LD, MICRODATA, RDFA], 2)))
def test_a_page_that_says_it_twice_has_each_lead_once(pages):
    assert read("".join(pages)).leads == [JANE, DINER]


def test_people_found_in_a_company_get_it():
    page = """<script type="application/ld+json">{"@context": {"@vocab": "http://schema.org/"}, "@type": "Corporation",
    "name": "Deep Co", "url": "https://deep-co.com", "employee": [
    {"@type": "Person", "name": "Al", "email": "al@deep-co.com"},
    {"@type": "Person", "name": "Bo"}]}</script>"""
    assert read(page).leads == [
        {"email": "al@deep-co.com", "full_name": "Al", "company_name": "Deep Co", "website": "https://deep-co.com"}
    ]


def test_a_company_whose_people_can_not_be_reached_is_the_lead():
    page = """<script type="application/ld+json">{"@context": "https://schema.org", "@type": "Person", "name": "Al",
    "worksFor": {"@type": "Organization", "name": "Deep Co", "telephone": 4155550100}}</script>"""
    assert read(page).leads == [{"phone": "4155550100", "company_name": "Deep Co"}]


def test_only_the_types_that_the_rules_name_are_leads():
    site = SCHEMA.model_copy(update={"schema_org": SchemaOrg(types=("Restaurant",))})
    for syntax in (JSON_LD, MICRODATA, RDFA):
        assert read(syntax, site).leads == [DINER]


@pytest.mark.parametrize(
    "context", ['"https://example.org/vocab"', '{"name": "http://xmlns.com/foaf/0.1/name"}', "null", "5"]
)
def test_another_vocabulary_says_nothing(context):
    page = (
        f'<script type="application/ld+json">{{"@context": {context}, "@type": "Person", "email": "a@b.com"}}</script>'
    )
    assert read(page).leads == []
    assert read('<p vocab="http://xmlns.com/foaf/0.1/" typeof="Person"><i property="email">a@b.com</i></p>').leads == []
    assert read('<p itemscope itemtype="http://x.org/Person"><i itemprop="email">a@b.com</i></p>').leads == []


@pytest.mark.parametrize(
    "text",
    ["{", "[NaN]", '{"@context": "https://schema.org", "@type": "Person", "email": NaN}', "[" * 100_000, "",
     '{"a":' * 50_000],
)  # fmt: skip
def test_broken_json_ld_is_counted_and_the_rest_is_read(text):
    found = read(f'<script type="application/ld+json">{text}</script>{JSON_LD}')
    assert (found.leads, found.broken_count) == ([JANE, DINER], 1)


@pytest.mark.parametrize(
    "text",
    ["null", "5", '"x"', "[]", "{}", '{"@context": "https://schema.org", "@graph": 5}',
     '{"@context": "https://schema.org", "@type": 5, "@id": [1], "email": {"@value": {"a": 1}}}',
     '{"@context": "https://schema.org", "@type": "Person", "@id": "http://[", "email": null, "name": [[["x"]]]}',
     '{"@context": "https://schema.org", "@type": "Person", "@id": "#a", "worksFor": {"@id": "#a"}}',
     '{"@context": "https://schema.org", "@type": "Person", "x": ' + '{"@list": [' * 300 + "1" + "]}" * 300 + "}"],
)  # fmt: skip
def test_odd_json_ld_says_nothing(text):
    assert read(f'<script type="application/ld+json">{text}</script>').leads == []


def test_references_in_circles_end():
    page = """<div itemscope itemtype="https://schema.org/Person" id="a" itemref="a b">
    <i itemprop="email">a@b-co.com</i></div>
    <div id="b" itemscope itemprop="worksFor" itemtype="https://schema.org/Organization" itemref="a b"></div>"""
    assert [lead["email"] for lead in read(page).leads] == ["a@b-co.com"]
    page = """<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [
    {"@type": "Person", "@id": "#a", "email": "a@b-co.com", "knows": {"@id": "#b"}},
    {"@type": "Person", "@id": "#b", "email": "b@b-co.com", "knows": {"@id": "#a"}}]}</script>"""
    assert [lead["email"] for lead in read(page).leads] == ["a@b-co.com", "b@b-co.com"]


SELECTED = Site(
    hosts=("directory.example.com",),
    start=(BASE,),
    follow=("nav a",),
    items=Items(
        each=".card",
        columns={
            "full_name": "h3", "email": "a.mail@href", "phone": 'a[href^="tel:"]@href', "street": "address",
            "external_id": "@data-id", "website": ".site@href", "message": ".none",
        },
    ),
)  # fmt: skip
CARDS = """<nav><a href="?page=2">next</a> <a href="/team#x">here</a> <a href="https://other.com/">out</a>
<a href="mailto:x@y.com">m</a> <a rel="nofollow ugc" href="/ads">ad</a> <a>no</a> <a href="http://[">broken</a></nav>
<div class=card data-id=" 7 "><h3>Jane <b>Doe</b></h3>
<a class=mail href="mailto:jane%2Bx@acme-tools.com?subject=a">m</a>
<a href="tel:+1-415-555-0100">t</a><address>1 Main St<br>Springfield</address><a class=site href="/jane">w</a></div>
<div class=card></div>"""


def test_selectors_find_leads_and_links():
    found = read(CARDS, SELECTED)
    assert found.leads == [
        {
            "full_name": "Jane Doe", "email": "jane+x@acme-tools.com", "phone": "+1-415-555-0100",
            "street": "1 Main St Springfield", "external_id": "7", "website": "https://directory.example.com/jane",
        }
    ]  # fmt: skip
    assert [str(link) for link in found.links] == [f"{BASE}?page=2", BASE]


def test_links_are_meant_from_the_pages_base():
    page = f'<base href="https://directory.example.com/x/">{CARDS}'
    assert str(read(page, SELECTED).links[0]) == "https://directory.example.com/x/?page=2"
    assert read(f'<base href="https://evil.com/">{CARDS}', SELECTED).links[1:] == ()


@pytest.mark.parametrize(
    ("said", "leads", "links"),
    [("noindex", 0, 2), ("nofollow", 1, 0), ("none", 0, 0), ("index, follow", 1, 2), ("NOINDEX,nofollow", 0, 0)],
)
def test_what_a_page_forbids_is_not_taken(said, leads, links):
    by_meta = read(f'<meta name="Robots" content="{said}">{CARDS}', SELECTED)
    by_name = read(f'<meta name="aiqleads" content="{said}">{CARDS}', SELECTED)
    by_header = read(CARDS, SELECTED, x_robots_tag=said)
    for found in (by_meta, by_name, by_header):
        assert (len(found.leads), len(found.links)) == (leads, links)
    assert len(read(f'<meta name="otherbot" content="{said}">{CARDS}', SELECTED).leads) == 1


@pytest.mark.parametrize(
    ("encoding", "content_type", "prefix"),
    [("utf-8", "text/html", ""), ("cp1252", "text/html; charset=ISO-8859-1", ""), ("utf-16", "text/html", ""),
     ("cp1252", "text/html", '<meta charset="windows-1252">'), ("utf-8", "text/html; charset=nonsense", ""),
     ("shift_jis", "text/html", '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">')],
)  # fmt: skip
def test_pages_are_read_in_their_encoding(encoding, content_type, prefix):
    name = "山田" if encoding == "shift_jis" else "Zoë"
    page = f"{prefix}<div class=card><h3>{name}</h3></div>".encode(encoding)
    assert read(page, SELECTED, **{"content_type": content_type}).leads == [{"full_name": name}]


@pytest.mark.parametrize("tag", ["div", "span", "table><tr><td", "svg", "a"])
def test_a_page_nested_without_end_is_refused(tag):
    with pytest.raises(UnreadablePage, match="page_too_deep"):
        read(f"<{tag}>" * 100_000)


@pytest.mark.parametrize(
    "page",
    ["", "\0", "<", "<!--", "<script>", "plain", "<p>" * 50_000, "<br>" * 50_000,
     '<div vocab="https://schema.org/">' * 1500,
     "<b itemscope itemprop=x>" * 1000, '<a rel="x" typeof>' * 1000, "<li>" * 20_000],
    ids=range(12),
)  # fmt: skip
def test_odd_pages_are_read(page):
    assert read(page).leads == []


def test_bytes_that_are_no_text_are_read():
    assert read(bytes(range(256)) * 100, SELECTED).leads == []


def test_items_that_refer_to_each_other_end_soon():
    items = "".join(
        f'<p itemscope itemprop="x" id="i{n}" itemref="{" ".join(f"i{m}" for m in range(20))}"></p>' for n in range(20)
    )
    person = (
        '<div itemscope itemtype="https://schema.org/Person" itemref="i0 i1"><i itemprop="email">a@b-co.com</i></div>'
    )
    assert [lead["email"] for lead in read(person + items + "<br>" * 20_000).leads] == ["a@b-co.com"]


def test_a_value_is_cut_where_a_cell_would_end():
    card = f"<div class=card><h3>{'x ' * 100_000}</h3></div>"
    assert len(read(card, SELECTED).leads[0]["full_name"]) == 20_000


@pytest.mark.parametrize(
    "page",
    ["<b class=card><h3>" * 900 + "x" * 1_000_000, '<b itemscope itemtype="https://schema.org/Person">'
     + "<b itemprop=name>" * 1900 + "x" * 1_000_000, '<b vocab="https://schema.org/" typeof=Person>'
     + "<b property=name>" * 1900 + "x" * 1_000_000 + "</b>" * 1900],
    ids=["selectors", "microdata", "rdfa"],
)  # fmt: skip
def test_text_that_lies_in_a_thousand_elements_is_no_thousand_texts(page):
    both = SELECTED.model_copy(update={"schema_org": SchemaOrg()})
    try:
        found = read(page, both)
    except UnreadablePage as refused:
        assert str(refused) == "page_expands_too_much"
    else:
        assert sum(len(value) for lead in found.leads for value in lead.values()) < 16_000_000
