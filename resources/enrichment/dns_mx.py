"""Whether a domain takes mail, by DNS: MX, else its own address (RFC 5321), and the null MX (RFC 7505).

Name servers are addresses, never names, and go through the egress guard; what they answer is data, nothing is dialled.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

import dns.exception
import dns.name
import dns.resolver

from resources.enrichment import Answers, Found, KeyKind, Kind, LookupRefused, LookupUnavailable, Terms, facts
from resources.enrichment.calling import Setup
from resources.http import why_blocked

MOST_KEYS = 500
_AT_ONCE = 16
_TRY_SECONDS = 2.0


class DnsMx:
    """Mail servers of domains. Options: ``name_servers`` (addresses), ``port``."""

    OPTIONS = frozenset({"name_servers", "port"})
    BASE_URL = "dns:"
    key_kind = KeyKind.EMAIL_DOMAIN
    kind = Kind.EMAIL
    fields = frozenset({"has_mail_server"})

    def __init__(self, setup: Setup) -> None:
        self.name = setup.name
        self.terms: Terms = setup.terms
        servers = [str(each) for each in setup.options.get("name_servers", ("1.1.1.1", "9.9.9.9"))]
        for each in servers:
            if kind := why_blocked(ip_address(each), setup.allow_loopback):
                raise LookupRefused(f"the name server {each} is a {kind} address: it is not asked", "egress_refused")
        self._resolver = dns.resolver.Resolver(configure=False)
        self._resolver.nameservers = list(servers)
        self._resolver.port = int(setup.options.get("port", 53))
        self._resolver.timeout = _TRY_SECONDS
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="dns")

    def lookup(self, keys: Sequence[str], *, timeout_seconds: float) -> Answers:
        """See ``EnrichmentProvider``."""
        deadline = time.monotonic() + timeout_seconds
        results = list(self._pool.map(lambda key: self._ask(key, deadline), keys))
        later = frozenset(key for key, result in zip(keys, results, strict=True) if result is None)
        if keys and len(later) == len(keys):
            raise LookupUnavailable(f"{self.name}: no name server answers", "timed_out")
        found: dict[str, Found] = {}
        for key, result in zip(keys, results, strict=True):
            known = None if result is None else facts.found({"has_mail_server": result}, 0.95)
            if known:
                found[key] = known
        return Answers(found, later)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, domain: str, deadline: float) -> bool | None:
        """Whether it takes mail; None where nobody can say now."""
        try:
            name = dns.name.from_text(domain)
        except dns.exception.DNSException:
            return False
        try:
            answer = self._resolver.resolve(name, "MX", lifetime=_left(deadline), search=False)
            return any(str(record.exchange) != "." for record in answer)
        except (dns.resolver.NXDOMAIN, dns.resolver.YXDOMAIN):
            return False
        except dns.resolver.NoAnswer:
            return self._has_address(name, deadline)
        except (dns.exception.DNSException, OSError):
            return None

    def _has_address(self, name: dns.name.Name, deadline: float) -> bool | None:
        is_sure = True
        for kind in ("A", "AAAA"):
            try:
                self._resolver.resolve(name, kind, lifetime=_left(deadline), search=False)
                return True
            except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
                continue
            except (dns.exception.DNSException, OSError):
                is_sure = False
        return False if is_sure else None


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)
