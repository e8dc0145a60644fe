"""Where a call may go: how a URL is read, which IP addresses are never dialled, how an address is shown to people.

Belongs here: the one reading of a URL (the same for check, dialling and request, so that no two parsers can disagree)
and the block list. Does not belong here: connections (``dialling``). The list is our own: Python's ``is_global`` lets
wrapped addresses through (NAT64, 6to4).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urljoin, urlsplit

import idna

from resources.http.errors import EgressRefused

IpAddress = IPv4Address | IPv6Address

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_URL_CHARS = 8192
_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
_BLOCKED = tuple(
    (ip_network(network), kind)
    for network, kind in {
        "0.0.0.0/8": "unspecified",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "carrier-grade NAT",  # 100.100.100.200 is a metadata service
        "127.0.0.0/8": "loopback",
        "168.63.129.16/32": "metadata",  # Azure's, in the middle of public addresses
        "169.254.0.0/16": "link-local",  # 169.254.169.254: metadata
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "reserved",  # 192.0.0.192: metadata
        "192.0.2.0/24": "documentation",
        "192.31.196.0/24": "reserved",
        "192.52.193.0/24": "reserved",
        "192.88.99.0/24": "6to4 relay",
        "192.168.0.0/16": "private",
        "192.175.48.0/24": "reserved",
        "198.18.0.0/15": "benchmarking",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "224.0.0.0/4": "multicast",
        "255.255.255.255/32": "broadcast",
        "240.0.0.0/4": "reserved",
        "::/128": "unspecified",
        "::1/128": "loopback",
        "::ffff:0:0/96": "IPv4-mapped",
        "::ffff:0:0:0/96": "IPv4-translated",
        "::/96": "IPv4-compatible",
        "64:ff9b::/96": "NAT64",
        "64:ff9b:1::/48": "local NAT64",
        "100::/64": "discard-only",
        "2001::/32": "Teredo",
        "2001::/23": "reserved",
        "2001:db8::/32": "documentation",
        "2002::/16": "6to4",
        "2620:4f:8000::/48": "reserved",
        "3fff::/20": "documentation",
        "5f00::/16": "segment routing",
        "fc00::/7": "private",  # fd00:ec2::254: metadata
        "fe80::/10": "link-local",
        "fec0::/10": "site-local",
        "ff00::/8": "multicast",
    }.items()
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_ISATAP = (0x00005EFE, 0x02005EFE)  # interface ids of this form carry an IPv4 address behind them
_LEGAL_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_ILLEGAL_IN_URL = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True)
class Url:
    """A URL as it is called: lower-case ASCII host without brackets, port, path and query. The fragment is gone."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what credentials belong to."""
        return self.scheme, self.host, self.port

    @property
    def netloc(self) -> str:
        """Host and port as they stand in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.target}"

    @property
    def redacted(self) -> str:
        """How it may be shown: queries hold keys, and paths hold tokens (webhooks) and people (profiles, look-ups)."""
        return f"{self.scheme}://{self.netloc}/{'' if self.target == '/' else '…'}"

    def joined(self, reference: str) -> Url:
        """The URL that ``reference`` (a link, a Location header) means here.

        Raises:
            EgressRefused: it is none that may be called.
        """
        try:
            return parse_url(urljoin(str(self), reference.strip().replace(" ", "%20")))
        except ValueError:
            raise EgressRefused(f"a link of {self.redacted} is no URL") from None


def parse_url(text: str) -> Url:
    """Read a URL.

    Raises:
        EgressRefused: no http or https, with credentials, with an illegal host or port, too long. The message does not
            quote it.
    """
    if len(text) > MAX_URL_CHARS:
        raise EgressRefused(f"the URL is longer than {MAX_URL_CHARS} characters")
    if _ILLEGAL_IN_URL.search(text):
        raise EgressRefused("the URL holds blanks, control characters or backslashes")
    try:
        parts = urlsplit(text)
        port = parts.port
        host = parts.hostname or ""
    except ValueError:
        raise EgressRefused("the URL can't be read") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise EgressRefused("only http and https are called")
    if "@" in parts.netloc:
        raise EgressRefused("the URL holds credentials: give them as a header")
    port = DEFAULT_PORTS[parts.scheme] if port is None else port
    if not (port in (80, 443) or 1024 <= port <= 65535):
        raise EgressRefused(f"port {port} is none of HTTP")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(parts.scheme, _legal_host(host), port, _ascii_target(target))


def redacted(text: str) -> str:
    """Any URL as it may be shown in errors and logs."""
    try:
        return parse_url(text).redacted
    except EgressRefused:
        return "(a URL that can't be called)"


def why_blocked(address: IpAddress, allow_loopback: bool) -> str | None:
    """The kind of address that is never dialled; None for one that may be."""
    if allow_loopback and any(address in network for network in _LOOPBACK):
        return None
    for network, kind in _BLOCKED:
        if address.version == network.version and address in network:
            return kind
    if isinstance(address, IPv6Address):
        if address.scope_id or address not in _GLOBAL_UNICAST:
            return "not global"
        if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
            return "ISATAP"
    return None


def require_dialable(addresses: list[IpAddress], url: Url, allow_loopback: bool) -> None:
    """Refuse a target if any one of its addresses is blocked: a name that mixes is either broken or an attack.

    Raises:
        EgressRefused
    """
    for address in addresses:
        if kind := why_blocked(address, allow_loopback):
            raise EgressRefused(f"{url.scheme}://{url.netloc} leads to a {kind} address: it is not called")


def _legal_host(host: str) -> str:
    if ":" in host:
        try:
            address = ip_address(host)
        except ValueError:
            raise EgressRefused("the URL's host is no IPv6 address") from None
        if not isinstance(address, IPv6Address) or address.scope_id:
            raise EgressRefused("the URL's host is no global IPv6 address")
        return str(address)
    try:
        name = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise EgressRefused("the URL's host is no domain name") from None
    name = name.lower().removesuffix(".")
    if not name or len(name) > 253 or not _LEGAL_HOST.fullmatch(name) or any(len(p) > 63 for p in name.split(".")):
        raise EgressRefused("the URL's host is no domain name")
    return name


def _ascii_target(target: str) -> str:
    if target.isascii():
        return target
    try:
        return "".join(c if c.isascii() else "".join(f"%{byte:02X}" for byte in c.encode()) for c in target)
    except UnicodeEncodeError:
        raise EgressRefused("the URL holds characters that are no text") from None
