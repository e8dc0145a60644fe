"""Sockets for protocols that are not HTTP (SMTP), dialled where the egress guard checked: one look-up, all addresses.

Belongs here: opening one within a deadline, and TLS on it. Does not belong here: what is spoken.
"""

from __future__ import annotations

import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import certifi

from resources.http.addresses import why_blocked
from resources.http.dialling import Budget, PlainSocket, Resolver, TlsSocket, look_up, system_resolver
from resources.http.errors import CertificateRefused, EgressRefused, NotConnected

MOST_BYTES = 1 << 20  # that the other side may send in one conversation
_LOOKUPS = ThreadPoolExecutor(4, thread_name_prefix="socket-lookup")


def open_socket(
    host: str, port: int, deadline: float, *, allow_loopback: bool, resolver: Resolver = system_resolver
) -> Any:
    """A connected socket whose every wait ends at ``deadline`` (monotonic seconds).

    Raises:
        EgressRefused: an address of the host is one that is never dialled; nothing was dialled.
        UnknownHost: permanent. NotConnected: transient.
    """
    addresses = look_up(host, port, max(deadline - time.monotonic(), 0.001), host, _LOOKUPS, resolver)
    for address in addresses:
        if kind := why_blocked(address, allow_loopback):
            raise EgressRefused(f"{host} leads to a {kind} address: it is not called")
    failure = "no address took the connection"
    for tried, address in enumerate(addresses):
        found = PlainSocket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        try:
            found.settimeout(max((deadline - time.monotonic()) / (len(addresses) - tried), 0.001))
            found.connect((str(address), port))
        except OSError as error:
            found.close()
            failure = error.strerror or "no answer in time"
        else:
            return bounded(found, deadline)
    raise NotConnected(f"a connection to {host} failed ({failure})")


def bounded(found: Any, deadline: float) -> Any:
    """Bound every wait of a socket by a deadline (monotonic seconds)."""
    found.settimeout(max(deadline - time.monotonic(), 0.001))
    found.budget = Budget(deadline, max(deadline - time.monotonic(), 0.001), MOST_BYTES)
    return found


def tls_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Certificates are checked against the usual ones, and those of ``ca_file``; TLS 1.2 at least."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    if ca_file:
        context.load_verify_locations(ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = TlsSocket
    return context


def start_tls(found: socket.socket, host: str, context: ssl.SSLContext, deadline: float) -> Any:
    """TLS on a connected socket.

    Raises:
        CertificateRefused: permanent. NotConnected: transient.
    """
    try:
        found.settimeout(max(deadline - time.monotonic(), 0.001))
        return bounded(context.wrap_socket(found, server_hostname=host), deadline)
    except ssl.SSLCertVerificationError:
        raise CertificateRefused(f"{host} could not prove its name") from None
    except OSError as error:
        raise NotConnected(f"TLS with {host} failed ({type(error).__name__})") from None
