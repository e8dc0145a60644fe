"""What every destination has, and what every one has that is sent to over the network.

Belongs here: names, who gets what, budgets, schedules, quiet hours. Each kind's own keys are beside this module.
"""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from aiqleads_pipeline.contract import PRIORITIES
from aiqleads_pipeline.rules.destinations.schedules import DEFAULT_SCHEDULE
from aiqleads_pipeline.rules.loading import RuleModel

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Priority = Literal["P1", "P2", "P3", "P4"]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


def _web_url(text: str) -> str:
    """Read for its outline only: whether it may be called is decided by the guard when it is dialled."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("this is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("this is no http or https URL")
    if "@" in parts.netloc:
        raise ValueError("the URL holds credentials: give them as `secret: NAME`")
    return text


WebUrl = Annotated[str, Field(max_length=2000, pattern=r"^[^\s\x00-\x1f\\]+$"), AfterValidator(_web_url)]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone such as Europe/Berlin") from None
    return name


class QuietHours(RuleModel):
    """Hours in which only deliveries of the priorities named in ``but`` are made; the others wait for their end."""

    from_: Annotated[Clock, Field(alias="from")]
    to: Clock
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    but: tuple[Priority, ...] = ("P1",)

    def contain(self, moment: datetime) -> bool:
        """Whether a moment lies in them; hours that end before they begin go on over midnight."""
        local = moment.astimezone(ZoneInfo(self.time_zone)).time()
        begin, end = time.fromisoformat(self.from_), time.fromisoformat(self.to)
        return begin <= local < end if begin < end else local >= begin or local < end

    @property
    def priorities(self) -> tuple[int, ...]:
        """The priorities that go through, as numbers."""
        return tuple(int(each[1]) for each in self.but)


class Destination(RuleModel):
    """One place that leads are delivered to. Without ``teams`` or ``priorities`` it gets those of all."""

    gets_leads: ClassVar[bool] = True

    name: Name
    kind: str
    enabled: bool = True
    leads: bool | None = None
    teams: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    priorities: Annotated[tuple[Priority, ...], Field(min_length=1, max_length=len(PRIORITIES))] | None = None

    @property
    def takes_leads(self) -> bool:
        """Whether routed leads are meant for it; every destination may get notices that are posted to it by name."""
        return self.gets_leads if self.leads is None else self.leads

    @property
    def goes_by_batch(self) -> bool:
        """Whether its leads go out together, as their batch's file, instead of each on its own."""
        return self.kind == "file"

    def folder_in(self, home: Path) -> Path:
        """Where the files of one that goes by batch are written."""
        return home / "deliveries" / self.name

    def as_row(self) -> dict[str, Any]:
        """What ``sql/stages/deliver`` needs to know of it."""
        return {
            "name": self.name,
            "goes_by_batch": self.goes_by_batch,
            "teams": self.teams,
            "priorities": self.priorities,
        }


class FileDestination(Destination):
    """One NDJSON file per batch."""

    kind: Literal["file"]
    folder: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")] | None = None

    def folder_in(self, home: Path) -> Path:
        """Where the files are written; a relative folder lies under the home."""
        return home / (self.folder or "deliveries") / self.name


class SentDestination(Destination):
    """A destination that is sent to, each delivery on its own: the worker drains its part of the outbox.

    Rate and concurrency are of all processes together. A call carries up to ``chunk_size`` deliveries.
    """

    is_webhook: ClassVar[bool] = False  # waits while FEATURE_FLAGS__enableWebhooks is off

    rate_per_second: Annotated[float, Field(gt=0, le=100_000)] | None = None  # calls; None: as fast as it takes them
    concurrency: Annotated[int, Field(ge=1, le=64)] = 4  # calls at once
    chunk_size: Annotated[int, Field(ge=1, le=10_000)] = 1
    timeout_seconds: Annotated[float, Field(ge=0.1, le=3600)] | None = None  # None: DELIVERY_TIMEOUT
    retries: Annotated[str, Field(min_length=1, max_length=63)] = DEFAULT_SCHEDULE
    warn_after_days: Annotated[tuple[Annotated[float, Field(gt=0, le=365)], ...], Field(max_length=10)] = (1, 3)
    off_after_days: Annotated[float, Field(gt=0, le=365)] = 5
    quiet_hours: QuietHours | None = None

    @model_validator(mode="after")
    def _warns_before_the_end(self) -> SentDestination:
        if any(days >= self.off_after_days for days in self.warn_after_days):
            raise ValueError("`warn_after_days` must come before `off_after_days`")
        return self
