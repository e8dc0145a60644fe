"""HTTP as it comes over the socket, and every way in which it can go wrong.

Belongs here: reading requests, writing replies, faults on the wire. Does not belong here: which request meets which
fault (``faults``), what a vendor answers (``doubles``). uvicorn's protocol class without its server: each double has a
port of its own, and a fault needs the transport itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from aiqleads_pipeline.sandbox.exchange import Double, Reply, Request, chance, in_json, in_text
from aiqleads_pipeline.sandbox.faults import Fault
from aiqleads_pipeline.sandbox.world import World

MAX_BODY = 160 << 20
_CHUNK = 1 << 16
_MAINTENANCE = (
    "<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>We'll be back soon</h1></body></html>"
)


class Wire(HttpToolsProtocol):
    """A connection whose requests carry their transport."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"transport": self.transport}  # type: ignore[dict-item]


class Front:
    """The ASGI application of one double."""

    def __init__(self, world: World, name: str, double: Double, stopping: asyncio.Event) -> None:
        self._world, self._name, self._double, self._stopping = world, name, double, stopping
        self._journal = world.journals[name]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        body = await _read(receive)
        if body is None:
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path, query = scope["raw_path"].decode("latin-1").partition("?")[0], scope["query_string"].decode("latin-1")
        request = Request(scope["method"], path, query, headers, body, self._world.now())
        fault = self._world.faults.strike(self._name, f"{request.method} {request.path}", headers, body)
        if fault is None:
            reply = self._work(request)
            self._journal.note(request, str(reply.status), None)
            await _send(send, reply)
            return
        line = _Line(scope["extensions"]["transport"], receive, send, self._stopping)
        await self._fail(fault, request, line)

    def _work(self, request: Request) -> Reply:
        reply = self._double.answer(request)
        self._journal.worked(reply)
        return reply

    async def _fail(self, fault: Fault, request: Request, line: _Line) -> None:
        options, kind = fault.options, fault.kind
        if kind in ("error", "throttle", "html", "empty", "redirect"):
            reply = self._instead(fault, request)
            self._journal.note(request, str(reply.status), kind)
            return await line.send(reply)
        if kind in ("hang", "reset"):
            self._journal.note(request, "none", kind)
            if kind == "hang":
                await line.wait(options["seconds"])
            return await line.reset()
        if kind == "slow":
            await line.wait(options["seconds"])
        if kind == "partial":
            request.fails = lambda key: chance(self._world.seed, fault.number, fault.struck, key) < options["records"]
        reply = self._work(request)
        self._journal.note(request, "none" if kind == "lost" else str(reply.status), kind)
        if kind == "lost":
            if options["how"] == "hang":
                await line.wait(options["seconds"])
            return await (line.close() if options["how"] == "close" else line.reset())
        if kind == "late":
            await line.wait(options["seconds"])
        if kind == "charset":
            reply.body = reply.body.decode().encode(options["charset"], "replace")
        if kind == "truncated":
            return await line.truncate(reply)
        if kind == "drip":
            return await line.drip(reply, options["seconds"])
        if kind == "huge":
            return await line.flood(reply, int(options["megabytes"] * (1 << 20)))
        return await line.send(reply)

    def _instead(self, fault: Fault, request: Request) -> Reply:
        options = fault.options
        if fault.kind == "html":
            return in_text(_MAINTENANCE, kind="text/html")
        if fault.kind == "empty":
            return Reply(200, b"", {"content-type": "application/json"})
        if fault.kind == "redirect":
            return Reply(302, b"", {"location": options["location"]})
        if fault.kind == "throttle":
            reply, form = self._double.throttled(request), options["form"]
        else:
            body = options["body"]
            reply = in_json(body if body is not None else {"error": f"made to fail: {options['status']}"})
            reply.status, form = int(options["status"]), "seconds" if options["retry_after"] is not None else "none"
        if form == "seconds":
            reply.headers["retry-after"] = f"{options['retry_after']:g}"
        elif form == "date":
            when = request.now.replace(microsecond=0) + timedelta(seconds=options["retry_after"])
            reply.headers["retry-after"] = format_datetime(when, usegmt=True)
        return reply


class _Line:
    """The way back of one request."""

    def __init__(self, transport: asyncio.Transport, receive: Any, send: Any, stopping: asyncio.Event) -> None:
        self._transport, self._receive, self._send, self._stopping = transport, receive, send, stopping

    async def send(self, reply: Reply) -> None:
        await _send(self._send, reply)

    async def wait(self, seconds: float) -> None:
        """Until so long has passed, the other side has left, or the sandbox stops."""
        leaving = asyncio.ensure_future(self._left())
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait((leaving, stopping), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in (leaving, stopping):
            task.cancel()
        await asyncio.gather(leaving, stopping, return_exceptions=True)

    async def reset(self) -> None:
        """Cut the connection so that the other side sees a reset, not an end."""
        with contextlib.suppress(OSError, AttributeError):
            link: socket.socket = self._transport.get_extra_info("socket")
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
        await self._left()

    async def close(self) -> None:
        self._transport.close()
        await self._left()

    async def truncate(self, reply: Reply) -> None:
        """All headers, half of the body."""
        self._transport.write(_head(reply, len(reply.body)) + reply.body[: len(reply.body) // 2])
        await self.close()

    async def drip(self, reply: Reply, seconds: float) -> None:
        """A byte at a time."""
        self._transport.write(_head(reply, len(reply.body)))
        for byte in reply.body:
            await self.wait(seconds)
            if self._transport.is_closing() or self._stopping.is_set():
                break
            self._transport.write(bytes([byte]))
        await self.close()

    async def flood(self, reply: Reply, size: int) -> None:
        """The reply's headers, and blanks of JSON until the size is reached."""
        headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        await self._send({"type": "http.response.start", "status": reply.status, "headers": headers})
        body, blanks, sent = reply.body, b" " * _CHUNK, 0
        while sent < size and not self._transport.is_closing() and not self._stopping.is_set():
            await self._send({"type": "http.response.body", "body": blanks, "more_body": True})
            sent += len(blanks)
        await self._send({"type": "http.response.body", "body": body})

    async def _left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _read(receive: Any) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message["body"]
        size += len(part)
        if size <= MAX_BODY:
            parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def _send(send: Any, reply: Reply) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def _head(reply: Reply, length: int) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} Any", *(f"{name}: {value}" for name, value in reply.headers.items())]
    return ("\r\n".join([*lines, f"content-length: {length}"]) + "\r\n\r\n").encode("latin-1")
