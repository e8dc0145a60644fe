"""scrapes.yaml: what it may say, and that every fault is told with its line."""

from pathlib import Path

import pytest

from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.scrapes import load_scrapes, split_field
from aiqleads_pipeline.settings import Settings

GOOD = """\
enabled: true
contact: https://example.com/crawler
sites:
  members:
    hosts: [example.com, "example.com:8443"]
    start: ["https://example.com/a", "https://example.com:8443/b"]
    follow: [a.next]
    items:
      each: .card
      columns:
        email: a.mail@href
        full_name: h3
"""


def load(tmp_path: Path, text: str):
    (tmp_path / "scrapes.yaml").write_text(text, encoding="utf-8")
    return load_scrapes(tmp_path)


def test_what_comes_with_the_project_is_off():
    rules = load_scrapes(Settings().rules_dir)
    assert not rules.is_enabled
    assert rules.enabled_sites == ()
    assert rules.sites


def test_without_the_file_nothing_is_scraped(tmp_path):
    assert load_scrapes(tmp_path).enabled_sites == ()


def test_a_site_as_it_is_read(tmp_path):
    (site,) = load(tmp_path, GOOD).enabled_sites
    assert (site.name, site.lead_source, site.seconds_between_requests) == ("members", "members", 2.0)
    assert load(tmp_path, GOOD.replace("enabled: true", "enabled: false")).enabled_sites == ()
    off = load(tmp_path, GOOD.replace("    follow:", "    enabled: false\n    follow:"))
    assert off.enabled_sites == ()


def test_another_way_of_reading_is_another_version(tmp_path):
    first = load(tmp_path, GOOD).sites["members"].rules_sha256
    assert load(tmp_path, GOOD.replace("full_name: h3", "full_name: h2")).sites["members"].rules_sha256 != first
    slower = GOOD.replace("    follow:", "    seconds_between_requests: 9\n    follow:")
    assert load(tmp_path, slower).sites["members"].rules_sha256 == first


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("each: .card", "each: '.card['", "scrapes.yaml:9: sites.members.items.each"),
        ("email: a.mail@href", "email: 'a[@href'", "scrapes.yaml:11: sites.members.items.columns.email"),
        ("full_name: h3", "favourite_colour: h3", "scrapes.yaml:12: 'favourite_colour' is no column"),
        ("full_name: h3", "full_name: ''", "scrapes.yaml:12:"),
        ("follow: [a.next]", "follow: ['<a>']", "scrapes.yaml:7:"),
        ("https://example.com/a", "ftp://example.com/a", "scrapes.yaml:6: 'ftp://example.com/a' is no http"),
        ("https://example.com/a", "https://me:pw@example.com/a", "scrapes.yaml:6:"),
        ("https://example.com/a", "https://other.com/a", "scrapes.yaml:6: the host 'other.com' is not among"),
        ("https://example.com/a", "https://example.com:99999/a", "scrapes.yaml:6:"),
        ("hosts: [example.com,", "hosts: ['https://example.com',", "scrapes.yaml:5:"),
        ("hosts: [example.com,", "hosts: ['*.example.com',", "scrapes.yaml:5:"),
        ("contact: https://example.com/crawler", "contact: ''", "scrapes.yaml:1: name a `contact`"),
        ("contact: https://example.com/crawler", 'contact: "a\\r\\nb"', "scrapes.yaml:2:"),
        ("  members:", "  Members!:", "scrapes.yaml:4: 'Members!' can't be a source"),
        ("    follow:", "    name: x\n    follow:", "scrapes.yaml:7: the site's name is its key"),
        ("    follow:", "    ignore_robots: true\n    follow:", "scrapes.yaml:7: sites.members.ignore_robots"),
        ("    follow:", "    max_pages: 0\n    follow:", "scrapes.yaml:7: sites.members.max_pages"),
        ("    items:", "    items_: 1\n    items:", "scrapes.yaml:8:"),
    ],
)
def test_every_fault_is_told_with_its_line(tmp_path, old, new, fault):
    assert old in GOOD
    with pytest.raises(RulesError) as told:
        load(tmp_path, GOOD.replace(old, new))
    assert fault in str(told.value)


def test_a_site_must_say_what_a_lead_is(tmp_path):
    with pytest.raises(RulesError, match="say what a lead is"):
        load(tmp_path, GOOD[: GOOD.index("    items:")])


@pytest.mark.parametrize(
    ("text", "parts"),
    [("h1", ("h1", None)), ("a.x@href", ("a.x", "href")), ("@data-id", ("", "data-id")),
     ('a[href*="@x.com"]@href', ('a[href*="@x.com"]', "href")), ('a[href*="@x"]', ('a[href*="@x"]', None))],
)  # fmt: skip
def test_a_field_is_a_selector_and_an_attribute(text, parts):
    assert split_field(text) == parts
