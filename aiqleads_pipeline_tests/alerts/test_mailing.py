"""To whom mail goes and when: preferences of owners, digests, quiet hours, working hours."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from aiqleads_pipeline.delivering.messages import mailing_of
from aiqleads_pipeline.rules.destinations.messages import EmailDestination
from aiqleads_pipeline.rules.teams import load_teams
from resources.destinations import Parcel

TEAMS = """
calendars: [{id: berlin, time_zone: Europe/Berlin, hours: {mon-fri: 09:00-17:00}}]
owners:
  - {id: now, name: Now, email: now@example.com}
  - {id: twice, name: Twice, email: twice@example.com, calendar: berlin,
     notify: {mode: digest, digest_at: ["08:30", "13:00"]}}
  - {id: quiet, name: Quiet, email: quiet@example.com, calendar: berlin, notify: {quiet: 19:00-07:00}}
  - {id: open, name: Open, email: open@example.com, calendar: berlin, notify: {only_open: true, urgent: []}}
  - {id: off, name: Off, email: off@example.com, notify: {mode: "off"}}
teams: [{id: t, name: T, members: [now, twice, quiet, open, off]}]
"""
NIGHT = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)  # Monday, 23:00 in Berlin


@pytest.fixture(scope="module")
def teams(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rules")
    (folder / "teams.yaml").write_text(TEAMS)
    return load_teams(folder)


def mailing(teams, owner=None, now=NIGHT, priority=2, created_at=None, notice=None, **rule):
    keys = {"name": "m", "kind": "email", "host": "mail.example", "sender": "a@b.example", **rule}
    body = {"owner": owner} if notice is None else {"topic": "lead.overdue", **notice}
    parcel = Parcel(uuid4(), uuid4(), "m", 1, priority, created_at or now, body)
    return mailing_of(EmailDestination.model_validate(keys), parcel, teams, now)


@pytest.mark.parametrize(
    ("owner", "priority", "hours"),
    [
        ("now", 2, None),
        ("quiet", 2, 8),  # until 07:00 there
        ("quiet", 1, None),
        ("twice", 2, 9.5),
        ("twice", 1, None),
        ("open", 1, 10),
    ],
)
def test_how_long_mail_is_held(teams, owner, priority, hours):
    found = mailing(teams, owner, priority=priority)
    assert found.hold_seconds == (None if hours is None else hours * 3600)
    assert [address for _, address in found.recipients] == [f"{owner}@example.com"]


def test_a_digest_goes_when_it_is_due_and_holds_what_came_since(teams):
    due = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
    assert mailing(teams, "twice", now=due, created_at=NIGHT).hold_seconds is None
    assert mailing(teams, "twice", now=due, created_at=NIGHT).digest
    assert mailing(teams, "twice", now=due, created_at=due).hold_seconds == timedelta(hours=4.5).total_seconds()


def test_who_wants_none_and_who_is_nobody_get_none(teams):
    assert mailing(teams, "off").why_not == "muted"
    assert mailing(teams, "gone").why_not == "no_recipient"
    assert mailing(teams, None).why_not == "no_recipient"
    assert mailing(teams, "gone", to=["all@example.com"]).recipients == (("", "all@example.com"),)


def test_notices_go_to_whom_they_name_else_to_the_list(teams):
    named = mailing(teams, notice={"owners": ["quiet", "now"]})
    assert [address for _, address in named.recipients] == ["quiet@example.com", "now@example.com"]
    assert named.hold_seconds == 8 * 3600
    assert mailing(teams, notice={"owners": ["quiet"]}, priority=1).hold_seconds is None
    assert mailing(teams, notice={}, to=["ops@example.com"]).recipients == (("", "ops@example.com"),)
    assert mailing(teams, notice={}).why_not == "no_recipient"
