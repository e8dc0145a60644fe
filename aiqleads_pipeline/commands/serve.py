"""`aiqleads serve`: the HTTP API, and what to say when it starts."""

from __future__ import annotations

import os
from collections.abc import Callable
from ipaddress import ip_address

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import SettingsError
from resources.store.errors import StoreUnavailable

FOR_OTHERS = 40  # connections: Dagster's three processes, runner, deliverer, watchman, commands
FEWEST_EACH = 4  # leads, webhooks, whatever else is asked, and the breaker's own
CONNECTIONS_VARIABLE = "AIQLEADS_DATABASE_CONNECTIONS"


def serve_doors(outside: Outside, host: str, port: int | None, workers: int | None, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM. A database that is away does not stop the start: it is waited for, with 503s."""
    from aiqleads_pipeline.doors.issuers import OutsideIssuer
    from aiqleads_pipeline.doors.server import serve

    settings = outside.settings
    if settings.OUTSIDE_ISSUER:
        OutsideIssuer(settings)  # wrong settings stop the start here, not each worker
    settings.home.mkdir(parents=True, exist_ok=True)
    outside.rules()  # wrong rules stop the start, with file and line
    workers = settings.API_WORKERS if workers is None else max(1, workers)
    try:
        # This process holds the embedded database for its workers, who come and go.
        _, most = outside.store.connections()
        if workers > 1:
            os.environ[CONNECTIONS_VARIABLE] = str(connections_each(most, workers, settings.DATABASE_CONNECTIONS))
    except StoreUnavailable as error:
        say(f"{error}; serving 503 until it is back")
    if not is_loopback(host):
        say(f"Listening beyond this host: put TLS in front of {host}, and let only it in.")
    port = settings.API_PORT if port is None else port
    serve(outside, host, port, workers, say)


def connections_each(most: int, workers: int, wanted: int) -> int:
    """How many connections each worker may have, so that all of them leave room for the pipeline beside them.

    Raises:
        SettingsError: the database takes too few for so many workers.
    """
    each = (most - FOR_OTHERS) // workers
    if each < FEWEST_EACH:
        fit = max(1, (most - FOR_OTHERS) // FEWEST_EACH)
        raise SettingsError(
            f"AIQLEADS_API_WORKERS: the database takes {most} connections, enough for {fit} workers, not {workers}: "
            "ask for fewer, or raise its max_connections"
        )
    return min(wanted, each)


def is_loopback(host: str) -> bool:
    """Whether only this host can reach it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
