"""What the HTTP client tries again, how long it waits, and when it leaves a host alone."""

from __future__ import annotations

import threading

import pytest

from aiqleads_pipeline_tests.doors.http_calls import NOW, call, client_of, replies
from aiqleads_pipeline_tests.doors.http_world import Site, reply
from resources.http import (
    AnswerLost,
    Breaker,
    CircuitOpen,
    Limits,
    NotConnected,
    PermanentError,
    RefusedStatus,
    UnavailableStatus,
    retry_after_seconds,
)

# --- retries -----------------------------------------------------------------------------------------------------


class World:
    """A client whose waits are noted instead of waited."""

    def __init__(self, **limits):
        self.waits, self.clock = [], 0.0
        self.breaker = Breaker(threshold=5, open_seconds=30, now=lambda: self.clock)
        self.limits = Limits(**{"max_retries": 3, "total_seconds": 600, **limits})
        self.client = client_of(limits=self.limits, sleep=self.sleep, breaker=self.breaker)

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.clock += seconds


@pytest.fixture
def world_of():
    made = []

    def make(**limits):
        made.append(World(**limits))
        return made[-1]

    yield make
    for world in made:
        world.client.close()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_transient_answers_are_asked_again(world_of, status):
    world = world_of()
    with Site(replies(reply(status), reply(status), reply(200, "done"))) as site:
        assert call(site, client=world.client).body == b"done"
        assert len(site.asked) == 3
    assert 0.25 <= world.waits[0] <= 0.5
    assert 0.5 <= world.waits[1] <= 1.0


@pytest.mark.parametrize("status", [300, 400, 401, 403, 404, 405, 409, 410, 413, 422, 451, 501, 505])
def test_permanent_answers_are_not_asked_again(world_of, status):
    world = world_of()
    with Site(lambda _: reply(status, '{"reason": "duplicate"}')) as site:
        with pytest.raises(RefusedStatus) as told:
            call(site, client=world.client)
        assert len(site.asked) == 1
    assert (told.value.status, told.value.answer.json()) == (status, {"reason": "duplicate"})
    assert isinstance(told.value, PermanentError)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), (" 0 ", 0), ("Mon, 23 Nov 2026 12:01:30 GMT", 90), ("Mon, 23 Nov 2026 11:00:00 GMT", 0),
     ("Monday, 23-Nov-26 12:00:10 GMT", 10), ("99999999999999999999", 86400), ("-1", None), ("soon", None), ("", None),
     (None, None), ("Mon, 99 Nov 2026 12:01:30 GMT", None), ("1.5", None), ("٣", None)],
)  # fmt: skip
def test_retry_after_in_both_forms(value, seconds):
    assert retry_after_seconds(value, NOW) == seconds


def test_a_retry_waits_as_long_as_it_was_asked_to(world_of):
    world = world_of()
    date = "Mon, 23 Nov 2026 12:00:20 GMT"
    answers = replies(reply(503, Retry_After="11"), reply(429, Retry_After=date), reply(200))
    with Site(answers) as site:
        call(site, client=world.client)
    assert world.waits == [11, 20]


def test_a_wait_longer_than_the_call_may_take_is_told_at_once(world_of):
    world = world_of(total_seconds=30)
    with Site(lambda _: reply(503, Retry_After="3600")) as site, pytest.raises(UnavailableStatus) as told:
        call(site, client=world.client)
    assert (told.value.retry_after_seconds, world.waits) == (3600, [])


def test_retries_are_bounded(world_of):
    world = world_of(max_retries=2)
    with Site(lambda _: reply(500)) as site:
        with pytest.raises(UnavailableStatus):
            call(site, client=world.client)
        assert len(site.asked) == 3


@pytest.mark.parametrize(("method", "options", "times"), [
    ("POST", {}, 1), ("PATCH", {}, 1), ("PUT", {}, 4), ("DELETE", {}, 4), ("GET", {}, 4),
    ("POST", {"may_repeat": True}, 4), ("GET", {"may_repeat": False}, 1),
])  # fmt: skip
def test_only_what_may_come_twice_is_sent_twice(world_of, method, options, times):
    world = world_of()
    with Site(lambda _: iter([b""])) as site:  # hangs up after it read the request
        with pytest.raises(AnswerLost):
            call(site, method, client=world.client, body=b"x" if method != "GET" else None, **options)
        assert len(site.asked) == times


def test_a_post_that_was_never_sent_is_tried_again(world_of):
    world = world_of()
    with Site(lambda _: reply()) as site:
        url = site.url
    with pytest.raises(NotConnected):
        world.client.call("POST", url, body=b"x")
    assert len(world.waits) == 3


def test_a_post_goes_over_no_used_connection():
    with Site(lambda _: reply(200, "x")) as site, client_of() as client:
        for _ in range(2):
            client.call("POST", site.url, body=b"lead")
        assert site.connections_count == 2
        for _ in range(2):
            client.call("POST", site.url, body=b"lead", may_repeat=True)
        assert site.connections_count == 2


def test_a_connection_that_the_site_closed_meanwhile_is_no_failure():
    # An iterator as an answer: the site hangs up behind it without having said so.
    with Site(lambda _: iter([reply(200, "x")])) as site, client_of() as client:
        for _ in range(5):
            assert client.call("GET", site.url).body == b"x"
        assert len(site.asked) == 5


# --- breaker -----------------------------------------------------------------------------------------------------


def test_a_host_that_keeps_failing_is_left_alone_and_tried_again(world_of):
    world = world_of(max_retries=0)
    healthy = threading.Event()
    with Site(lambda _: reply(200 if healthy.is_set() else 500)) as site, Site(lambda _: reply()) as other:
        for _ in range(5):
            with pytest.raises(UnavailableStatus):
                call(site, client=world.client)
        with pytest.raises(CircuitOpen) as told:
            call(site, client=world.client)
        assert (len(site.asked), round(told.value.retry_after_seconds)) == (5, 30)
        assert call(other, client=world.client).status == 200  # another host is not concerned
        world.clock += 31
        with pytest.raises(UnavailableStatus):
            call(site, client=world.client)  # the one that tries
        with pytest.raises(CircuitOpen):
            call(site, client=world.client)
        healthy.set()
        world.clock += 31
        assert call(site, client=world.client).status == 200
        assert call(site, client=world.client).status == 200
        assert len(site.asked) == 8


def test_a_pause_that_a_host_asked_for_holds_for_all_calls(world_of):
    world = world_of(max_retries=0)
    with Site(replies(reply(429, Retry_After="40"), reply(200))) as site:
        with pytest.raises(UnavailableStatus):
            call(site, client=world.client)
        with pytest.raises(CircuitOpen):
            call(site, client=world.client)
        world.clock += 41
        assert call(site, client=world.client).status == 200
        assert len(site.asked) == 2


def test_refusals_open_no_breaker(world_of):
    world = world_of(max_retries=0)
    with Site(lambda _: reply(404)) as site:
        for _ in range(8):
            with pytest.raises(RefusedStatus):
                call(site, client=world.client)
        assert len(site.asked) == 8


def test_one_of_many_threads_tries_a_failing_host():
    clock = [0.0]
    breaker = Breaker(threshold=1, open_seconds=10, now=lambda: clock[0])
    breaker.failed("a")
    clock[0] = 11
    admitted = []

    def try_it():
        try:
            breaker.admit("a")
            admitted.append(1)
        except CircuitOpen:
            pass

    threads = [threading.Thread(target=try_it) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 1
