"""Connections that go where they were checked to go: a name is looked up once, every address of it is checked, and
exactly those addresses are dialled. Host header, SNI and certificate stay those of the name.

Belongs here: sockets with a deadline and a byte budget, look-ups, idle connections. Does not belong here: what is
asked and what an answer means (``client``). Proxies of the environment are not asked: they would look names up again.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LookupTimeout
from functools import cache
from ipaddress import ip_address
from typing import Any

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import SSLError as WrappedSslError

from resources.http.addresses import IpAddress, Url, require_dialable
from resources.http.errors import AnswerTooLarge, CertificateRefused, NotConnected, TimedOut, UnknownHost

Resolver = Callable[[str, int], list[str]]
_LOOKUPS_AT_ONCE = 16
_IDLE_PER_ORIGIN = 32
_IDLE_ORIGINS = 64
_IDLE_SECONDS = 30.0


class Budget:
    """What one exchange may still take: time until ``deadline`` (monotonic seconds), ``bytes_left`` received."""

    def __init__(self, deadline: float, read_seconds: float, bytes_left: int) -> None:
        self.deadline, self.read_seconds, self.bytes_left = deadline, read_seconds, bytes_left

    def time_left(self) -> float:
        """Seconds until the deadline.

        Raises:
            TimedOut: none.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimedOut("the call took longer than its limit", was_sent=True)
        return left

    def next_wait(self) -> float:
        """How long the next read may wait, in seconds."""
        return min(self.time_left(), self.read_seconds)

    def spend(self, count: int) -> None:
        """Count received bytes.

        Raises:
            AnswerTooLarge: more than allowed.
        """
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise AnswerTooLarge("the answer is larger than the limit")


class _Bounded:
    """Of a socket: every wait is bounded by the exchange's budget, so that a drip of bytes can't go on for ever."""

    budget: Budget | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        budget = self.budget
        if budget is None:
            return super().recv_into(*args, **kwargs)  # type: ignore[misc, no-any-return]
        self.settimeout(budget.next_wait())  # type: ignore[attr-defined]
        count: int = super().recv_into(*args, **kwargs)  # type: ignore[misc]
        budget.spend(count)
        return count

    def send(self, *args: Any, **kwargs: Any) -> int:
        if self.budget is not None:
            self.settimeout(self.budget.next_wait())  # type: ignore[attr-defined]
        return super().send(*args, **kwargs)  # type: ignore[misc, no-any-return]

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        if self.budget is not None:
            self.settimeout(self.budget.time_left())  # type: ignore[attr-defined]
        super().sendall(*args, **kwargs)  # type: ignore[misc]


class PlainSocket(_Bounded, socket.socket):
    pass


class TlsSocket(_Bounded, ssl.SSLSocket):
    pass


class _CheckedDialling:
    """Of a connection: it dials the checked addresses it was given and looks nothing up."""

    checked: list[IpAddress]
    sock: Any
    port: int
    timeout: Any

    def _new_conn(self) -> socket.socket:
        """The first of the checked addresses that takes the connection."""
        failure: OSError = OSError("no address")
        deadline = time.monotonic() + float(self.timeout)
        for tried, address in enumerate(self.checked):
            family = socket.AF_INET if address.version == 4 else socket.AF_INET6
            dialled = PlainSocket(family, socket.SOCK_STREAM)
            try:
                # An address that stays silent leaves its share of the time to those behind it.
                share = (deadline - time.monotonic()) / (len(self.checked) - tried)
                dialled.settimeout(max(share, 0.001))
                dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                dialled.connect((str(address), self.port))
                dialled.settimeout(max(deadline - time.monotonic(), 0.001))  # what is left is for TLS
            except OSError as error:
                dialled.close()
                failure = error
            else:
                return dialled
        raise failure


class _PlainConnection(_CheckedDialling, HTTPConnection):
    pass


class _TlsConnection(_CheckedDialling, HTTPSConnection):
    pass


Connection = _PlainConnection | _TlsConnection


@cache
def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    if ca_file:
        context.load_verify_locations(ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.sslsocket_class = TlsSocket
    return context


def system_resolver(host: str, port: int) -> list[str]:
    """All addresses of a name, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Dialler:
    """Opens connections for one policy, and keeps idle ones for the next call. Threads may share it."""

    def __init__(self, allow_loopback: bool, resolver: Resolver = system_resolver, ca_file: str | None = None) -> None:
        self.allow_loopback = allow_loopback
        self._resolver = resolver
        self._context = _tls_context(ca_file)
        self._lookups = ThreadPoolExecutor(_LOOKUPS_AT_ONCE, thread_name_prefix="lookup")
        self._idle: dict[tuple[str, str, int], list[tuple[float, Connection]]] = {}
        self._lock = threading.Lock()

    def idle(self, url: Url) -> Connection | None:
        """A connection to this origin that was dialled before and still stands."""
        while True:
            with self._lock:
                kept = self._idle.get(url.origin)
                if not kept:
                    return None
                since, connection = kept.pop()
                if not kept:
                    del self._idle[url.origin]
            if connection.is_connected and time.monotonic() - since < _IDLE_SECONDS:
                return connection
            connection.close()

    def dial(self, url: Url, connect_seconds: float) -> Connection:
        """A new connection, within ``connect_seconds`` for look-up, TCP and TLS together.

        Raises:
            EgressRefused: an address of the name is blocked; nothing was dialled.
            UnknownHost, CertificateRefused: permanent.
            NotConnected: transient.
        """
        started = time.monotonic()
        addresses = look_up(url.host, url.port, connect_seconds, url.netloc, self._lookups, self._resolver)
        require_dialable(addresses, url, self.allow_loopback)
        left = connect_seconds - (time.monotonic() - started)
        if left <= 0:
            raise NotConnected(f"{url.netloc} could not be looked up in time")
        connection: Connection
        if url.scheme == "https":
            connection = _TlsConnection(url.host, url.port, timeout=left, ssl_context=self._context)
        else:
            connection = _PlainConnection(url.host, url.port, timeout=left)
        connection.checked = addresses
        try:
            connection.connect()
        except (ssl.SSLError, WrappedSslError, OSError) as error:
            connection.close()
            raise _connect_error(url, error) from None
        return connection

    def keep(self, url: Url, connection: Connection) -> None:
        """Keep a connection whose answer was read whole."""
        connection.sock.budget = None
        with self._lock:
            if url.origin not in self._idle and len(self._idle) >= _IDLE_ORIGINS:
                too_many = self._idle.pop(next(iter(self._idle)))  # the origin that was first to be idle
            else:
                too_many = []
            kept = self._idle.setdefault(url.origin, [])
            kept.append((time.monotonic(), connection))
            too_many += [kept.pop(0)] if len(kept) > _IDLE_PER_ORIGIN else []
        for _, old in too_many:
            old.close()

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            kept = [connection for each in self._idle.values() for _, connection in each]
            self._idle.clear()
        for connection in kept:
            with contextlib.suppress(OSError):
                connection.close()
        self._lookups.shutdown(wait=False, cancel_futures=True)


def look_up(
    host: str, port: int, seconds: float, told: str, lookups: ThreadPoolExecutor, resolver: Resolver
) -> list[IpAddress]:
    """All addresses of a host, in a thread of ``lookups``: the system's look-up knows no time limit.

    ``told`` is what errors call the host.

    Raises:
        UnknownHost: permanent. NotConnected: transient.
    """
    try:
        found = lookups.submit(resolver, host, port).result(timeout=seconds)
        addresses = [ip_address(text) for text in found]
    except LookupTimeout:
        raise NotConnected(f"{told} could not be looked up in time") from None
    except socket.gaierror as error:
        if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)):
            raise UnknownHost(f"there is no host {told}") from None
        raise NotConnected(f"{told} can't be looked up just now") from None
    except (UnicodeError, ValueError):
        raise UnknownHost(f"there is no host {told}") from None
    except OSError as error:
        raise NotConnected(f"{told} can't be looked up just now ({type(error).__name__})") from None
    if not addresses:
        raise UnknownHost(f"{told} has no address")
    return addresses


def _connect_error(url: Url, error: Exception) -> NotConnected | CertificateRefused:
    causes = (error, *error.args, error.__cause__, error.__context__)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return CertificateRefused(f"{url.netloc} could not prove its name")
    if isinstance(error, TimeoutError):
        return NotConnected(f"{url.netloc} did not take the connection in time")
    what = f" ({error.strerror})" if isinstance(error, OSError) and error.errno and error.strerror else ""
    kind = "TLS with" if isinstance(error, ssl.SSLError | WrappedSslError) else "a connection to"
    return NotConnected(f"{kind} {url.netloc} failed{what}")
