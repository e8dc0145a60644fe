"""The test button over HTTP: one made-up lead goes out, for operators only, and nothing of secrets comes back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline_tests.deliver.delivery_world import SECRET, Receiver, hook
from aiqleads_pipeline_tests.doors.conftest import private_folder, serving
from aiqleads_pipeline_tests.doors.http_world import reply
from resources.store import keys


@pytest.fixture(scope="module")
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def ask(make_database, tmp_path_factory, receiver):
    rules = tmp_path_factory.mktemp("rules")
    for file in Settings().rules_dir.glob("*.yaml"):
        (rules / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    unusable = hook(receiver, "nosecret").replace("secret: HOOK", "secret: NOT_SET")
    listed = f"destinations:\n  - {{{hook(receiver)}}}\n  - {{{unusable}}}\n"
    (rules / "destinations.yaml").write_text(listed, encoding="utf-8")
    given = {"RULES_DIR": rules, "EGRESS_ALLOW_LOOPBACK": True, "AIQLEADS_SECRET__HOOK": SECRET}
    with private_folder() as home, serving(make_database(), home, **given) as up:

        def ask(name, role="ops"):
            key = keys.create_key(up.store, "acme", role, datetime.now(UTC)).api_key
            return up.ask("POST", f"/v1/destinations/{name}/test", None, {"X-API-Key": key})

        yield ask


def test_a_made_up_lead_goes_out_once_past_the_outbox(ask, receiver):
    receiver.say = lambda asked: None
    before = len(receiver.effects)
    tested = ask("hook")
    assert (tested.status, tested.json) == (
        200, {"destination": "hook", "outcome": "delivered", "status_code": 202, "error_code": None},
    )  # fmt: skip
    assert len(receiver.effects) == before + 1


def test_a_refusal_is_told_by_its_code_without_what_the_receiver_said(ask, receiver):
    receiver.say = lambda asked: reply(422, '{"error": "test@example.com is unwelcome"}')
    tested = ask("hook", role="admin")
    assert (tested.status, tested.json["status_code"], tested.json["error_code"]) == (200, 422, "receiver_refused")
    assert b"unwelcome" not in tested.body


def test_an_unknown_and_an_unusable_destination_are_told_apart(ask):
    unknown = ask("other")
    assert (unknown.status, unknown.code) == (404, "not_found")
    unusable = ask("nosecret")
    assert (unusable.status, unusable.code) == (409, "destination_unusable")
    assert b"NOT_SET" not in unusable.body


@pytest.mark.parametrize("role", ["client", "viewer"])
def test_only_operators_may(ask, receiver, role):
    before = len(receiver.effects)
    assert ask("hook", role=role).status == 403
    assert len(receiver.effects) == before
