"""The HTTP client against real sites that behave badly: bounded, retried by kind, silent about secrets."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import ipaddress
import itertools
import logging
import socket
import ssl
import threading
import zlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiqleads_pipeline_tests.doors.http_world import Site, reply
from resources.http import (
    AnswerLost,
    AnswerTooLarge,
    BadAnswer,
    BadRequest,
    Breaker,
    CertificateRefused,
    CircuitOpen,
    HttpClient,
    HttpError,
    Limits,
    NotConnected,
    PermanentError,
    RefusedStatus,
    TimedOut,
    TooManyRedirects,
    TransientError,
    UnavailableStatus,
    UnknownHost,
    retry_after_seconds,
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


def dripping(site, prefix, drop):
    yield prefix
    while not site[0].stopped.wait(0.02):
        yield drop


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


def replies(*answers):
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


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


# --- redirects ---------------------------------------------------------------------------------------------------

SECRETS = {"Authorization": "Bearer SECRET", "Cookie": "a=SECRET", "X-Api-Key": "SECRET", "X-Vendor": "SECRET"}


def test_credentials_stay_at_their_origin():
    with Site(lambda _: reply(200, "there")) as other:
        moved = {"/same": "/end", "/other": f"{other.url}/end"}
        answer = lambda a: reply(302, Location=moved[a.target]) if a.target in moved else reply(200, "here")  # noqa: E731
        with Site(answer) as site:
            assert call(site, path="/same", headers=SECRETS).body == b"here"
            assert site.asked[-1].headers["authorization"] == "Bearer SECRET"
            assert call(site, path="/other", headers={**SECRETS, "Accept": "text/html"}).body == b"there"
    assert set(other.asked[0].headers) == {"host", "accept", "accept-encoding", "user-agent"}
    assert "SECRET" not in str(other.asked[0])
    assert other.asked[0].headers["accept"] == "text/html"


def test_a_redirect_in_bytes_that_are_no_ascii():
    with Site(lambda a: reply(302, Location="/zo\xc3\xab x") if a.target == "/" else reply(200, a.target)) as site:
        assert call(site).body == b"/zo%C3%AB%20x"


def test_redirects_are_bounded():
    with Site(lambda a: reply(302, Location=f"{a.target}x")) as site:
        with pytest.raises(TooManyRedirects):
            call(site, limits=Limits(max_retries=0, max_redirects=3))
        assert len(site.asked) == 4


def test_a_body_is_never_redirected():
    with Site(lambda _: reply(307, Location="/elsewhere")) as site:
        for method in ("POST", "PUT", "GET"):
            with pytest.raises(RefusedStatus):
                call(site, method, body=b"lead")
        assert len(site.asked) == 3


def test_redirects_can_be_left_to_the_caller():
    with Site(lambda _: reply(301, Location="/new")) as site:
        answer = call(site, limits=Limits(max_retries=0, max_redirects=0))
    assert (answer.status, answer.headers["Location"]) == (301, "/new")


def test_a_redirect_to_nowhere_is_told():
    with Site(lambda _: reply(302)) as site, pytest.raises(RefusedStatus):
        call(site)


# --- TLS ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for good.example.com, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "good.example.com")])
    day = dt.timedelta(days=1)
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName(
            [x509.DNSName("good.example.com"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    form, encoding = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    file.write_bytes(made.public_bytes(encoding) + key.private_bytes(encoding, form, serialization.NoEncryption()))
    return str(file)


@pytest.fixture
def tls_site(certificate):
    names = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with Site(lambda _: reply(200, "secret"), tls=context) as site:
        yield site, names


def test_the_name_is_proved_and_told_while_the_checked_address_is_dialled(tls_site, certificate):
    site, names = tls_site
    with client_of(resolver=lambda host, port: ["127.0.0.1"], ca_file=certificate) as client:
        for _ in range(2):
            assert client.call("GET", f"https://good.example.com:{site.port}/").body == b"secret"
        assert (names, site.connections_count) == (["good.example.com"], 1)
        assert site.asked[0].headers["host"] == f"good.example.com:{site.port}"
        with pytest.raises(CertificateRefused):
            client.call("GET", f"https://evil.example.com:{site.port}/")
        assert len(site.asked) == 2


def test_an_unknown_issuer_is_refused(tls_site):
    site, _ = tls_site
    with client_of(resolver=lambda host, port: ["127.0.0.1"]) as client, pytest.raises(CertificateRefused):
        client.call("GET", f"https://good.example.com:{site.port}/")
    assert site.asked == []


def test_limits_hold_under_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    box = []
    with Site(lambda _: dripping(box, HEAD + b"\r\n", b"x"), tls=context) as site:
        box.append(site)
        with client_of(ca_file=certificate) as client, pytest.raises(TimedOut):
            client.call("GET", site.url, limits=Limits(max_retries=0, total_seconds=0.8))


def test_no_redirect_leads_out_of_encryption(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Site(lambda _: reply()) as plain, Site(lambda _: reply(302, Location=plain.url), tls=context) as site:
        with client_of(ca_file=certificate) as client, pytest.raises(BadAnswer):
            client.call("GET", site.url)
        assert plain.connections_count == 0


# --- secrets and requests ----------------------------------------------------------------------------------------


def test_errors_and_logs_hold_no_secret(caplog):
    caplog.set_level(logging.DEBUG)
    path = "/v1/jane@example.com/abcdef0123456789abcdef?key=SECRET&email=jane@example.com"
    answers = [reply(500, "SECRET"), reply(400, "SECRET"), iter([b"SECRET"]), iter([b""]), reply(302, Location="http://u:SECRET@x/"),
               iter([HEAD + b"Bad Header SECRET\r\n\r\n"]), reply(200, "SECRET", Content_Encoding="br")]  # fmt: skip
    with Site(replies(*answers, reply(200))) as site, client_of() as client:
        told = []
        for _ in answers:
            try:
                client.call("GET", site.url + path, headers=SECRETS)
            except HttpError as error:
                chained = [error, error.__cause__, *([] if error.__suppress_context__ else [error.__context__])]
                told += [f"{each!r} {each}" for each in chained]
    everything = " ".join(told) + caplog.text
    assert len(told) >= 6
    assert "127.0.0.1" in everything
    for secret in ("SECRET", "jane", "abcdef0123"):
        assert secret not in everything


@pytest.mark.parametrize(
    "headers",
    [{"X": "a\r\nInjected: b"}, {"X\r\nY": "b"}, {"X": "a\nb"}, {"X": "ř"}, {"Host": "other.example.com"},
     {"host": "x"}, {"Content-Length": "5"}, {"Transfer-Encoding": "chunked"}, {"X Y": "z"}],
)  # fmt: skip
def test_headers_that_can_not_be_sent(headers):
    with Site(lambda _: reply()) as site:
        with pytest.raises(BadRequest):
            call(site, headers=headers)
        assert site.asked == []


def test_a_method_that_is_not_used_here():
    with Site(lambda _: reply()) as site, pytest.raises(BadRequest):
        call(site, "CONNECT")


def test_bodies_and_headers_arrive():
    with Site(lambda _: reply(201, "made", ETag='"1"')) as site:
        answer = call(site, "POST", "/leads?x=1", body=b'{"a": 1}', headers={"Content-Type": "application/json"})
        assert (answer.status, answer.headers["etag"], answer.body) == (201, '"1"', b"made")
        (asked,) = site.asked
    assert (asked.method, asked.target, asked.body) == ("POST", "/leads?x=1", b'{"a": 1}')
    assert asked.headers["user-agent"] == "aiqleads"
    assert asked.headers["content-length"] == "8"


def test_many_threads_share_a_client():
    with Site(lambda a: reply(200, a.target)) as site, client_of() as client:
        wrong = []

        def work(n):
            for i in range(20):
                if client.call("GET", f"{site.url}/{n}-{i}").body != f"/{n}-{i}".encode():
                    wrong.append((n, i))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (wrong, len(site.asked)) == ([], 160)
        assert site.connections_count <= 20


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), prefix=st.sampled_from([b"", HEAD, HEAD + b"Content-Encoding: gzip\r\n\r\n",
       b"HTTP/1.1 ", HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"HTTP/1.1 302 x\r\nLocation: "]))  # fmt: skip
def test_whatever_a_site_says_is_an_answer_or_an_error_of_ours(any_site, data, prefix):
    site, box, client = any_site
    box[:] = [prefix + data]
    with contextlib.suppress(HttpError):
        client.call("GET", site.url, limits=Limits(max_retries=0, max_redirects=2))


@pytest.fixture(scope="module")
def any_site():
    box = [b""]
    never = Breaker(threshold=10**9, open_seconds=0, now=lambda: 0.0)
    with (
        Site(lambda _: iter([box[0]])) as site,
        client_of(breaker=never, resolver=lambda host, port: ["127.0.0.1"]) as client,
    ):
        yield site, box, client


def test_an_address_of_version_6_is_called_by_number_and_by_name():
    try:
        site = Site(lambda asked: reply(200, asked.headers["host"]), host="::1").__enter__()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    try:
        assert call(site).body == f"[::1]:{site.port}".encode()
        with client_of(resolver=lambda host, port: ["::1"]) as client:
            answer = client.call("GET", f"http://six.example.com:{site.port}/")
        assert answer.body == f"six.example.com:{site.port}".encode()
    finally:
        site.__exit__()
