"""Working time: hours over midnight, holidays, clocks that are set forward and back, absences."""

from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from aiqleads_pipeline.rules.calendars import Absence, Calendar, WorkClock


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def clock(absent=(), **calendar):
    return WorkClock(Calendar.model_validate({"id": "here", **calendar}), tuple(absent))


BERLIN = {"time_zone": "Europe/Berlin", "hours": {"mon-fri": "09:00-12:00, 13:00-17:30"}}


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-23T08:00", "2026-11-23T08:00"),  # Monday, 09:00 there
        ("2026-11-23T11:30", "2026-11-23T12:00"),  # lunch
        ("2026-11-23T16:30", "2026-11-24T08:00"),  # the minute they close
        ("2026-11-27T20:00", "2026-11-30T08:00"),  # Friday evening
        ("2027-03-28T00:00", "2027-03-29T07:00"),  # summer time begins on that Sunday
    ],
)
def test_when_somebody_opens(moment, opens):
    assert clock(**BERLIN).opens_at(at(moment)) == at(opens)


@pytest.mark.parametrize(
    ("moment", "minutes", "due"),
    [
        ("2026-11-23T08:00", 60, "2026-11-23T09:00"),
        ("2026-11-23T10:30", 60, "2026-11-23T12:30"),  # over lunch
        ("2026-11-27T16:00", 90, "2026-11-30T09:00"),  # over the weekend
        ("2026-11-23T08:00", 5 * 450, "2026-11-27T16:30"),  # a whole week
        ("2026-11-23T03:00", 5, "2026-11-23T08:05"),
    ],
)
def test_working_time_is_added(moment, minutes, due):
    assert clock(**BERLIN).after(at(moment), minutes) == at(due)


def test_hours_may_go_over_midnight_and_meet():
    night = clock(time_zone="UTC", hours={"mon-sun": ["22:00-06:00", "06:00-07:00"]})
    assert night.is_open(at("2026-11-23T03:00"))
    assert not night.is_open(at("2026-11-23T07:00"))
    assert night.after(at("2026-11-23T23:00"), 9 * 60) == at("2026-11-24T23:00")


def test_holidays_closed_days_and_absences_are_no_work():
    christmas = clock(
        time_zone="Europe/Berlin",
        hours={"mon-fri": "09:00-17:00"},
        holidays={"country": "DE", "region": "BE"},
        closed=[date(2026, 12, 24)],
        absent=[Absence.model_validate({"from": "2026-12-28", "until": "2026-12-30"})],
    )
    assert christmas.opens_at(at("2026-12-23T16:30")) == at("2026-12-31T08:00")
    assert christmas.why_closed(at("2026-12-25T10:00")) == "Christmas Day until 2026-12-31 08:00 UTC"
    assert christmas.why_closed(at("2026-12-24T10:00")) == "closed until 2026-12-31 08:00 UTC"
    assert christmas.why_closed(at("2026-12-29T10:00")) == "absent until 2026-12-30"
    assert christmas.why_closed(at("2026-12-31T08:00")) is None
    assert christmas.why_closed(at("2026-12-31T18:00")) == "outside working hours until 2027-01-04 08:00 UTC"


def test_who_has_no_hours_always_works():
    always = WorkClock()
    assert always.is_open(at("2026-11-22T03:33"))
    assert always.after(at("2026-11-22T03:33"), 400 * 24 * 60 - 2000) is not None
    assert always.after(at("2026-11-22T03:33"), 5) == at("2026-11-22T03:38")


def test_who_never_opens_is_not_waited_for():
    never = clock(hours={"mon": "09:00-09:00"})
    assert never.opens_at(at("2026-11-22T03:33")) is None
    assert never.after(at("2026-11-22T03:33"), 5) is None
    assert never.why_closed(at("2026-11-22T03:33")) == "outside working hours for more than a year"


@pytest.mark.parametrize(
    ("calendar", "what"),
    [
        ({"time_zone": "Mars/Olympus"}, "unknown time zone"),
        ({"hours": {"funday": "09:00-17:00"}}, "is no day"),
        ({"hours": {"mon": "nine to five"}}, "expected hours"),
        ({"hours": {"mon": "09:00-24:30"}}, "time of day"),
        ({"hours": {}}, "at least 1"),
        ({"holidays": {"country": "XX"}}, "no holidays are known"),
        ({"holidays": {"country": "DE", "region": "ZZ"}}, "no holidays are known of DE ZZ"),
    ],
)
def test_calendars_that_make_no_sense_are_refused(calendar, what):
    with pytest.raises(ValidationError, match=what):
        clock(**calendar)
