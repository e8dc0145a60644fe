"""Crawls of real sites on loopback: polite, bounded, conditional, killed and run again; their leads are a drop."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from aiqleads_pipeline.doors.scraping.harvest import ask_all, with_time, work_off
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline_tests.doors.http_world import Asked, Site, reply
from aiqleads_pipeline_tests.doors.scrape_pages import DINER, JANE, JSON_LD, MICRODATA, RDFA
from resources.evidence import Evidence, EvidenceMissing
from resources.store import alerts, drops, scrapes
from resources.store.database import Store
from resources.store.leases import held, holder_name

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


@pytest.fixture
def web():
    return Web()


@pytest.fixture
def site(web):
    with Site(web.answer) as site:
        yield site


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


@pytest.fixture(scope="module")
def database_url(make_database):
    """One database for all tests of this file, emptied by each."""
    return make_database()


@pytest.fixture
def scraper_of(database_url, tmp_path):
    made = []
    with Store.open(database_url, Path("/nonexistent")) as store, store.transaction("test:empty") as con:
        tables = ("scrapes", "scrape_pages", "drops", "batches", "alerts")
        con.exec_driver_sql(f"TRUNCATE {', '.join(f'aiqleads.{table}' for table in tables)} CASCADE")

    def make(**settings):
        (tmp_path / "rules").mkdir(exist_ok=True)
        given = {"EGRESS_ALLOW_LOOPBACK": True, **settings}
        url = SecretStr(database_url)
        outside = Outside(Settings(HOME=tmp_path / "home", DATABASE_URL=url, RULES_DIR=tmp_path / "rules", **given))
        made.append(outside)
        return Scraper(outside, tmp_path / "rules")

    yield make
    for outside in made:
        outside.store.close()


@pytest.fixture
def scraper(scraper_of):
    return scraper_of()


def targets(site: Site) -> list[str]:
    return [asked.target for asked in site.asked]


# --- from pages to a drop ----------------------------------------------------------------------------------------


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


# --- again -------------------------------------------------------------------------------------------------------


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


# --- manners -----------------------------------------------------------------------------------------------------


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


# --- budgets -----------------------------------------------------------------------------------------------------


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


# --- what must not be asked --------------------------------------------------------------------------------------


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


# --- several, killed ---------------------------------------------------------------------------------------------


def test_asking_twice_is_asking_once_until_it_ended(scraper, web, site):
    web.pages["/"] = "<p>"
    scraper.allow(site)
    now = scraper.outside.settings.now()
    first, is_new = scrapes.ask(scraper.outside.store, "members", "a", now)
    again, is_new_again = scrapes.ask(scraper.outside.store, "members", "b", now)
    assert (first.scrape_id, is_new, is_new_again) == (again.scrape_id, True, False)
    scraper.work_off()
    assert scrapes.ask(scraper.outside.store, "members", "a", now)[1]


def test_two_workers_crawl_a_site_once(scraper, web, site):
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: Asked) -> bytes:
        begun.set()
        go_on.wait(20)
        return reply(200, JSON_LD, Content_Type=HTML)

    web.pages["/"] = slow
    scraper.allow(site)
    ask_all(scraper.outside, "test")
    ended = []
    first = threading.Thread(target=lambda: ended.extend(scraper.work_off()))
    first.start()
    assert begun.wait(20)
    assert scraper.work_off() == []  # the other one has it
    go_on.set()
    first.join()
    assert [each.state for each in ended] == ["done"]
    assert targets(site) == ["/robots.txt", "/"]


def test_a_host_is_never_crawled_by_two(scraper, web, site):
    web.pages["/"] = "<p>"
    scraper.allow(site)
    ask_all(scraper.outside, "test")
    with held(scraper.outside.store, f"scrape_host:127.0.0.1:{site.port}", holder_name("other"), 30):
        assert scraper.work_off() == []
    assert site.connections_count == 0
    assert [each.state for each in scraper.work_off()] == ["done"]


KILLED = """
import sys
from pathlib import Path
from pydantic import SecretStr
from aiqleads_pipeline.doors.scraping.harvest import work_off
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import Settings
home, rules, url = sys.argv[1:]
work_off(Outside(Settings(HOME=Path(home), RULES_DIR=Path(rules), DATABASE_URL=SecretStr(url),
                          EGRESS_ALLOW_LOOPBACK=True)), "killed")
"""


@pytest.mark.parametrize(
    "point", ["after:store:begin_scrape", "after:bucket:evidence", "after:bucket:put", "after:store:finish_scrape"]
)
def test_a_killed_crawl_is_run_again_with_the_same_drop(scraper, web, site, point):
    web.pages["/"] = JSON_LD
    scraper.allow(site, more="seconds_between_requests: 0")
    settings = scraper.outside.settings
    (asked,) = ask_all(scraper.outside, "test")
    command = [
        sys.executable,
        "-c",
        KILLED,
        settings.home,
        settings.rules_dir,
        settings.DATABASE_URL.get_secret_value(),
    ]
    killed = subprocess.run(command, env={**os.environ, "AIQLEADS_CRASH_AT": point}, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    was_over = point == "after:store:finish_scrape"
    assert [each.attempts_count for each in scraper.work_off()] == ([] if was_over else [2])
    ended = scrapes.scrape(scraper.outside.store, asked.scrape_id)
    assert (ended.state, len(scraper.leads(ended))) == ("done", 2)
    assert len(scraper.batches()) == 1
    assert not list((settings.home / "work").glob("scrape-*/*"))


def test_a_crawl_that_kills_its_workers_is_given_up(scraper, web, site):
    web.pages["/"] = JSON_LD
    scraper.allow(site)
    (asked,) = ask_all(scraper.outside, "test")
    store = scraper.outside.store
    for attempt in range(1, 5):
        with held(store, "scrape:members", holder_name("dying"), 30) as lease:
            assert scrapes.begin(store, asked.scrape_id, "dying", scraper.outside.settings.now(), lease) == attempt
    (ended,) = scraper.work_off()
    assert (ended.state, ended.reason_code, site.connections_count) == ("failed", "scrape_gave_up", 0)
    (alert,) = alerts.open_alerts(store)
    assert (alert["code"], alert["subject"]) == ("scrape_gave_up", "members")
    assert scraper.crawl().state == "done"
    assert alerts.open_alerts(store) == []


def test_a_page_that_nobody_thought_of_is_set_aside_alone(scraper, web, site, monkeypatch):
    from aiqleads_pipeline.doors.scraping import crawl

    def read_page(body, *rest, read=crawl.read_page):
        if b"poison" in body:
            raise ZeroDivisionError("jane@acme-tools.com")
        return read(body, *rest)

    monkeypatch.setattr(crawl, "read_page", read_page)
    web.pages |= {"/": '<a href="/p">p</a><a href="/a">a</a>', "/p": "poison", "/a": JSON_LD}
    scraper.allow(site)
    ended = scraper.crawl()
    assert (ended.state, ended.counts["unreadable"], ended.counts["leads"]) == ("done", 1, 2)


def test_a_site_that_fails_holds_up_no_other(scraper, web, site):
    web.pages["/"] = JSON_LD
    scraper.allow(site)
    file = scraper.rules / "scrapes.yaml"
    text = file.read_text()
    file.write_text(text + text[text.index("  members:") :].replace("  members:", "  another:", 1))
    ask_all(scraper.outside, "test")
    full = Path(scraper.outside.settings.bucket_url) / "scrapes" / "members"
    full.parent.mkdir(parents=True)
    full.write_text("a file where a folder must be: this site's drop can't be written")
    with pytest.raises(OSError, match="Not a directory"):
        scraper.work_off()
    assert [(each.site, each.state) for each in scrapes.open_scrapes(scraper.outside.store)] == [("members", "running")]
    full.unlink()
    assert [(each.site, each.state) for each in scraper.work_off()] == [("members", "done")]


# --- evidence ----------------------------------------------------------------------------------------------------


@pytest.fixture
def evidence(tmp_path):
    return Evidence(str(tmp_path / "bucket"))


def test_evidence_is_kept_once_under_its_hash(evidence, tmp_path):
    content = b"<p>said</p>" * 1000
    assert evidence.keep(content) == evidence.keep(content) == hashlib.sha256(content).hexdigest()
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert file.stat().st_size < len(content) / 10
    assert evidence.read(hashlib.sha256(content).hexdigest()) == content


def test_evidence_that_is_gone_or_damaged_is_told(evidence, tmp_path):
    sha256 = evidence.keep(b"said")
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    for damage in (gzip.compress(b"something else"), b"no gzip", b"", file.read_bytes()[:-4]):
        file.write_bytes(damage)
        with pytest.raises(EvidenceMissing):
            evidence.read(sha256)
    with pytest.raises(EvidenceMissing):
        evidence.read("0" * 64)
