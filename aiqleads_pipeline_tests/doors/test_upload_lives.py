"""Uploads of services with limits of their own, and of one that is killed between bucket and ledger."""

from __future__ import annotations

import http.client
import signal
from collections.abc import Callable

import pytest

from aiqleads_pipeline_tests.doors.conftest import private_folder, serving, wait_for
from aiqleads_pipeline_tests.doors.upload_world import (
    Sender,
    sender,
)
from resources.durable import CRASH_AT
from resources.store import batches, drops


def test_limits_of_size_of_batches_and_of_listeners(make_database: Callable[[], str]) -> None:
    limits = {"MAX_UPLOAD_MB": 1, "MAX_OPEN_UPLOADS": 2, "API_MAX_LISTENERS": 1, "API_HEARTBEAT_SECONDS": 0.1}
    with private_folder() as home, serving(make_database(), home, **limits) as service:
        client = sender(service)
        big = b"Last Name,Email\n" + b"x" * (1 << 20)
        assert client.upload(big).code == "body_too_large"
        assert client.upload_form(big).code == "body_too_large"
        assert client.upload(big + bytes(1 << 20)).code == "body_too_large"
        batch_id = client.sent("Last Name,Email\nA,a@b.com\n")
        client.sent("Last Name,Email\nB,b@b.com\n")
        third = client.upload("Last Name,Email\nC,c@b.com\n")
        assert (third.status, third.code) == (429, "too_many_uploads")
        assert client.sent("Last Name,Email\nA,a@b.com\n") == batch_id
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        connection.request("GET", f"/v1/uploads/{batch_id}/events", headers={"X-API-Key": client.key})
        answer = connection.getresponse()
        lines = iter(answer.readline, b"")
        assert any(line.startswith(b": still here") for line in lines)
        full = client.ask("GET", f"/v1/uploads/{batch_id}/events")
        assert (full.status, full.code) == (503, "overloaded")
        service.process.send_signal(signal.SIGTERM)
        assert b"event: end" not in b"".join(lines)  # it ends with the process, whole
        assert service.process.wait(9) == 0
        connection.close()


def test_killed_between_bucket_and_ledger_the_file_sent_again_is_one_batch(make_database: Callable[[], str]) -> None:
    url = make_database()
    text = "Last Name,Email\nA,a@b.com\n"
    with private_folder() as home:
        with serving(url, home, **{CRASH_AT.removeprefix("AIQLEADS_"): "before:store:register_upload"}) as service:
            client = sender(service)
            with pytest.raises((OSError, http.client.HTTPException)):
                client.upload(text)
            assert wait_for(service.process.poll) == -signal.SIGKILL
        with serving(url, home) as service:
            batch_id = Sender(service, client.client, client.key).sent(text)
            assert [batch.batch_id for batch in batches.open_batches(service.store)] == [batch_id]
            [drop] = drops.drops_of(service.store, batch_id)
            assert (home / "bucket/.drops" / drop.content_sha256[:2] / drop.content_sha256).read_text() == text
