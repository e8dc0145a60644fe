"""Crawls of real sites on loopback: their leads are a drop, and the next crawl asks for what changed."""

from __future__ import annotations

from aiqleads_pipeline_tests.doors.scrape_pages import DINER, JANE, JSON_LD, MICRODATA, RDFA
from aiqleads_pipeline_tests.doors.scrape_world import targets
from resources.evidence import Evidence

# --- from pages to a drop ---------------------------------------------------------------------------------------------


def test_the_leads_of_a_site_become_one_drop_with_evidence(scraper, web, site):
    web.pages |= {
        "/": '<a href="/a">a</a><a href="/b">b</a><a href="/c#x">c</a><a href="/c">c</a><a href="https://example.com/">o</a>',
        "/a": JSON_LD, "/b": MICRODATA, "/c": RDFA,
    }  # fmt: skip
    scraper.allow(site)
    ended = scraper.crawl()
    assert (ended.state, ended.reason_code) == ("done", None)
    assert ended.counts == {"asked": 4, "broken_json_ld": 0, "leads": 6, "read": 4}
    assert targets(site) == ["/robots.txt", "/", "/a", "/b", "/c"]
    leads = scraper.leads(ended)
    shared = {"email", "phone", "company_name", "full_name", "city", "employee_count"}
    assert [{name: lead[name] for name in shared & set(lead)} for lead in leads] == [
        {name: lead[name] for name in shared & set(lead)} for lead in [JANE, DINER] * 3
    ]
    evidence = Evidence(scraper.outside.settings.bucket_url)
    for lead in leads:
        page = web.pages[lead["scrape_url"].removeprefix(site.url)]
        assert evidence.read(lead["scrape_evidence_sha256"]) == page.encode()
    (batch,) = scraper.batches()
    assert (batch.source, batch.channel) == ("members", "scrape")


def test_the_site_is_told_who_asks(scraper, web, site):
    web.pages["/"] = "<p>"
    scraper.allow(site)
    scraper.crawl()
    assert {asked.headers["user-agent"] for asked in site.asked} == {"aiqleads/1.0 (+https://example.com/crawler)"}


def test_another_source_by_the_rules(scraper, web, site):
    web.pages["/"] = JSON_LD
    scraper.allow(site, more="source: partners")
    scraper.crawl()
    assert [batch.source for batch in scraper.batches()] == ["partners"]


def test_a_site_without_leads_makes_no_drop(scraper, web, site):
    web.pages["/"] = "<p>nothing</p>"
    scraper.allow(site)
    assert scraper.crawl().drop_uri is None
    assert scraper.batches() == []


# --- again ------------------------------------------------------------------------------------------------------------


def test_the_next_crawl_asks_only_for_what_changed(scraper, web, site):
    web.pages |= {"/": '<a href="/a">a</a><a href="/b">b</a>', "/a": JSON_LD, "/b": MICRODATA}
    scraper.allow(site)
    scraper.crawl()
    site.asked.clear()
    web.pages["/b"] = MICRODATA.replace("jane@", "joan@")
    ended = scraper.crawl()
    assert targets(site) == ["/robots.txt", "/", "/a", "/b"]  # links of an unchanged page are remembered
    assert all("if-none-match" in a.headers and "if-modified-since" in a.headers for a in site.asked[1:])
    assert (ended.counts["unchanged"], ended.counts["read"]) == (2, 1)
    assert [lead["email"] for lead in scraper.leads(ended)] == ["joan@acme-tools.com", "eat@zoes-diner.com"]
    third = scraper.crawl()
    assert (third.counts, third.drop_uri) == ({"asked": 3, "unchanged": 3}, None)


def test_a_site_larger_than_a_crawl_is_read_over_several_and_then_kept_fresh(scraper, web, site):
    for page in range(6):
        cards = "".join(f'<a href="/c{page}{n}">c</a>' for n in range(4))
        web.pages["/" if page == 0 else f"/p{page}"] = f'{cards}<a href="/p{page + 1}">next</a>' if page < 5 else cards
        for n in range(4):
            web.pages[f"/c{page}{n}"] = f"<h3>N{page}{n}</h3><i>n{page}{n}@co-{page}{n}.com</i>"
    items = "items: {each: body, columns: {full_name: h3, email: i}}"
    scraper.allow(site, more="max_pages: 8\n    max_depth: 9", what=items)
    emails = []
    for _ in range(5):  # 30 pages; each crawl asks for the start page and seven others
        emails += [lead["email"] for lead in scraper.leads(scraper.crawl())]
    assert len(emails) == len(set(emails)) == 24
    site.asked.clear()
    web.pages["/c53"] = "<h3>New</h3><i>new@co-53.com</i>"
    again = [lead["email"] for _ in range(5) for lead in scraper.leads(scraper.crawl())]
    assert again == ["new@co-53.com"]
    assert set(targets(site)) == {*web.pages, "/robots.txt"}


def test_a_page_whose_leads_are_the_same_is_not_told_again(scraper, web, site):
    web.pages["/"] = JSON_LD
    scraper.allow(site)
    scraper.crawl()
    web.pages["/"] = JSON_LD + "<p>12:01</p>"
    ended = scraper.crawl()
    assert (ended.counts["same_leads"], ended.counts.get("leads", 0), ended.drop_uri) == (1, 0, None)


def test_pages_are_read_again_when_the_rules_change(scraper, web, site):
    web.pages["/"] = f"<h3>Al</h3><i>al@al-co.com</i>{JSON_LD}"
    scraper.allow(site)
    assert len(scraper.leads(scraper.crawl())) == 2
    scraper.allow(site, what="items: {each: body, columns: {full_name: h3, email: i}}")
    (lead,) = scraper.leads(scraper.crawl())
    assert lead["full_name"] == "Al"
    assert "if-none-match" not in site.asked[-1].headers
