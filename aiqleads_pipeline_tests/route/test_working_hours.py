"""Working hours of owners and turns: by a team's `when_closed` a lead waits for whoever's turn it is, or goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from routing_world import ROUTING, World, of, owners_by_row, reasons_of

TEAMS = """
calendars:
  - {id: london, time_zone: Europe/London, hours: {mon-fri: 09:00-17:00}, holidays: {country: GB, region: ENG}}
  - {id: new_york, time_zone: America/New_York, hours: {mon-fri: 09:00-17:00}}
owners:
  - {id: ana, name: Ana, email: ana@example.com, calendar: london}
  - {id: bo, name: Bo, email: bo@example.com, calendar: new_york}
  - {id: cy, name: Cy, email: cy@example.com, calendar: london, absent: [{from: 2026-11-23, until: 2026-11-24}]}
  - {id: dee, name: Dee, email: dee@example.com}
teams:
  - {id: smb, name: Small, members: [ana, bo, cy], when_closed: WHEN}
  - {id: big, name: Big, members: [dee]}
"""
MORNING = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)  # Monday: London works, New York sleeps
NIGHT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
HOLIDAY = datetime(2026, 12, 28, 15, 0, tzinfo=UTC)  # Boxing Day is kept on that Monday in England, not in New York


@pytest.mark.parametrize(
    ("when_closed", "at", "shares"),
    [
        pytest.param("next_in_line", MORNING, {"ana": 12}, id="the next who is open"),
        pytest.param("hold", MORNING, {"ana": 6, "bo": 6}, id="held until open"),
        pytest.param("next_in_line", NIGHT, {"ana": 6, "bo": 6}, id="nobody is open: the turns stay as they are"),
        pytest.param("next_in_line", HOLIDAY, {"bo": 12}, id="a holiday of one's own"),
        pytest.param("hold", HOLIDAY, {"ana": 4, "bo": 4, "cy": 4}, id="a holiday is waited for"),
    ],
)
def test_who_gets_leads_while_some_are_closed(
    build: Callable[..., World], when_closed: str, at: datetime, shares: dict[str, int]
) -> None:
    routed = build(TEAMS.replace("WHEN", when_closed), ROUTING).route([{}] * 12, as_of=at)
    if at == HOLIDAY and when_closed == "next_in_line":
        assert set(reasons_of(routed)[1]["passed_over"]) == {"ana", "cy"}
    assert Counter(owners_by_row(routed).values()) == shares


def test_an_account_waits_for_its_owners_hours(build: Callable[..., World]) -> None:
    world = build(TEAMS.replace("WHEN", "next_in_line"), ROUTING, accounts=(("acme.com", "bo", "smb"),))
    assert set(owners_by_row(world.route([of("acme.com")] * 3)).values()) == {"bo"}


def test_why_somebody_was_passed_over_is_told(build: Callable[..., World]) -> None:
    routed = build(TEAMS.replace("WHEN", "next_in_line"), ROUTING).route([{}], as_of=MORNING)
    assert reasons_of(routed)[1]["passed_over"] == {
        "bo": "outside working hours until 2026-11-23 14:00 UTC",
        "cy": "absent until 2026-11-24",
    }
