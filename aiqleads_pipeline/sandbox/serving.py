"""The event loop of a sandbox: one listening port for each double, one for the page."""

from __future__ import annotations

import asyncio
import socket
import threading
from functools import partial

from uvicorn.config import Config
from uvicorn.server import ServerState

from aiqleads_pipeline.sandbox.admin import Admin
from aiqleads_pipeline.sandbox.doubles.mailbox import Mailbox
from aiqleads_pipeline.sandbox.exchange import Double
from aiqleads_pipeline.sandbox.journal import Journal
from aiqleads_pipeline.sandbox.mail import mail_connection
from aiqleads_pipeline.sandbox.wire import Front, Wire
from aiqleads_pipeline.sandbox.world import World

HOST = "127.0.0.1"
PAGE = "page"


class Serving:
    """Runs in one thread, is stopped from another."""

    def __init__(self, world: World, port: int = 0) -> None:
        self._world, self._port = world, port
        self._started = threading.Event()
        self._fault: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._state = ServerState()
        self._state.default_headers = [(b"server", b"sandbox")]

    def run(self) -> None:
        """Serve until ``stop``."""
        asyncio.run(self._serve())

    def wait_started(self, seconds: float) -> dict[str, int]:
        """The ports, once all of them listen.

        Raises:
            OSError: a port could not be had, or it took too long.
        """
        if not self._started.wait(seconds):
            raise OSError("the sandbox did not start")
        if self._fault is not None:
            raise self._fault
        return self._world.ports

    def stop(self) -> None:
        """End all connections and the loop; hanging answers end at once."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        servers: list[asyncio.Server] = []
        try:
            sockets = _listening([PAGE, *self._world.doubles], self._port)
            self._world.ports = {name: link.getsockname()[1] for name, link in sockets.items()}
            for name, link in sockets.items():
                servers.append(await self._open(name, link))
        except BaseException as error:
            self._fault = error
            self._stopping.set()
        self._started.set()
        await self._stopping.wait()
        for server in servers:
            server.close()
        for connection in list(self._state.connections):
            connection.transport.abort()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if left:
            await asyncio.wait(left, timeout=2)

    async def _open(self, name: str, link: socket.socket) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        double: Double
        if name == PAGE:
            double = Admin(self._world)
            self._world.journals.setdefault(PAGE, Journal())
        else:
            double = self._world.doubles[name]
        double.base_url = f"http://{HOST}:{link.getsockname()[1]}"
        if isinstance(double, Mailbox):
            return await loop.create_server(partial(mail_connection, self._world, double, self._stopping), sock=link)
        config = Config(Front(self._world, name, double, self._stopping), lifespan="off", ws="none", log_config=None)
        config.load()
        make = partial(Wire, config=config, server_state=self._state, app_state={})
        return await loop.create_server(make, sock=link, backlog=1024)


def _listening(names: list[str], first: int) -> dict[str, socket.socket]:
    sockets: dict[str, socket.socket] = {}
    try:
        for number, name in enumerate(names):
            link = socket.socket()
            sockets[name] = link
            link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                link.bind((HOST, first + number if first else 0))
            except OSError as error:
                raise OSError(f"port {first + number} is taken: choose another with --port") from error
    except BaseException:
        for link in sockets.values():
            link.close()
        raise
    return sockets
