"""Crawls by several workers, killed and run again, and what one bad page or site holds up: nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from aiqleads_pipeline.doors.scraping.harvest import ask_all
from aiqleads_pipeline_tests.doors.http_world import Asked, reply
from aiqleads_pipeline_tests.doors.scrape_pages import JSON_LD
from aiqleads_pipeline_tests.doors.scrape_world import HTML, targets
from resources.store import alerts, scrapes
from resources.store.leases import held, holder_name


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
