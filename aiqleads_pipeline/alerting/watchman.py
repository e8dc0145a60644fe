"""The watchman: a process beside Dagster that looks, tells, and watches Dagster's own daemon.

Belongs here: the loop, and what is told without the database while it is away. One watchman works per home; while none
does, a sensor does the same, but for watching the daemon that it runs in.
"""

from __future__ import annotations

import signal
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType
from typing import Any, Protocol

from sqlalchemy.exc import DBAPIError

from aiqleads_pipeline.alerting.slas import tick_clocks
from aiqleads_pipeline.alerting.telling import tell_alerts
from aiqleads_pipeline.alerting.watches import watch_all
from aiqleads_pipeline.delivering.kinds import NotBuilt, build
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.reasons import REASONS
from aiqleads_pipeline.rules.alerts import AlertRules, load_alerts, no_alert_rules
from aiqleads_pipeline.rules.destinations import load_destinations
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.slas import load_slas
from aiqleads_pipeline.rules.teams import load_teams
from aiqleads_pipeline.settings import SettingsError, secret
from resources.destinations import Outcome, Parcel
from resources.http import HttpClient, HttpError, Limits
from resources.store import alerts
from resources.store.errors import LeaseHeld, LeaseLost, StoreError, StoreUnavailable
from resources.store.leases import Lease, held, holder_name

WATCHMAN_LEASE = "watchman"
TICK_SECONDS = 5.0
TELL_SECONDS = 10.0
_NAMES = uuid.UUID("5f0f2f3a-7a0e-5c1b-8f6e-2f2f5d1c9a10")
Say = Callable[[str], None]


class HeartbeatsUnknown(Exception):
    """Dagster's storage does not answer."""


class Heartbeats(Protocol):
    """What is asked of Dagster."""

    def __call__(self) -> dict[str, float | None]:
        """By each daemon that must run, its last sign of life (seconds since 1970); None: none yet."""


def look_once(outside: Outside, rules: AlertRules, now: datetime, say: Say) -> None:
    """Look at everything, tell what is to be told. A fault in one file of rules leaves the rest at work.

    Raises:
        StoreUnavailable
    """
    rules_dir = outside.settings.rules_dir
    watch_all(outside, rules, now)
    try:
        tick_clocks(outside, load_slas(rules_dir), load_teams(rules_dir), now)
    except RulesError as error:
        say(f"the clock of promises stands: {error}")
    tell_alerts(outside, rules, now)


class Watchman:
    """One look after the other; what it remembers is for the database being away."""

    def __init__(self, outside: Outside, heartbeats: Heartbeats, say: Say, client: HttpClient | None = None) -> None:
        self._outside, self._heartbeats, self._say = outside, heartbeats, say
        self._client = client or HttpClient(allow_loopback=outside.settings.EGRESS_ALLOW_LOOPBACK)
        self._started_at = outside.settings.now()
        self._rules = no_alert_rules()
        self._said: set[str] = set()
        self._seen_alert_id: int | None = None
        self._away_since: datetime | None = None
        self._told_away: set[str] = set()
        self._pinged_at: datetime | None = None

    def tick(self, now: datetime) -> bool:
        """Look once; False while the database is away."""
        self._read_rules()
        try:
            is_well = self._watch_daemon(now)
            look_once(self._outside, self._rules, now, self._say_once)
            self._say_new()
        except (StoreUnavailable, HeartbeatsUnknown) as error:
            self._note_away(now, str(error))
            return False
        self._note_back(now)
        if is_well:
            self._ping(now)
        return True

    def close(self) -> None:
        """Let connections go."""
        self._client.close()

    def _read_rules(self) -> None:
        try:
            self._rules = load_alerts(self._outside.settings.rules_dir)
        except RulesError as error:
            self._say_once(f"alerts are told as before: {error}")

    def _watch_daemon(self, now: datetime) -> bool:
        limit = self._rules.content.dead_man.daemon_silence
        silent = {}
        for name, at in self._heartbeats().items():
            since = self._started_at if at is None else max(datetime.fromtimestamp(at, UTC), self._started_at)
            if now - since > limit:
                silent[name] = ("error", f"no sign of life since {since:%Y-%m-%d %H:%M:%S} UTC")
        alerts.reconcile(self._outside.store, "daemon_silent", silent, now)
        return not silent

    def _say_new(self) -> None:
        """On the terminal too: not everybody has routes yet."""
        found = alerts.open_alerts(self._outside.store, 100)
        if self._seen_alert_id is not None:
            for alert in sorted(found, key=lambda each: each["alert_id"]):
                if alert["alert_id"] > self._seen_alert_id:
                    self._say(f"ALERT {alert['severity']} {alert['code']} {alert['subject']}: {alert['detail'][:200]}")
        self._seen_alert_id = max([self._seen_alert_id or 0, *(alert["alert_id"] for alert in found)])

    def _note_away(self, now: datetime, detail: str) -> None:
        self._away_since = self._away_since or now
        if now - self._away_since >= self._rules.content.dead_man.database_silence:
            self._tell_directly(now, detail, is_healed=False)

    def _note_back(self, now: datetime) -> None:
        if self._away_since is not None:
            if self._told_away:
                self._tell_directly(now, "", is_healed=True)
            self._away_since, self._told_away = None, set()

    def _tell_directly(self, now: datetime, detail: str, *, is_healed: bool) -> None:
        """Without the outbox, which lies in the database. Once to each destination, under an id of the outage."""
        since = self._away_since or now
        names = {name for route in self._rules.routes_of("database_away", "error", "database") for name in route.to}
        names = self._told_away & names if is_healed else names - self._told_away
        body = _away_body(since, detail, is_healed)
        for name in sorted(names):
            parcel_id = uuid.uuid5(_NAMES, f"{name} {since.isoformat()} {is_healed}")
            if self._send(name, Parcel(parcel_id, parcel_id, name, 1, 1, now, body)) and not is_healed:
                self._told_away.add(name)

    def _send(self, name: str, parcel: Parcel) -> bool:
        try:
            rule = load_destinations(self._outside.settings.rules_dir).sent[name]
            built = build(rule, self._outside)
        except (NotBuilt, RulesError, KeyError) as error:
            self._say_once(f"nothing can be told to {name}: {error}")
            return False
        try:
            [receipt] = built.destination.deliver([parcel], timeout_seconds=TELL_SECONDS)
            return receipt.outcome is Outcome.DELIVERED
        finally:
            built.close()

    def _ping(self, now: datetime) -> None:
        dead_man = self._rules.content.dead_man
        is_due = self._pinged_at is None or now - self._pinged_at >= dead_man.ping_every
        if dead_man.ping_url_secret is None or not is_due:
            return
        self._pinged_at = now
        try:
            url = secret(dead_man.ping_url_secret).get_secret_value()
            self._client.call("GET", url, limits=Limits(total_seconds=TELL_SECONDS, max_retries=1))
        except (HttpError, SettingsError) as error:
            self._say_once(f"the ping failed: {error}")

    def _say_once(self, line: str) -> None:
        if line not in self._said:
            self._said = {*list(self._said)[-100:], line}
            self._say(line)


def run_watchman(outside: Outside, heartbeats: Heartbeats, say: Say) -> None:
    """Watch until SIGTERM or SIGINT; another watchman of the same home waits for its turn."""
    stop = threading.Event()

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    watchman = Watchman(outside, heartbeats, say)
    try:
        while not stop.is_set():
            try:
                seconds = outside.settings.LEASE_SECONDS
                with held(outside.store, WATCHMAN_LEASE, holder_name("watchman"), seconds) as lease:
                    _watch(watchman, outside, lease, stop)
            except (LeaseHeld, LeaseLost):
                stop.wait(TICK_SECONDS)
            except StoreError:  # no lease without the database: whoever had it last goes on watching for its return
                watchman.tick(outside.settings.now())
                stop.wait(TICK_SECONDS)
    finally:
        watchman.close()


def _watch(watchman: Watchman, outside: Outside, lease: Lease, stop: threading.Event) -> None:
    while not stop.is_set():
        if watchman.tick(outside.settings.now()):
            lease.check()
        stop.wait(TICK_SECONDS)


def _away_body(since: datetime, detail: str, is_healed: bool) -> dict[str, Any]:
    reason = REASONS["database_away"]
    return {
        "topic": "alert.healed" if is_healed else "alert.opened",
        "created_at": since.isoformat(),
        "incident": f"database_away#{since.isoformat()}",
        "group": "database_away",
        "code": "database_away",
        "severity": "error",
        "is_healed": is_healed,
        "summary": "The database does not answer",
        "what_to_do": reason.how_to_fix,
        "command": "aiqleads doctor",
        "alerts": [{"subject": "database", "detail": detail[:300], "severity": "error", "code": "database_away"}],
        "more_count": 0,
    }


def dagster_heartbeats(instance: Any) -> Heartbeats:
    """The heartbeats of a Dagster instance's daemons."""

    def ask() -> dict[str, float | None]:
        try:
            seen = instance.get_daemon_heartbeats()
        except DBAPIError:
            raise HeartbeatsUnknown("Dagster's storage does not answer") from None
        return {name: seen[name].timestamp if name in seen else None for name in instance.get_required_daemon_types()}

    return ask
