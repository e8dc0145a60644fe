"""The sandbox's vendors, a real store, a name server of our own, and desks over them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
import yaml

from aiqleads_pipeline.enriching.desk import Desk, open_desk
from aiqleads_pipeline.rules.enrichment import EnrichmentRules, load_enrichment
from aiqleads_pipeline.sandbox import Sandbox
from aiqleads_pipeline.settings import PipelineConfig, Settings
from aiqleads_pipeline_tests.sandbox.fixtures import running_sandbox, sandbox
from aiqleads_pipeline_tests.store.conftest import make_database, private_folder, server, store, template
from resources.store.database import Store

__all__ = ["make_database", "private_folder", "running_sandbox", "sandbox", "server", "store", "template"]


class NameServer:
    """A name server on loopback: ``zones`` maps a name to its MX records, ``mode`` is what it does."""

    def __init__(self) -> None:
        self.zones: dict[str, list[str]] = {}
        self.mode = "answers"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                packet, sender = self._socket.recvfrom(4096)
            except OSError:
                return
            if packet == b"stop":
                return
            if self.mode == "silent":
                continue
            query = dns.message.from_wire(packet)
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA
            name, kind = query.question[0].name, query.question[0].rdtype
            known = self.zones.get(name.to_text().rstrip("."))
            if self.mode == "fails":
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif known is None:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            elif kind == dns.rdatatype.MX and known:
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "MX", *known))
            self._socket.sendto(answer.to_wire(), sender)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"stop", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    served = NameServer()
    served.zones = {
        "known.example.com": ["10 mx.known.example.com."], "null.example.com": ["0 ."], "bare.example.com": [],
    }  # fmt: skip
    yield served
    served.close()


@pytest.fixture
def make_rules(tmp_path: Path) -> Callable[..., EnrichmentRules]:
    """Rules from a dictionary, through the file that people write."""

    def make(**content: Any) -> EnrichmentRules:
        (tmp_path / "enrichment.yaml").write_text(yaml.safe_dump({"enabled": True, **content}))
        return load_enrichment(tmp_path)

    return make


@pytest.fixture
def make_desk(
    store: Store, make_rules: Callable[..., EnrichmentRules], monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> Iterator[Callable[..., Desk]]:
    """A desk over the sandbox: ``make_desk(pdl={...}, fields={...})``; vendors get the sandbox's address and key."""
    for name in ("PDL", "APOLLO", "HUNTER", "REST"):
        monkeypatch.setenv(f"AIQLEADS_SECRET__{name}", f"sandbox-{name.lower()}-key")
    usual = {
        "pdl": {"adapter": "people_data_labs", "kind": "company", "secret": "PDL", "charges_unknown": False},
        "apollo": {"adapter": "apollo", "kind": "company", "secret": "APOLLO"},
        "hunter": {"adapter": "hunter", "kind": "email", "secret": "HUNTER"},
    }
    opened = []

    def make(fields: dict[str, Any], timeout: int = 5, rules: dict[str, Any] | None = None, **providers: Any) -> Desk:
        made = {
            name: {
                **usual[name], "enabled": True, "base_url": sandbox.url(name), "calls_per_second": 1000,
                "burst_calls": 1000, **changes,
            }
            for name, changes in providers.items()
        }  # fmt: skip
        settings = Settings(EGRESS_ALLOW_LOOPBACK=True, pipeline=PipelineConfig(ENRICHMENT_TIMEOUT=timeout))
        asked = {
            name: {**rule, "order": [each for each in rule["order"] if each in made]} for name, rule in fields.items()
        }
        desk = open_desk(make_rules(providers=made, fields=asked, **(rules or {})), settings, store)
        opened.append(desk)
        return desk

    yield make
    for desk in opened:
        desk.close()
