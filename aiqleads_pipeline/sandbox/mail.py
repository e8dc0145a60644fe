"""SMTP as aiosmtpd speaks it, with faults: what ``wire`` is for HTTP. Each transaction is one request of the journal.

A fault's route is a glob on ``SMTP MAIL``, ``SMTP RCPT`` or ``SMTP DATA``; without one it strikes at DATA.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from functools import partial
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from aiqleads_pipeline.sandbox.doubles.mailbox import Mailbox
from aiqleads_pipeline.sandbox.exchange import Reply, Request, chance
from aiqleads_pipeline.sandbox.faults import Fault
from aiqleads_pipeline.sandbox.world import World

logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd tells of its own deprecations there
_OK = "250 2.0.0 Ok: queued as sandbox"


class _Handler:
    """The answers of one connection."""

    def __init__(self, world: World, mailbox: Mailbox, stopping: asyncio.Event) -> None:
        self._world, self._mailbox, self._stopping = world, mailbox, stopping
        self._journal = world.journals[mailbox.name]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._mailbox.settings["require_auth"] and not session.authenticated:
            self._note("MAIL", address, "530", None)
            return "530 5.7.0 Authentication required"
        fault = self._strike("MAIL", "SMTP MAIL", address.encode())
        if fault is not None:
            answer = await self._fail(fault, server)
            if answer is not None:
                self._note("MAIL", address, answer[:3], fault.kind)
                return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: SMTP, _s: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self._mailbox.settings["unknown_recipients"]:
            self._note("RCPT", address, "550", None)
            return "550 5.1.1 No such user here"
        fault = self._strike("RCPT", "SMTP RCPT", address.encode())
        if fault is not None:
            if fault.kind == "partial":
                refused = chance(self._world.seed, fault.number, address) < fault.options["records"]
                answer = "451 4.2.1 Mailbox busy, try again later" if refused else None
            else:
                answer = await self._fail(fault, server)
            if answer is not None:
                self._note("RCPT", address, answer[:3], fault.kind)
                return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        raw = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        fault = self._strike("DATA", "SMTP DATA", raw)
        if fault is not None and fault.kind not in ("lost", "late"):
            answer = await self._fail(fault, server)
            if answer is not None:
                self._note("DATA", raw.decode("utf-8", "replace"), answer[:3], fault.kind)
                return answer
        is_new = self._mailbox.keep(envelope.mail_from or "", envelope.rcpt_tos, raw, self._world.now())
        self._journal.worked(Reply(250, effects=int(is_new), repeats=int(not is_new)))
        status = "none" if fault is not None and fault.kind == "lost" else "250"
        self._note("DATA", raw.decode("utf-8", "replace"), status, fault.kind if fault else None)
        if fault is not None and fault.kind == "late":
            await self._wait(fault.options["seconds"])
        if fault is not None and fault.kind == "lost":
            if fault.options["how"] == "hang":
                await self._wait(fault.options["seconds"])
            _cut(server)
        return _OK

    def _strike(self, verb: str, target: str, body: bytes) -> Fault | None:
        rules = self._world.faults
        return rules.strike(self._mailbox.name, target, {}, body, by_name=verb != "DATA")

    async def _fail(self, fault: Fault, server: SMTP) -> str | None:
        kind, options = fault.kind, fault.options
        if kind == "partial":
            return None  # it is about recipients
        if kind == "slow":
            await self._wait(options["seconds"])
            return None
        if kind == "error":
            status = options["status"] if options["status"] in range(400, 600) else 451
            status = 451 if status == 500 else status
            return f"{status} {status // 100}.3.0 made to fail"
        if kind == "throttle":
            return "421 4.7.0 Too many messages, slow down"
        if kind == "hang":
            await self._wait(options["seconds"])
        _cut(server)
        return "421 4.3.0 gone"

    def _note(self, verb: str, text: str, status: str, fault: str | None) -> None:
        request = Request("SMTP", verb, "", {}, text.encode(), self._world.now())
        self._journal.note(request, status, fault)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def mail_connection(world: World, mailbox: Mailbox, stopping: asyncio.Event) -> SMTP:
    """The protocol of one connection."""
    return SMTP(
        _Handler(world, mailbox, stopping),
        hostname="sandbox.localhost",
        ident="sandbox",
        data_size_limit=mailbox.settings["max_bytes"],
        enable_SMTPUTF8=True,
        auth_require_tls=False,
        authenticator=partial(_authenticate, mailbox),
        loop=asyncio.get_running_loop(),
    )


def _authenticate(
    mailbox: Mailbox, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any
) -> AuthResult:
    known = mailbox.credentials["username"].encode(), mailbox.credentials["password"].encode()
    is_known = isinstance(data, LoginPassword) and (data.login, data.password) == known
    return AuthResult(success=is_known, handled=is_known)


def _cut(server: SMTP) -> None:
    transport = server.transport
    if transport is None:
        return
    with contextlib.suppress(OSError, AttributeError):
        link: socket.socket = transport.get_extra_info("socket")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()  # type: ignore[attr-defined]
