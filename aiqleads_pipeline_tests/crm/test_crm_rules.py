"""Faults in the mapping of a CRM are told with file and line."""

import shutil

import pytest

from aiqleads_pipeline.rules.crm import check_crms, load_crm
from aiqleads_pipeline.rules.destinations import load_destinations
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.settings import PROJECT_DIR

SHIPPED = PROJECT_DIR / "data" / "rules"


def line_of(text, part):
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize(
    ("kind", "old", "new", "says"),
    [
        ("salesforce", "from: contact.job_title", "from: contact.title", "Title: a lead has no 'contact.title'"),
        ("salesforce", "  City: {", "  Ci-ty: {", "'Ci-ty' is no name of a field in salesforce"),
        ("salesforce", "cast: url, max_chars: 255", "cast: link, max_chars: 255", "fields.Website.cast: "),
        ("salesforce", "cast: number}", "cast: number, max_chars: 3}", "a number has no `max_chars`"),
        ("salesforce", "{P1: Hot, P2: Warm, P3: Warm, P4: Cold}", "{}", "picklists have `values`"),
        ("salesforce", "  FirstName: {", "  OwnerId: {", "'OwnerId' is filled by itself: remove it"),
        ("salesforce", "[company.name, company.domain], max_chars: 255, otherwise:", "company.name, max_chars: 255} #",
         "salesforce requires 'Company'"),
        ("salesforce", "collection_size: 200", "collection_size: 201", "less than or equal to 200"),
        ("salesforce", "login: client_credentials", "login: refresh_token", "`refresh_token` goes with"),
        ("salesforce", "assignment: true", "assignment: \"00Q1\"", "assignment"),
        ("salesforce", "login_url: https://login.salesforce.com", "login_url: https://u:p@x.com", "login_url"),
        ("salesforce", "    Unqualified: lost", "    Unqualified: gone", "'won', 'lost' or 'returned'"),
        ("hubspot", "  firstname: {", "  FirstName: {", "'FirstName' is no name of a field in hubspot"),
        ("hubspot", "  key: [company.domain]", "  key: [company.web]", "a lead has no 'company.web'"),
        ("hubspot", "access_token: HUBSPOT_ACCESS_TOKEN", "client_id: X", "a private app has an `access_token`"),
        ("hubspot", "pace: {requests: 190, seconds: 10}", "pace: {requests: 0, seconds: 10}", "pace.requests"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line(tmp_path, kind, old, new, says):
    text = (SHIPPED / "crm" / f"{kind}.yaml").read_text(encoding="utf-8")
    body, rest = text.split(f"kind: {kind}\n", 1)
    assert old in rest
    text = body + f"kind: {kind}\n" + rest.replace(old, new, 1)
    (tmp_path / "crm").mkdir()
    (tmp_path / "crm" / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RulesError) as raised:
        load_crm(tmp_path, "mine.yaml", kind)
    told = next(line for line in str(raised.value).splitlines() if says in line)
    assert told.startswith("mine.yaml:")
    assert 0 < int(told.split(":")[1]) <= len(text.splitlines())


def test_the_line_is_the_very_one(tmp_path):
    text = (
        (SHIPPED / "crm" / "hubspot.yaml")
        .read_text(encoding="utf-8")
        .replace("from: contact.city", "from: contact.town")
    )
    (tmp_path / "crm").mkdir()
    (tmp_path / "crm" / "hubspot.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RulesError, match=f"^hubspot.yaml:{line_of(text, 'contact.town')}: city"):
        load_crm(tmp_path, "hubspot.yaml", "hubspot")


def test_all_enabled_crms_are_looked_at(tmp_path):
    rules = tmp_path / "rules"
    shutil.copytree(SHIPPED, rules)
    (rules / "destinations.yaml").write_text(
        "destinations:\n  - {name: crm, kind: salesforce}\n  - {name: old, kind: hubspot, enabled: false}\n",
        encoding="utf-8",
    )
    with pytest.raises(RulesError, match=r"^crm.yaml:1: can't be read: No such file or directory$"):
        check_crms(rules, load_destinations(rules))
    (rules / "crm" / "salesforce.yaml").rename(rules / "crm" / "crm.yaml")
    check_crms(rules, load_destinations(rules))
