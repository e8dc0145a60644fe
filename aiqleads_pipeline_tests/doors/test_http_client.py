"""The HTTP client against real sites that behave badly: sizes, times and answers that are none."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
import zlib

import pytest

from aiqleads_pipeline_tests.doors.http_calls import BRISK, HEAD, call, client_of, dripping
from aiqleads_pipeline_tests.doors.http_world import Site, reply
from resources.http import (
    AnswerLost,
    AnswerTooLarge,
    BadAnswer,
    HttpError,
    Limits,
    NotConnected,
    TimedOut,
    TransientError,
    UnknownHost,
)

# --- sizes ------------------------------------------------------------------------------------------------------


def test_a_body_over_the_limit_is_refused_before_it_is_read():
    limits = Limits(max_retries=0, max_body_bytes=1000)
    with Site(lambda _: reply(200, b"x" * 1001)) as site, pytest.raises(AnswerTooLarge):
        call(site, limits=limits)
    with Site(lambda _: reply(200, b"x" * 1000)) as site:
        assert len(call(site, limits=limits).body) == 1000


def test_a_body_without_a_length_is_cut_off():
    def endless(_):
        yield HEAD + b"\r\n"
        yield from itertools.repeat(b"x" * 65536)

    with Site(endless) as site, pytest.raises(AnswerTooLarge):
        call(site, limits=Limits(max_retries=0, max_body_bytes=200_000))


def test_a_chunked_body_is_cut_off():
    def endless(_):
        yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        yield from itertools.repeat(b"4\r\nabcd\r\n" * 1000)

    with Site(endless) as site, pytest.raises(AnswerTooLarge):
        call(site, limits=Limits(max_retries=0, max_body_bytes=100_000))


def bombs():
    zeros = b"\0" * (64 << 20)
    once = gzip.compress(zeros)
    yield "gzip", once
    yield "deflate", zlib.compress(zeros)
    yield "gzip, gzip", gzip.compress(once)
    yield "x-gzip", once


@pytest.mark.parametrize(("encoding", "body"), list(bombs()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_decompression_bomb_is_refused_within_the_limit(encoding, body):
    with Site(lambda _: reply(200, body, Content_Encoding=encoding)) as site, pytest.raises(AnswerTooLarge):
        call(site, limits=Limits(max_retries=0, max_body_bytes=1 << 20))


def test_a_stream_that_unpacks_to_nothing_is_cut_off():
    """Empty deflate blocks unpack to nothing, so that only the bytes on the wire tell that it never ends."""
    packer = zlib.compressobj(wbits=31)
    start = packer.compress(b"")
    empty = packer.flush(zlib.Z_FULL_FLUSH)

    def endless(_):
        yield HEAD + b"Content-Encoding: gzip\r\n\r\n" + start
        yield from itertools.repeat((empty or b"\0\0\0\xff\xff") * 10_000)

    with Site(endless) as site, pytest.raises((AnswerTooLarge, BadAnswer)):
        call(site, limits=Limits(max_retries=0, max_body_bytes=1 << 20))


def test_packed_answers_are_unpacked():
    text = b"a long text " * 1000
    for encoding, body in (("gzip", gzip.compress(text)), ("deflate", zlib.compress(text)), ("identity", text)):
        with Site(lambda _, b=body, e=encoding: reply(200, b, Content_Encoding=e)) as site:
            assert call(site).body == text


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "compress", "nonsense"])
def test_an_encoding_that_was_not_asked_for_is_refused(encoding):
    with Site(lambda _: reply(200, b"x", Content_Encoding=encoding)) as site, pytest.raises(BadAnswer):
        call(site)


def test_a_damaged_packed_answer_is_refused():
    with Site(lambda _: reply(200, b"no gzip at all", Content_Encoding="gzip")) as site, pytest.raises(BadAnswer):
        call(site)


def huge_headers():
    yield "one long line", itertools.chain([HEAD + b"X: "], itertools.repeat(b"y" * 4096))
    yield "many lines", itertools.chain([HEAD], itertools.repeat(b"".join(b"X%d: y\r\n" % n for n in range(99))))
    yield "status line", itertools.repeat(b"HTTP/1.1 200 " + b"z" * 4096)
    yield "endless 100 Continue", itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


@pytest.mark.parametrize(("kind", "parts"), list(huge_headers()), ids=lambda value: value if type(value) is str else "")
def test_huge_headers_are_refused(kind, parts):
    with Site(lambda _: parts) as site, pytest.raises((AnswerTooLarge, BadAnswer)):
        call(site)


# --- times ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefix", "drop"),
    [(HEAD + b"\r\n", b"x"), (HEAD, b"X: y\r\n"), (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
     (HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x"), b""), (b"", b"H"), (b"", b"")],
    ids=["body", "headers", "chunks", "silence in the body", "status line", "silence"],
)  # fmt: skip
def test_a_slow_drip_ends_at_the_limit_of_the_whole_call(prefix, drop):
    box = []
    with Site(lambda _: dripping(box, prefix, drop)) as site:
        box.append(site)
        with pytest.raises(TimedOut):
            call(site, limits=BRISK)


def test_a_silent_port_is_not_waited_for():
    with Site(lambda _: dripping([site], b"", b"")) as site, pytest.raises(TimedOut):
        call(site, limits=Limits(max_retries=0, read_seconds=0.2, total_seconds=30))


def test_tls_that_never_shakes_hands_is_given_up():
    """A port that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent, client_of() as client, pytest.raises(NotConnected):
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        client.call("GET", url, limits=Limits(max_retries=0, connect_seconds=0.3))


def test_a_look_up_that_hangs_is_given_up():
    release = threading.Event()

    def resolver(host, port):
        release.wait(20)
        return []

    with client_of(resolver=resolver) as client:
        with pytest.raises(NotConnected, match="in time"):
            client.call("GET", "http://slow.example.com/", limits=Limits(max_retries=0, connect_seconds=0.2))
        release.set()


def test_a_silent_address_leaves_time_for_the_next():
    """A full backlog: the kernel answers no further handshake, so that the first address stays silent."""
    with socket.socket() as silent, Site(lambda _: reply(200, "x")) as site:
        silent.bind(("127.0.0.2", site.port))
        silent.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.2", site.port))
        addresses = ["127.0.0.2", "127.0.0.1"]
        with client_of(resolver=lambda host, port: addresses) as client:
            answer = client.call(
                "GET", f"http://two.example.com:{site.port}/", limits=Limits(max_retries=0, connect_seconds=1)
            )
        for filler in fillers:
            filler.close()
        assert answer.body == b"x"


def test_a_name_without_address_is_unknown():
    with client_of(resolver=lambda host, port: []) as client, pytest.raises(UnknownHost):
        client.call("GET", "http://nowhere.example.com/")


def test_a_refused_port_is_transient():
    with Site(lambda _: reply()) as site:
        url = site.url
    with client_of() as client, pytest.raises(NotConnected) as told:
        client.call("GET", url)
    assert isinstance(told.value, TransientError)
    assert not told.value.was_sent


# --- answers that are none ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", AnswerLost), (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", AnswerLost),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", AnswerLost),
        (b"SSH-2.0-OpenSSH_9.2\r\n", BadAnswer), (b"HTTP/1.1 abc OK\r\n\r\n", BadAnswer),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", BadAnswer),
        (b"\0" * 100, HttpError), (b"HTTP/9.9 200 OK\r\n\r\n", HttpError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde", HttpError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", HttpError),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_an_error_of_ours(raw, kind):
    with Site(lambda _: iter([raw])) as site, pytest.raises(kind):
        call(site)


def test_json_is_strict():
    with Site(lambda asked: reply(200, asked.target[1:])) as site:
        assert call(site, path="/[1]").json() == [1]
        for bad in ("[NaN]", "{", "[" * 4000, ""):
            with pytest.raises(BadAnswer):
                call(site, path=f"/{bad}").json()
