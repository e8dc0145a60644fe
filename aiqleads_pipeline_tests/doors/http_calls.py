"""What the tests of the HTTP client share: a client of short limits, and one call by it."""

from __future__ import annotations

import datetime as dt

from resources.http import (
    HttpClient,
    Limits,
)

ONCE = Limits(max_retries=0)
BRISK = Limits(max_retries=0, read_seconds=5, total_seconds=0.4)
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
HEAD = b"HTTP/1.1 200 OK\r\n"


def client_of(**options):
    options.setdefault("limits", ONCE)
    return HttpClient(allow_loopback=True, wall_now=lambda: NOW, **options)


def call(site, method="GET", path="/", client=None, **options):
    if client is not None:
        return client.call(method, site.url + path, **options)
    with client_of() as own:
        return own.call(method, site.url + path, **options)


def dripping(site, prefix, drop):
    yield prefix
    while not site[0].stopped.wait(0.02):
        yield drop


def replies(*answers):
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]
