"""A real S3 server on the loopback (moto), and clients that find it by the environment, as users configure it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A plain S3 client (what other people's programs drop files with) and an empty bucket ``leads``."""
    import boto3
    import fsspec

    for name, value in {
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="leads")
    yield client
    for found in client.list_objects_v2(Bucket="leads").get("Contents", ()):
        client.delete_object(Bucket="leads", Key=found["Key"])
    client.delete_bucket(Bucket="leads")
    client.close()
    fsspec.get_filesystem_class("s3").clear_instance_cache()
