"""`aiqleads up`: the processes of one machine and the addresses to look at."""

from __future__ import annotations

import socket
from collections.abc import Callable

from aiqleads_pipeline.automation.instance import prepare_instance
from aiqleads_pipeline.automation.supervisor import Child, python_module, supervise
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import PROJECT_DIR, SettingsError


def start_all(outside: Outside, port: int, say: Callable[[str], None]) -> None:
    """Start webserver, daemon and resident runner, and keep them up until Ctrl-C."""
    if not _is_free(port):
        raise SettingsError(f"port {port} is taken: choose another with --port or AIQLEADS_WEBSERVER_PORT")
    outside.bucket.prepare()
    outside.rules()  # wrong rules stop the start, with file and line
    prepare_instance(outside)
    workspace = str(PROJECT_DIR / "workspace.yaml")
    children = [
        Child(
            "webserver",
            python_module("dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", workspace, *QUIET),
        ),
        Child("daemon", python_module("dagster._daemon", "run", "-w", workspace, *QUIET)),
        Child("runner", python_module("aiqleads_pipeline.cli", "runner")),
    ]
    say(f"Dagster UI       http://127.0.0.1:{port}")
    say(f"Watched bucket   {outside.settings.bucket_url}/uploads/<source>/<file>")
    say(f"Lake             {outside.settings.lake_url}")
    say("Ctrl-C stops all of it.")
    supervise(children, say)


QUIET = ("--log-level", "warning")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0
