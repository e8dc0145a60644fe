"""Working hours: when somebody can be expected to answer, by time zone, weekday, holidays and absences.

Belongs here: reading ``calendars`` of ``teams.yaml`` and arithmetic in working time. Does not belong here: what follows
from somebody being closed (``rules.teams``, ``stages.route``, ``alerting.slas``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from aiqleads_pipeline.rules.loading import RuleModel

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Beyond that nobody opens any more: the calendar closes every day it has.
MOST_DAYS_AHEAD = 400

Span = tuple[int, int]  # minutes of the local day; an end at or before the start lies on the next day


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"unknown time zone {name!r}: write one such as Europe/Berlin") from None
    return name


def _as_clock(value: Any) -> Any:
    """``09:30``; YAML 1.1 reads an unquoted one as a number in base 60."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return value
    found = re.fullmatch(r"\s*(\d{1,2}):(\d{2})\s*", value) if isinstance(value, str) else None
    if not found or int(found[1]) > 24 or int(found[2]) > 59 or int(found[1]) * 60 + int(found[2]) > 24 * 60:
        raise ValueError("expected a time of day such as 09:30")
    return int(found[1]) * 60 + int(found[2])


def read_span(text: Any) -> Span:
    """Minutes of the day of a span such as ``09:00-17:30`` or, over midnight, ``22:00-06:00``.

    Raises:
        ValueError
    """
    first, dash, last = text.partition("-") if isinstance(text, str) else ("", "", "")
    if not dash:
        raise ValueError("expected hours such as 09:00-17:30")
    return _as_clock(first), _as_clock(last)


def _as_hours(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError("expected days with hours, such as {mon-fri: 09:00-17:30}")
    hours: dict[int, list[Span]] = {}
    for days, spans in value.items():
        texts = spans if isinstance(spans, list) else str(spans).split(",")
        for day in _days(str(days)):
            hours.setdefault(day, []).extend(read_span(text) for text in texts)
    return {day: tuple(sorted(spans)) for day, spans in hours.items()}


def _days(text: str) -> list[int]:
    days: list[int] = []
    for part in text.lower().split(","):
        first, _, last = part.strip().partition("-")
        if first not in WEEKDAYS or (last and last not in WEEKDAYS):
            raise ValueError(f"{part.strip()!r} is no day: write mon, or mon-fri")
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        days += [day % 7 for day in range(start, end + 1 if end >= start else end + 8)]
    return days


TimeZone = Annotated[str, AfterValidator(_known_zone)]
ClockTime = Annotated[int, BeforeValidator(_as_clock), Field(ge=0, le=24 * 60)]  # minutes of the day
Hours = Annotated[Mapping[int, tuple[Span, ...]], BeforeValidator(_as_hours), Field(min_length=1)]


class Holidays(RuleModel):
    """Public holidays as the library ``holidays`` knows them: a country, and where they differ a region of it."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    region: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,3}$")] | None = None

    @model_validator(mode="after")
    def _is_known(self) -> Holidays:
        try:
            _public_holidays(self.country, self.region, 2026)
        except NotImplementedError:
            raise ValueError(f"no holidays are known of {self.country} {self.region or ''}".rstrip()) from None
        return self


class Calendar(RuleModel):
    """When people who share it work. Without ``hours`` they always do, but for holidays and closed days."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
    time_zone: TimeZone = "UTC"
    hours: Hours | None = None
    holidays: Holidays | None = None
    closed: tuple[date, ...] = ()

    def why_closed_all_day(self, day: date) -> str | None:
        """The name of the holiday that a day is, or ``closed``; null for a day like others."""
        if day in self.closed:
            return "closed"
        if self.holidays is None:
            return None
        return _public_holidays(self.holidays.country, self.holidays.region, day.year).get(day)


ALWAYS = Calendar(id="always")


class Absence(RuleModel):
    """Days (in the owner's time zone) on which an owner is away, both ends included."""

    first: Annotated[date, Field(alias="from")]
    last: Annotated[date, Field(alias="until")]

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Absence:
        if self.last < self.first:
            raise ValueError(f"ends on {self.last}, before it begins on {self.first}")
        return self


@dataclass(frozen=True)
class WorkClock:
    """Somebody's calendar without the days away. All times are UTC."""

    calendar: Calendar = ALWAYS
    absent: tuple[Absence, ...] = ()

    @cached_property
    def zone(self) -> ZoneInfo:
        """Where the hours are meant."""
        return ZoneInfo(self.calendar.time_zone)

    def away_until(self, at: datetime) -> date | None:
        """The last day of the absence that a moment falls in; null where there is none."""
        day = at.astimezone(self.zone).date()
        return max((a.last for a in self.absent if a.first <= day <= a.last), default=None)

    def is_open(self, at: datetime) -> bool:
        """Whether work is done at a moment."""
        return self.opens_at(at) == at

    def opens_at(self, at: datetime) -> datetime | None:
        """The moment itself if it is open, else when work begins again; null if that is more than a year away."""
        for start, end in self._spans(at):
            if end > at:
                return max(start, at)
        return None

    def after(self, at: datetime, minutes: float) -> datetime | None:
        """The moment when so many working minutes have passed since ``at``; null if that is more than a year away."""
        left = timedelta(minutes=minutes)
        for start, end in self._spans(at):
            start = max(start, at)  # noqa: PLW2901
            if end <= start:
                continue
            if left <= end - start:
                return start + left
            left -= end - start
        return None

    def why_closed(self, at: datetime) -> str | None:
        """Why no work is done at a moment, in words; null where it is."""
        until = self.away_until(at)
        if until:
            return f"absent until {until}"
        opens = self.opens_at(at)
        if opens == at:
            return None
        again = f"until {opens:%Y-%m-%d %H:%M} UTC" if opens else "for more than a year"
        return f"{self.calendar.why_closed_all_day(at.astimezone(self.zone).date()) or 'outside working hours'} {again}"

    def _spans(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open spans that end after ``at``, in order, joined where they meet."""
        first = at.astimezone(self.zone).date() - timedelta(days=1)
        pending: tuple[datetime, datetime] | None = None
        for ahead in range(MOST_DAYS_AHEAD):
            for start, end in self._spans_of(first + timedelta(days=ahead)):
                if pending is not None and start <= pending[1]:
                    pending = pending[0], max(end, pending[1])
                    # Somebody who never closes must not be followed for a year.
                    if pending[1] - pending[0] > timedelta(days=31) and pending[1] > at + timedelta(days=31):
                        yield pending
                        pending = pending[1], pending[1]
                    continue
                if pending is not None:
                    yield pending
                pending = start, end
        if pending is not None:
            yield pending

    def _spans_of(self, day: date) -> list[tuple[datetime, datetime]]:
        if self.calendar.why_closed_all_day(day) or any(a.first <= day <= a.last for a in self.absent):
            return []
        hours = ((0, 24 * 60),) if self.calendar.hours is None else self.calendar.hours.get(day.weekday(), ())
        return [
            (self._utc(day, start), self._utc(day, end if end > start else end + 24 * 60))
            for start, end in hours
            if start != end
        ]

    def _utc(self, day: date, minutes: int) -> datetime:
        local = datetime.combine(day + timedelta(days=minutes // 1440), time(minutes % 1440 // 60, minutes % 60))
        return local.replace(tzinfo=self.zone).astimezone(UTC)


@lru_cache(maxsize=256)
def _public_holidays(country: str, region: str | None, year: int) -> dict[date, str]:
    import holidays  # only where somebody asks: it costs 0.1 s

    return dict(holidays.country_holidays(country, subdiv=region, years=year, language="en_US"))
