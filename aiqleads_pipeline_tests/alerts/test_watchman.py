"""The watchman: sees a daemon that stands still, tells while the database is away, pings while all is well."""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from aiqleads_pipeline.alerting import watchman as module
from aiqleads_pipeline.alerting.watchman import Watchman, dagster_heartbeats
from resources.store import alerts
from resources.store.errors import StoreUnavailable

DEAD_MAN = "dead_man: {daemon_silence: 2 min, database_silence: 1 min, ping_url_secret: PING}\n"
PAGER = """
destinations:
  - {name: on_call, kind: pagerduty, url: "URL", secret: PD}
"""


@pytest.fixture
def site():
    """Takes events and pings; each call is kept."""
    calls = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            length = int(self.headers.get("content-length") or 0)
            calls.append((self.command, self.path, self.rfile.read(length)))
            self.send_response(202)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST = answer

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", calls
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def beats():
    return {}


@pytest.fixture
def watchman(world, site, beats, monkeypatch):
    url, _ = site
    monkeypatch.setenv("AIQLEADS_SECRET__PING", f"{url}/ping")
    monkeypatch.setenv("AIQLEADS_SECRET__PD", "routing-key")
    world.write("alerts.yaml", "routes: [{to: [on_call], wait: 0 s}]\n" + DEAD_MAN)
    world.write("destinations.yaml", PAGER.replace("URL", f"{url}/v2/enqueue"))
    said = []
    found = Watchman(world.outside, lambda: beats, said.append)
    found._started_at = world.now
    found.said = said
    yield found
    found.close()


def test_a_daemon_that_stands_still_is_told_and_one_that_is_back_heals(world, watchman, beats, site):
    beats["SENSOR"] = world.now.timestamp()
    assert watchman.tick(world.now)
    assert [call[1] for call in site[1]] == ["/ping"]
    world.later(minutes=2, seconds=1)
    watchman.tick(world.now)
    [alert] = alerts.open_alerts(world.outside.store)
    assert (alert["code"], alert["subject"]) == ("daemon_silent", "SENSOR")
    assert len(site[1]) == 1, "no ping while something stands: whoever listens there tells too"
    assert any(line.startswith("ALERT error daemon_silent SENSOR") for line in watchman.said)
    beats["SENSOR"] = world.later(seconds=1).timestamp()
    watchman.tick(world.now)
    assert [topic for topic, *_ in world.notices()] == ["alert.opened", "alert.healed"]
    assert len(site[1]) == 2


def test_a_daemon_that_never_came_is_missed(world, watchman, beats):
    beats["SCHEDULER"] = None
    watchman.tick(world.now)
    assert alerts.open_alerts(world.outside.store) == []
    watchman.tick(world.later(minutes=3))
    assert [a["subject"] for a in alerts.open_alerts(world.outside.store)] == ["SCHEDULER"]


def test_a_database_that_is_away_is_told_without_it(world, watchman, site, monkeypatch):
    def away(*_args):
        raise StoreUnavailable("the database is not available")

    with monkeypatch.context() as broken:
        broken.setattr(module, "look_once", away)
        broken.setattr(module.alerts, "reconcile", away)
        assert not watchman.tick(world.now)
        assert site[1] == []
        for _ in range(3):
            watchman.tick(world.later(minutes=1))
    watchman.tick(world.later(seconds=5))
    events = [json.loads(body) for _, path, body in site[1] if path == "/v2/enqueue"]
    assert [event["event_action"] for event in events] == ["trigger", "resolve"], "once each"
    assert events[0]["dedup_key"] == events[1]["dedup_key"]
    assert events[0]["payload"]["summary"] == "The database does not answer"


def test_a_fault_in_the_rules_leaves_the_rest_at_work(world, watchman, beats):
    world.write("slas.yaml", "enabled: perhaps")
    world.write("alerts.yaml", "routes: 7")
    beats["SENSOR"] = (world.now - timedelta(hours=1)).timestamp()
    assert watchman.tick(world.later(minutes=3))
    assert [a["code"] for a in alerts.open_alerts(world.outside.store)] == ["daemon_silent"]
    assert watchman.tick(world.now)
    assert len([line for line in watchman.said if "slas.yaml:1" in line]) == 1, "said once"


def test_heartbeats_are_dagsters_own():
    class Beat:
        timestamp = 5.0

    class Instance:
        def get_daemon_heartbeats(self):
            return {"SENSOR": Beat()}

        def get_required_daemon_types(self):
            return ["SENSOR", "SCHEDULER"]

    assert dagster_heartbeats(Instance())() == {"SENSOR": 5.0, "SCHEDULER": None}
