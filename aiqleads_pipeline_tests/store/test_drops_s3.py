"""The ledger over an object store: an object is complete when it can be seen."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from resources.bucket import Bucket
from resources.store.database import Store
from resources.store.drops import Discovery, discover, drops_of

NOW = datetime(2026, 11, 23, 15, 45, 30, tzinfo=UTC)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import boto3
    import fsspec
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    client.create_bucket(Bucket="leads")
    yield client
    client.close()
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    server.stop()


def test_objects_make_batches_when_they_are_seen_and_repeats_make_none(s3: Any, store: Store) -> None:
    bucket = Bucket("s3://leads")
    s3.put_object(Bucket="leads", Key="uploads/acme/leads.csv", Body=b"same")
    s3.put_object(Bucket="leads", Key="webhooks/meta/1.json", Body=b"{}")
    found = discover(bucket, store, NOW, 2.0, {})
    assert len(found.batches) == 2 and found.waiting == {}
    assert discover(bucket, store, NOW, 2.0, {}) == Discovery((), (), {}, {})
    s3.put_object(Bucket="leads", Key="uploads/acme/copy.csv", Body=b"same")
    again = discover(bucket, store, NOW, 2.0, {})
    assert again.batches == ()
    assert [(each.name, each.source) for each in again.repeats] == [("copy.csv", "acme")]
    assert [each.uri for each in drops_of(store, again.repeats[0].batch_id)] == ["s3://leads/uploads/acme/leads.csv"]
