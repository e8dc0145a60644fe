"""Redirects, TLS, secrets: what the HTTP client tells whom; and whatever a site says back."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import logging
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiqleads_pipeline_tests.doors.http_calls import HEAD, call, client_of, dripping, replies
from aiqleads_pipeline_tests.doors.http_world import Site, reply
from resources.http import (
    BadAnswer,
    BadRequest,
    Breaker,
    CertificateRefused,
    HttpError,
    Limits,
    RefusedStatus,
    TimedOut,
    TooManyRedirects,
)

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
