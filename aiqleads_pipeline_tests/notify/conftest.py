"""A real mail server on loopback that keeps what it gets, and refuses what it is told to."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from resources.destinations import Parcel

CREATED = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@dataclass
class Inbox:
    """What the server got, and what it shall refuse: recipient or "DATA" to answer."""

    messages: list[Any] = field(default_factory=list)
    envelopes: list[Any] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    port: int = 0

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):
        if "DATA" in self.refuse:
            return self.refuse["DATA"]
        self.envelopes.append((session.ssl is not None, envelope.mail_from, list(envelope.rcpt_tos)))
        self.messages.append(email.message_from_bytes(envelope.original_content, policy=email.policy.default))
        return "250 OK"


def _log_in(_server, _session, _envelope, _mechanism, given):
    return AuthResult(success=(given.login, given.password) == (b"robot", b"right"), handled=False)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mail")
    file = folder / "pair.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(folder / "key.pem"),
        "-out", str(folder / "cert.pem"),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    file.write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    return file


@pytest.fixture
def mail_server(certificate: Path) -> Iterator[Callable[..., Inbox]]:
    """Starts a server: ``security`` as in the rules, ``login`` whether a log-in is needed."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    servers: list[asyncio.Server] = []

    def start(security: str = "none", login: bool = False) -> Inbox:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        inbox = Inbox()
        options: dict[str, Any] = {"auth_required": login, "auth_require_tls": False}
        if login:
            options["authenticator"] = _log_in
        if security == "starttls":
            options |= {"tls_context": context, "require_starttls": True}

        def make() -> SMTP:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it can't know that the log-in is inside of TLS all the same
                return SMTP(inbox, loop=loop, hostname="localhost", **options)

        async def listen() -> asyncio.Server:
            return await loop.create_server(make, "127.0.0.1", 0, ssl=context if security == "tls" else None)

        server = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
        inbox.port = server.sockets[0].getsockname()[1]
        servers.append(server)
        return inbox

    yield start

    async def end() -> None:
        for server in servers:
            server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(end(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def lead_parcel(delivery_id: UUID | None = None, priority: int = 2, **contact: Any) -> Parcel:
    """A delivery of a lead, as the worker hands it over."""
    body = {
        "lead_id": "0f8c1d2e-0000-8000-8000-000000000001",
        "owner": "ana",
        "priority": f"P{priority}",
        "lead_score": 71.5,
        "source": "fair",
        "sla_due_at": "2026-11-23T16:00:00Z",
        "contact": {"full_name": "Grace Hopper", "email": "grace@hopper.example", **contact},
        "company": {"name": "Hopper Systems"},
        "interest": {},
    }
    return Parcel(delivery_id or uuid4(), uuid4(), "mail", 1, priority, CREATED, body)
