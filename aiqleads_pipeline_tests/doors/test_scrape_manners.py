"""What a crawl never does: ask what it must not, too fast, too much, or elsewhere."""

from __future__ import annotations

import gzip

import pytest

from aiqleads_pipeline.doors.scraping.harvest import ask_all
from aiqleads_pipeline_tests.doors.http_world import Asked, Site, reply
from aiqleads_pipeline_tests.doors.scrape_pages import JSON_LD
from aiqleads_pipeline_tests.doors.scrape_world import HTML, Web, targets

# --- manners ----------------------------------------------------------------------------------------------------------


def test_what_robots_txt_forbids_is_not_asked_for(scraper, web, site):
    web.pages |= {
        "/robots.txt": "User-agent: *\nDisallow: /\n\nUser-agent: aiqleads\nDisallow: /private\nAllow: /private/but\n",
        "/": '<a href="/private/x">1</a><a href="/private/but">2</a><a href="/open">3</a>',
        "/private/x": JSON_LD, "/private/but": "<p>", "/open": "<p>",
    }  # fmt: skip
    scraper.allow(site)
    assert scraper.crawl().counts["disallowed"] == 1
    assert targets(site) == ["/robots.txt", "/", "/private/but", "/open"]


@pytest.mark.parametrize(("answer", "asked"), [
    (reply(404), ["/robots.txt", "/"]), (reply(403), ["/robots.txt", "/"]), (reply(200, ""), ["/robots.txt", "/"]),
    (reply(500), ["/robots.txt"]), (reply(503), ["/robots.txt"]), (reply(429), ["/robots.txt"]),
    (reply(200, "x" * 1_100_000), ["/robots.txt"]), (reply(200, b"\xff\0<html>"), ["/robots.txt", "/"]),
    (reply(200, "User-agent: *\nDisallow: /"), ["/robots.txt"]),
    (reply(200, "User-agent: *\nDisallow: /" + "*a" * 2000 + "$"), ["/robots.txt", "/"]),
])  # fmt: skip
def test_a_robots_txt_that_can_not_be_had_forbids_all(scraper, web, site, answer, asked):
    web.pages |= {"/robots.txt": answer, "/": JSON_LD}
    scraper.allow(site)
    scraper.crawl()
    assert targets(site) == asked


def test_robots_txt_behind_a_redirect(scraper, web, site):
    web.pages |= {"/robots.txt": reply(301, Location="/r"), "/r": "User-agent: *\nDisallow: /", "/": JSON_LD}
    scraper.allow(site)
    scraper.crawl()
    assert targets(site) == ["/robots.txt", "/r"]


@pytest.mark.parametrize(
    ("robots", "more", "gap"),
    [("", "", 2.0), ("", "seconds_between_requests: 7.5", 7.5), ("Crawl-delay: 20", "", 20.0),
     ("Request-rate: 1/12", "", 12.0), ("Crawl-delay: 0.1", "", 2.0), ("Crawl-delay: soon", "", 2.0)],
)  # fmt: skip
def test_requests_keep_their_distance(scraper, web, site, robots, more, gap):
    web.pages |= {
        "/robots.txt": f"User-agent: *\n{robots}\nDisallow:\n",
        "/": '<a href="/a">a</a><a href="/b">b</a>', "/a": "<p>", "/b": "<p>",
    }  # fmt: skip
    scraper.allow(site, more=more)
    scraper.crawl()
    assert len(site.asked) == 4
    assert scraper.seconds == pytest.approx(3 * gap)


# --- budgets ----------------------------------------------------------------------------------------------------------


def endless(asked: Asked) -> bytes:
    number = int(asked.target.strip("/") or 0)
    return reply(200, f'<a href="/{number + 1}">x</a>' + "x" * 50_000, Content_Type=HTML)


class Endless(Web):
    def answer(self, asked: Asked) -> bytes:
        return reply(404) if asked.target == "/robots.txt" else endless(asked)


@pytest.mark.parametrize(
    ("more", "pages", "reason"),
    [("max_pages: 4\n    max_depth: 100", 4, "page_budget_spent"), ("max_depth: 2", 3, None),
     ("max_total_mb: 1\n    max_depth: 100", 21, "byte_budget_spent"),
     ("max_seconds: 10\n    max_depth: 100", 4, "time_budget_spent")],
)  # fmt: skip
def test_every_budget_ends_a_crawl(scraper, more, pages, reason):
    with Site(Endless().answer) as site:
        scraper.allow(site, more=more)
        ended = scraper.crawl()
    assert (ended.state, ended.reason_code) == ("done", reason)
    assert len(site.asked) == 1 + pages


def test_a_page_over_its_limit_is_left_out(scraper, web, site):
    bomb = reply(200, gzip.compress(b"x" * 10_000_000), Content_Type=HTML, Content_Encoding="gzip")
    links = '<a href="/big">x</a><a href="/bomb">x</a><a href="/ok">x</a>'
    web.pages |= {"/": links, "/big": "x" * 2048, "/ok": "<p>", "/bomb": bomb}
    scraper.allow(site, more="max_page_kb: 1")
    counts = scraper.crawl().counts
    assert (counts["too_large"], counts["read"]) == (2, 2)


def test_what_is_no_page_is_left_out(scraper, web, site):
    links = "".join(f'<a href="/{n}">x</a>' for n in range(6))
    web.pages |= {
        "/": links, "/0": reply(200, "{}", Content_Type="application/json"), "/1": reply(410), "/2": reply(500),
        "/3": reply(200, "x", Content_Type=HTML, Content_Encoding="br"), "/4": "<div>" * 5000, "/5": JSON_LD,
    }  # fmt: skip
    scraper.allow(site)
    ended = scraper.crawl()
    assert {name: ended.counts.get(name) for name in ("no_html", "gone", "failed", "bad_answer", "page_too_deep")} == {
        "no_html": 1, "gone": 1, "failed": 1, "bad_answer": 1, "page_too_deep": 1,
    }  # fmt: skip
    assert len(scraper.leads(ended)) == 2


def test_a_site_that_is_not_well_is_left_alone(scraper, web, site):
    links = "".join(f'<a href="/{n}">x</a>' for n in range(30))
    web.pages |= {"/": links, "/0": JSON_LD, "/1": reply(503, Retry_After="600")}
    scraper.allow(site)
    ended = scraper.crawl()
    assert (ended.reason_code, len(scraper.leads(ended))) == ("site_unavailable", 2)
    assert targets(site) == ["/robots.txt", "/", "/0", "/1"]


# --- what must not be asked -------------------------------------------------------------------------------------------


def test_a_site_that_keeps_failing_is_left_alone(scraper, web, site):
    web.pages |= {"/": "".join(f'<a href="/{n}">x</a>' for n in range(30)), **{f"/{n}": reply(500) for n in range(30)}}
    scraper.allow(site, more="seconds_between_requests: 0")
    ended = scraper.crawl()
    assert (ended.reason_code, ended.counts["failed"], len(site.asked)) == ("site_unavailable", 6, 7)


def test_links_and_redirects_as_people_write_them(scraper, web, site):
    web.pages |= {
        "/": '<a href=" /my page ">1</a><a href="/zoë?ü">2</a>', "/my%20page": reply(301, Location="/zo\xc3\xab two"),
        "/zo%C3%AB%20two": JSON_LD, "/zo%C3%AB?%C3%BC": "<p>",
    }  # fmt: skip
    scraper.allow(site)
    assert scraper.crawl().counts["read"] == 3


def test_no_host_outside_of_the_list_is_asked(scraper, web, site):
    with Site(lambda _: reply(200, JSON_LD, Content_Type=HTML)) as other:
        web.pages |= {
            "/": f'<a href="{other.url}/">1</a><a href="/moved">2</a><a href="//127.0.0.1:{other.port}/x">3</a>'
            f'<a href="http://localhost:{site.port}/">4</a><a href="/back">5</a><a href="file:///etc/passwd">6</a>',
            "/moved": reply(302, Location=other.url), "/back": reply(301, Location="/end"), "/end": JSON_LD,
        }  # fmt: skip
        scraper.allow(site)
        ended = scraper.crawl()
        assert other.connections_count == 0
    assert targets(site) == ["/robots.txt", "/", "/moved", "/back", "/end"]
    assert (ended.counts["redirects"], ended.counts["other_host"], ended.counts["leads"]) == (2, 1, 2)


def test_redirects_in_circles_end(scraper, web, site):
    web.pages |= {"/": reply(302, Location="/a"), "/a": reply(302, Location="/"), "/b": reply(302, Location="/b")}
    scraper.allow(site)
    assert scraper.crawl().counts == {"asked": 2, "redirects": 2}


def test_the_egress_guard_stands_before_all_of_it(scraper_of, web, site):
    web.pages["/"] = JSON_LD
    scraper = scraper_of(EGRESS_ALLOW_LOOPBACK=False)
    scraper.allow(site)
    assert scraper.crawl().counts == {"robots_unavailable": 1}
    assert site.connections_count == 0


def test_switched_off_nothing_is_asked(scraper, web, site):
    scraper.allow(site)
    ask_all(scraper.outside, "test")
    file = scraper.rules / "scrapes.yaml"
    file.write_text(file.read_text().replace("enabled: true", "enabled: false"))
    (ended,) = scraper.work_off()
    assert (ended.state, ended.reason_code) == ("failed", "scraping_disabled")
    assert (ask_all(scraper.outside, "test"), site.connections_count) == ([], 0)
