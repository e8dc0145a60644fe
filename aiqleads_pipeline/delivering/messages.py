"""Builds the destinations that reach people, and says how each parcel is to go to whom: owners, digests, quiet hours.

Belongs here: from rules to ``resources.notify``. Does not belong here: protocols and words (there), and which alerts
are told (``alerting``).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiqleads_pipeline.delivering.kinds import Around
from aiqleads_pipeline.rules.calendars import Span
from aiqleads_pipeline.rules.destinations.messages import EmailDestination as EmailRule
from aiqleads_pipeline.rules.destinations.messages import PagerDutyDestination as PagerDutyRule
from aiqleads_pipeline.rules.destinations.messages import SlackDestination as SlackRule
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.teams import Owner, TeamRules, load_teams
from aiqleads_pipeline.settings import PROJECT_DIR
from resources.destinations import Parcel
from resources.notify import is_notice
from resources.notify.email import EmailDestination, Mailing
from resources.notify.pagerduty import PagerDutyDestination
from resources.notify.slack import SlackDestination
from resources.notify.smtp import MailServer
from resources.notify.templates import Templates
from resources.store import alert_groups

TEMPLATES = PROJECT_DIR / "data" / "templates" / "email"
URGENT_NOTICE = 1  # a notice of this priority waits for nobody's hours


def build_email(rule: EmailRule, around: Around) -> EmailDestination:
    """Mail to owners and whoever the rule names."""
    server = MailServer(
        rule.host,
        rule.port,
        rule.security,
        rule.username,
        around.secret(rule.secret) if rule.secret else None,
        around.outside.settings.EGRESS_ALLOW_LOOPBACK,
    )
    folder = around.rules_dir / rule.templates if rule.templates else TEMPLATES
    teams = FreshTeams(around.rules_dir)

    def mailing(parcel: Parcel) -> Mailing:
        return mailing_of(rule, parcel, teams(), around.outside.settings.now())

    sender = (rule.sender_name, rule.sender)
    return EmailDestination(rule.name, server, sender, Templates(folder), mailing, rule.chunk_size)


def build_slack(rule: SlackRule, around: Around) -> SlackDestination:
    """A channel by its webhook."""
    return SlackDestination(rule.name, around.secret(rule.secret), around.client)


def build_pagerduty(rule: PagerDutyRule, around: Around) -> PagerDutyDestination:
    """An on-call service by its routing key."""

    def is_over(body: Mapping[str, Any]) -> bool:
        incident = str(body.get("incident") or "")
        if not incident.startswith(f"{rule.name}:"):
            return False
        return alert_groups.is_over(around.outside.store, rule.name, incident.removeprefix(f"{rule.name}:"))

    return PagerDutyDestination(rule.name, rule.url, around.secret(rule.secret), around.client, is_over)


class FreshTeams:
    """``teams.yaml``, read anew when it changes; while it has faults, as it was. Threads may share it."""

    def __init__(self, rules_dir: Path) -> None:
        self._rules_dir = rules_dir
        self._seen: tuple[int, int] | None = None
        self._teams: TeamRules | None = None
        self._lock = threading.Lock()

    def __call__(self) -> TeamRules:
        """The teams as they stand now.

        Raises:
            RulesError: they never were without faults.
        """
        with self._lock:
            stat = (self._rules_dir / "teams.yaml").stat()
            seen = stat.st_mtime_ns, stat.st_size
            if self._teams is None or seen != self._seen:
                try:
                    self._teams = load_teams(self._rules_dir)
                except RulesError:
                    if self._teams is None:
                        raise
                self._seen = seen
            return self._teams


def mailing_of(rule: EmailRule, parcel: Parcel, teams: TeamRules, now: datetime) -> Mailing:
    """To whom a parcel goes, and when."""
    named = parcel.body.get("owners") if is_notice(parcel) else None if rule.to else [parcel.body.get("owner")]
    if named is None:
        fixed = tuple(("", address) for address in rule.to)
        return Mailing(fixed, digest=False) if fixed else Mailing(why_not="no_recipient")
    owners = [teams.owner_by_id[each] for each in named if each in teams.owner_by_id]
    if not owners:
        return Mailing(why_not="no_recipient")
    recipients = tuple((owner.name, owner.email) for owner in owners)
    if is_notice(parcel):
        is_urgent = parcel.priority <= URGENT_NOTICE
        until = None if is_urgent else max((_quiet_until(o, teams, now) or now for o in owners), default=now)
        return Mailing(recipients, hold_seconds=_seconds(until, now))
    return _lead_mailing(rule, owners[0], recipients, parcel, teams, now)


def _lead_mailing(
    rule: EmailRule,
    owner: Owner,
    recipients: tuple[tuple[str, str], ...],
    parcel: Parcel,
    teams: TeamRules,
    now: datetime,
) -> Mailing:
    prefs = owner.notify
    if prefs.mode == "off":
        return Mailing(why_not="muted")
    if f"P{parcel.priority}" in prefs.urgent:
        return Mailing(recipients)
    is_digest = prefs.mode == "digest" or rule.mode == "digest"
    until = _digest_at(owner, teams, parcel.created_at) if is_digest else None
    quiet = _quiet_until(owner, teams, max(now, until or now))
    return Mailing(recipients, is_digest, _seconds(quiet or until, now))


def _digest_at(owner: Owner, teams: TeamRules, created_at: datetime) -> datetime:
    """The first digest after a parcel came."""
    local = created_at.astimezone(teams.clocks[owner.id].zone)
    times = sorted(owner.notify.digest_at)
    moments = (_at(local, day, minutes) for day in range(2) for minutes in times)
    return next(moment for moment in moments if moment > created_at)


def _quiet_until(owner: Owner, teams: TeamRules, at: datetime) -> datetime | None:
    """When the owner may be told again; None if that is now."""
    clock = teams.clocks[owner.id]
    until = _span_end(owner.notify.quiet, at.astimezone(clock.zone)) if owner.notify.quiet else None
    if owner.notify.only_open:
        opens = clock.opens_at(until or at)
        until = opens if opens is not None and opens > at else until
    return until


def _span_end(span: Span, local: datetime) -> datetime | None:
    start, end = span
    minute = local.hour * 60 + local.minute
    is_within = start <= minute < end if start < end else minute >= start or minute < end
    return _at(local, int(minute >= end), end) if is_within else None


def _at(local: datetime, days: int, minutes: int) -> datetime:
    day = local.date() + timedelta(days=days + minutes // 1440)
    clock = datetime(day.year, day.month, day.day, minutes % 1440 // 60, minutes % 60, tzinfo=local.tzinfo)
    return clock.astimezone(UTC)


def _seconds(until: datetime | None, now: datetime) -> float | None:
    return None if until is None or until <= now else (until - now).total_seconds()
