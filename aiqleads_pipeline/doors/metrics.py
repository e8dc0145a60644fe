"""The service's own numbers for Prometheus, over all workers of one `aiqleads serve`.

Belongs here: names, units and labels. A label is a route's template, a status, a reason code; never what a client sent.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # set by `aiqleads serve` where there are several workers
CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

REGISTRY = CollectorRegistry()
REQUESTS = Counter("aiqleads_requests", "Requests answered", ("method", "route", "status"), registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "aiqleads_request_seconds", "Time to the answer's first byte", ("route",), buckets=_SECONDS, registry=REGISTRY
)
REFUSED = Counter("aiqleads_refused", "Requests refused, by reason code", ("code",), registry=REGISTRY)
AT_WORK = Gauge("aiqleads_requests_at_work", "Requests being answered", registry=REGISTRY, multiprocess_mode="livesum")
BREAKER_OPEN = Gauge(
    "aiqleads_breaker_open", "Workers whose breaker is open", registry=REGISTRY, multiprocess_mode="livesum"
)
CUT_OFF = Counter("aiqleads_connections_cut_off", "Connections ended by a limit", ("limit",), registry=REGISTRY)

_counters: dict[tuple[str, str, int], Counter] = {}
_histograms: dict[str, Histogram] = {}


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answer. Children are kept at hand: looking them up by labels costs more than counting."""
    key = (method, route, status)
    counter = _counters.get(key)
    if counter is None:
        counter = _counters[key] = REQUESTS.labels(method, route, str(status))
    counter.inc()
    histogram = _histograms.get(route)
    if histogram is None:
        histogram = _histograms[route] = REQUEST_SECONDS.labels(route)
    histogram.observe(seconds)


def exposition() -> bytes:
    """All numbers in the text format, of all workers where there are several."""
    if SHARED_FOLDER not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
