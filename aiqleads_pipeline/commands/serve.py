"""`aiqleads serve`: the HTTP API, and what to say when it starts."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from aiqleads_pipeline.outside import Outside
from resources.store.errors import StoreUnavailable


def serve_doors(outside: Outside, host: str, port: int | None, workers: int | None, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM. A database that is away does not stop the start: it is waited for, with 503s."""
    from aiqleads_pipeline.doors.issuers import OutsideIssuer
    from aiqleads_pipeline.doors.server import serve

    settings = outside.settings
    if settings.OUTSIDE_ISSUER:
        OutsideIssuer(settings)  # wrong settings stop the start here, not each worker
    settings.home.mkdir(parents=True, exist_ok=True)
    outside.rules()  # wrong rules stop the start, with file and line
    try:
        # This process holds the embedded database for its workers, who come and go.
        _ = outside.store
    except StoreUnavailable as error:
        say(f"{error}; serving 503 until it is back")
    if not is_loopback(host):
        say(f"Listening beyond this host: put TLS in front of {host}, and let only it in.")
    port = settings.API_PORT if port is None else port
    serve(outside, host, port, settings.API_WORKERS if workers is None else max(1, workers), say)


def is_loopback(host: str) -> bool:
    """Whether only this host can reach it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
