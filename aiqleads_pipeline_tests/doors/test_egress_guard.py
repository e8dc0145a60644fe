"""The egress guard: nothing is dialled that must not be, whatever names, redirects and resolvers say."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from aiqleads_pipeline_tests.doors.http_world import Site, reply
from resources.http import (
    EgressRefused,
    HttpClient,
    Limits,
    NotConnected,
    UnknownHost,
    parse_url,
    redacted,
    why_blocked,
)

_dialled: list[tuple[object, ...]] = []
_is_watching = False


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _is_watching and event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        _dialled.append(arguments)


sys.addaudithook(_note)


@pytest.fixture
def dialled():
    """Every address that any code of this process tries to reach while the test runs, as the interpreter tells it."""
    global _is_watching  # noqa: PLW0603 - an audit hook can't be removed
    _dialled.clear()
    _is_watching = True
    yield _dialled
    _is_watching = False


@pytest.fixture
def site():
    with Site(lambda _: reply(200, "hello")) as site:
        yield site


ONCE = Limits(max_retries=0, total_seconds=20)

BLOCKED = [
    ("0.0.0.0", "unspecified"), ("0.1.2.3", "unspecified"), ("10.1.2.3", "private"), ("100.64.0.1", "carrier-grade"),
    ("100.100.100.200", "carrier-grade"), ("127.0.0.1", "loopback"), ("127.8.8.8", "loopback"),
    ("168.63.129.16", "metadata"), ("169.254.169.254", "link-local"), ("172.16.0.1", "private"),
    ("172.31.255.255", "private"), ("192.0.0.192", "reserved"), ("192.0.2.1", "documentation"),
    ("192.88.99.1", "6to4"), ("192.168.1.1", "private"), ("198.18.0.1", "benchmarking"),
    ("198.51.100.7", "documentation"), ("203.0.113.9", "documentation"), ("224.0.0.1", "multicast"),
    ("239.255.255.255", "multicast"), ("240.0.0.1", "reserved"), ("255.255.255.255", "broadcast"),
    ("::", "unspecified"), ("::1", "loopback"), ("::ffff:127.0.0.1", "IPv4-mapped"), ("::ffff:8.8.8.8", "IPv4-mapped"),
    ("::ffff:0:127.0.0.1", "IPv4-translated"), ("::127.0.0.1", "IPv4-compatible"), ("::8.8.8.8", "IPv4-compatible"),
    ("64:ff9b::169.254.169.254", "NAT64"), ("64:ff9b::8.8.8.8", "NAT64"), ("64:ff9b:1::a00:1", "local NAT64"),
    ("100::1", "discard"), ("2001::1", "Teredo"), ("2001:0:4136:e378::1", "Teredo"), ("2001:2::1", "reserved"),
    ("2001:db8::1", "documentation"), ("2002:7f00:1::", "6to4"), ("2002:a9fe:a9fe::", "6to4"), ("3fff::1", "docum"),
    ("5f00::1", "segment"), ("fc00::1", "private"), ("fd00:ec2::254", "private"), ("fe80::1", "link-local"),
    ("fec0::1", "site-local"), ("ff02::1", "multicast"), ("4000::1", "not global"), ("1::1", "not global"),
    ("2606:4700::5efe:7f00:1", "ISATAP"), ("2606:4700::200:5efe:a00:1", "ISATAP"),
]  # fmt: skip


@pytest.mark.parametrize(("address", "kind"), BLOCKED)
def test_no_connection_to_a_blocked_address_by_name(site, dialled, address, kind):
    with HttpClient(limits=ONCE, resolver=lambda host, port: [address]) as client, pytest.raises(EgressRefused) as told:
        client.call("GET", f"http://inside.example.com:{site.port}/")
    assert kind in str(told.value)
    assert (dialled, site.connections_count) == ([], 0)


@pytest.mark.parametrize(("address", "kind"), BLOCKED)
def test_no_connection_to_a_blocked_address_by_number(site, dialled, address, kind):
    host = f"[{address}]" if ":" in address else address
    with HttpClient(limits=ONCE) as client, pytest.raises((EgressRefused, UnknownHost)):
        client.call("GET", f"http://{host}:{site.port}/")
    assert (dialled, site.connections_count) == ([], 0)


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0x7f.1", "127.1", "017700000001", "0177.0.0.1", "localhost", "LOCALHOST.",
     "127.0.0.1.", "①②⑦.⓪.⓪.①", "１２７.0.0.1", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[::1%25lo]"],
)  # fmt: skip
def test_no_spelling_of_loopback_gets_through(site, dialled, host):
    with HttpClient(limits=ONCE) as client, pytest.raises((EgressRefused, UnknownHost)):
        client.call("GET", f"http://{host}:{site.port}/")
    assert (dialled, site.connections_count) == ([], 0)


def test_the_watch_sees_a_connection_that_is_allowed(site, dialled):
    with HttpClient(limits=ONCE, allow_loopback=True) as client:
        assert client.call("GET", f"{site.url}/").body == b"hello"
    assert [arguments[1] for arguments in dialled] == [("127.0.0.1", site.port)]
    assert site.connections_count == 1


def test_loopback_by_the_setting_and_nothing_else(site, dialled):
    for address in ("10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "0.0.0.0", "64:ff9b::7f00:1"):
        with (
            HttpClient(limits=ONCE, allow_loopback=True, resolver=lambda host, port, a=address: [a]) as client,
            pytest.raises(EgressRefused),
        ):
            client.call("GET", f"http://inside.example.com:{site.port}/")
    assert dialled == []


def test_one_blocked_address_among_good_ones_is_enough(site, dialled):
    resolver = lambda host, port: ["93.184.216.34", "127.0.0.1"]  # noqa: E731
    with HttpClient(limits=ONCE, resolver=resolver) as client, pytest.raises(EgressRefused):
        client.call("GET", f"http://mixed.example.com:{site.port}/")
    assert (dialled, site.connections_count) == ([], 0)


def test_a_rebinding_name_is_dialled_at_the_address_that_was_checked(site, monkeypatch):
    """The resolver says public first and loopback ever after: it is asked once, and its first answer is dialled."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]])
    asked: list[str] = []
    left_for: list[tuple[str, int]] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    def refuse_to_leave(_socket: socket.socket, address: tuple[str, int]) -> None:
        left_for.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket.socket, "connect", refuse_to_leave)
    with HttpClient(limits=ONCE, resolver=resolver) as client:
        with pytest.raises(NotConnected, match="refused"):
            client.call("GET", f"http://rebinding.example.com:{site.port}/")
        assert (asked, left_for) == (["rebinding.example.com"], [("93.184.216.34", site.port)])
        with pytest.raises(EgressRefused, match="loopback"):
            client.call("GET", f"http://rebinding.example.com:{site.port}/")
    assert len(left_for) == 1
    assert site.connections_count == 0


def test_the_client_looks_up_each_hop_once_and_pins_it(site):
    names: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        names.append(host)
        return ["127.0.0.1"]

    with HttpClient(limits=ONCE, allow_loopback=True, resolver=resolver) as client:
        for _ in range(3):
            client.call("GET", f"http://pinned.example.com:{site.port}/")
    assert names == ["pinned.example.com"]  # one connection, kept
    assert site.connections_count == 1
    assert {asked.headers["host"] for asked in site.asked} == {f"pinned.example.com:{site.port}"}


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://[::1]:{port}/", "http://0.0.0.0:{port}/",
     "http://[::ffff:127.0.0.1]:{port}/", "//10.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x",
     "ftp://127.0.0.1/", "http://user:secret@127.0.0.1:{port}/", "http://[64:ff9b::7f00:1]:{port}/", "http://a b/",
     "javascript:alert(1)", "data:text/plain,x", "http://127.0.0.1:22/", "http://[::1", "http://%31%30.0.0.1/"],
)  # fmt: skip
def test_a_redirect_to_a_blocked_target_is_refused(dialled, location):
    with Site(lambda _: reply()) as inside:
        target = location.replace("{port}", str(inside.port))
        with Site(lambda _: reply(302, Location=target)) as outer:
            # The outer site is reached by a name that the policy allows; the target is another origin on this machine.
            with (
                HttpClient(limits=ONCE, allow_loopback=True, resolver=_only_outer) as client,
                pytest.raises((EgressRefused, UnknownHost)),
            ):
                client.call("GET", f"http://outer.example.com:{outer.port}/")
            assert outer.connections_count == 1
            assert inside.connections_count == 0
            assert {arguments[1][1] for arguments in dialled} == {outer.port}


def _only_outer(host: str, port: int) -> list[str]:
    if host == "outer.example.com":
        return ["127.0.0.1"]
    if host == "::1":
        return ["fe80::1"]  # loopback is allowed in this test: another blocked kind takes its place
    return [host] if host.replace(".", "").isdigit() or ":" in host else []


def test_environment_proxies_are_not_asked(site, monkeypatch):
    with Site(lambda _: reply(200, "the proxy")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        with HttpClient(limits=ONCE, allow_loopback=True) as client:
            assert client.call("GET", f"{site.url}/").body == b"hello"
        assert proxy.connections_count == 0


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "file:///etc/passwd", "//example.com/", "example.com", "", "http://", "http:///x",
     "http://user@example.com/", "http://user:pw@example.com/", "http://@example.com/", "http://example.com:0/",
     "http://example.com:25/", "http://example.com:99999/", "http://example.com:x/", "http://exa mple.com/",
     "http://example.com/a b", "http://example.com/\r\nHost: x", "http://example.com\\@evil.com/", "http://[::1/",
     "http://[fe80::1%25eth0]/", "http://-a.com/", "http://a..b/", f"http://{'a' * 64}.com/", "http://xn--/",
     "http://example.com/\x00", "jar:http://example.com!/", "HTTPS:example.com", f"http://e.com/{'x' * 9000}",
     "http://exämple\ud800.com/", "http://[::ffff:1.2.3.4%251]/", "http://e.com/\ud800"],
)  # fmt: skip
def test_urls_that_are_not_called(dialled, url):
    with HttpClient(limits=ONCE) as client, pytest.raises(EgressRefused) as told:
        client.call("GET", url)
    assert dialled == []
    assert "user" not in str(told.value)
    assert "evil" not in str(told.value)


def test_a_url_is_read_once_for_check_and_request():
    assert str(parse_url("HTTP://EXAMPLE.com:80?q=1#part")) == "http://example.com/?q=1"
    assert str(parse_url("https://münchen.example:8443/ä?ö")) == "https://xn--mnchen-3ya.example:8443/%C3%A4?%C3%B6"
    assert str(parse_url("http://[2606:4700::1111]:8080/x")) == "http://[2606:4700::1111]:8080/x"
    assert str(parse_url("https://example.com/a/b").joined("../c?d")) == "https://example.com/c?d"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://api.example.com/v1/people?key=SECRET&email=a@b.c", "https://api.example.com/…"),
        ("https://hooks.example.com/services/T0123ABCD/abcdefghij", "https://hooks.example.com/…"),
        ("https://example.com:8443/people/jane-doe", "https://example.com:8443/…"),
        ("https://example.com", "https://example.com/"),
        ("https://example.com/?key=SECRET", "https://example.com/…"),
        ("https://user:SECRET@example.com/", "(a URL that can't be called)"),
    ],
)  # fmt: skip
def test_urls_are_shown_without_what_is_secret(url, shown):
    assert redacted(url) == shown


def test_public_addresses_pass():
    for address in ("1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"):
        assert why_blocked(ipaddress.ip_address(address), allow_loopback=False) is None


@pytest.mark.parametrize(
    "line",
    ["import requests", "from urllib.request import urlopen", "import httpx", "import urllib3", "import aiohttp",
     "import socket", "from http.client import HTTPSConnection", "import http.client"],
)  # fmt: skip
def test_the_linter_refuses_another_way_out(line):
    root = Path(__file__).resolve().parents[2]
    ruff = Path(sys.executable).with_name("ruff")
    command = [ruff, "check", "--no-cache", "--select", "TID251", "--stdin-filename", "resources/crm/hubspot.py", "-"]
    told = subprocess.run(command, input=line + "\n", text=True, capture_output=True, cwd=root, check=False)
    assert told.returncode == 1
    assert "resources.http" in told.stdout
