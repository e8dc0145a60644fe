"""Serving: uvicorn with our limits, one or several worker processes on one port, and an end that finishes its work.

Belongs here: the process. At SIGTERM or SIGINT a worker takes no more connections, answers what it has begun (for
``AIQLEADS_API_STOP_SECONDS`` at most) and only then ends its parts.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import signal
import socket  # noqa: TID251  (listens, calls nobody)
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import uvicorn

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import SettingsError

FACTORY = "aiqleads_pipeline.doors.server:worker_app"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {
        # Its warnings are one line for whatever is sent that is no HTTP: those are counted, not written down.
        "uvicorn.error": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "aiqleads": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}
_PR_SET_PDEATHSIG = 1
FILES_FOR_WORK = 512


def serve(outside: Outside, host: str, port: int, workers: int, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; port 0 is any that is free.

    Raises:
        SettingsError: the address can't be had.
    """
    # When all is answered uvicorn raises the signal again, for whoever had a handler before: let nobody die of it, so
    # that this process ends as any other does and gives the database back.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    _allow_connections(outside.settings.API_MAX_CONNECTIONS)
    with ExitStack() as stack:
        if workers > 1:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="aiqleads-metrics-"))
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        sock = stack.enter_context(_listen(host, port))
        say(f"API              http://{f'[{host}]' if ':' in host else host}:{sock.getsockname()[1]}")
        config = _configure(outside, workers)
        if workers > 1:
            from uvicorn.supervisors import Multiprocess

            Multiprocess(config, sockets=[sock]).run()
        else:
            uvicorn.Server(config).run(sockets=[sock])


def worker_app() -> Any:
    """The application of one worker process, whose life is tied to the one that started it."""
    # Imported here: prometheus_client looks for the folder of the shared numbers when it is imported.
    from aiqleads_pipeline.doors.app import create_from_environment

    parent = multiprocessing.parent_process()
    if parent is not None:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent.pid:  # it was gone before that
            raise SystemExit(1)
    return create_from_environment()


def _configure(outside: Outside, workers: int) -> uvicorn.Config:
    settings = outside.settings
    return uvicorn.Config(
        FACTORY,
        factory=True,
        workers=workers,
        http="aiqleads_pipeline.doors.protocol:LimitedProtocol",
        ws="none",
        loop="uvloop",
        lifespan="on",
        log_config=LOGGING,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.TRUSTED_PROXIES),
        forwarded_allow_ips=settings.TRUSTED_PROXIES or "",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=settings.API_STOP_SECONDS,
        backlog=2048,
    )


def _allow_connections(count: int) -> None:
    """Let the process have a file for each connection and some to work with, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + FILES_FOR_WORK
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
    except OSError as error:
        why = error.strerror or error
        raise SettingsError(f"{host}:{port} can't be listened on ({why}): choose another --host or --port") from None
    sock.set_inheritable(True)
    return sock
