"""`aiqleads up`: the processes of one machine and the addresses to look at."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import yaml

from aiqleads_pipeline.automation.instance import prepare_instance
from aiqleads_pipeline.automation.supervisor import Child, python_module, supervise
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import PROJECT_DIR, SettingsError

QUIET = ("--log-level", "warning")


def start_all(outside: Outside, port: int, api_port: int, say: Callable[[str], None]) -> None:
    """Start webserver, daemon, resident runner and API, and keep them up until Ctrl-C."""
    if not _is_free(port):
        raise SettingsError(f"port {port} is taken: choose another with --port or AIQLEADS_WEBSERVER_PORT")
    if not _is_free(api_port) or api_port == port:
        raise SettingsError(f"port {api_port} is taken: choose another with --api-port or AIQLEADS_API_PORT")
    outside.bucket.prepare()
    outside.bucket.remove_stale_files()
    outside.lake.remove_stale_files()
    outside.rules()  # wrong rules stop the start, with file and line
    prepare_instance(outside)
    with tempfile.TemporaryDirectory(prefix="aiqleads-") as private:
        children = _children(Path(private), port, api_port)
        _say_where(outside, port, api_port, say)
        supervise(children, say)


def _children(private: Path, port: int, api_port: int) -> list[Child]:
    """The processes. One code server serves webserver and daemon: by themselves both would start one each, the
    daemon a new one every minute. It listens on a socket in a private folder, since whoever reaches it can start runs.
    """
    code = private / "code.sock"
    workspace = private / "workspace.yaml"
    workspace.write_text(
        yaml.safe_dump({"load_from": [{"grpc_server": {"socket": str(code), "location_name": "aiqleads"}}]})
    )
    load = ("-m", "aiqleads_pipeline.definitions", "-d", str(PROJECT_DIR), "--location-name", "aiqleads")
    server = ("code-server", "start", "-s", str(code), *load, "--use-python-environment-entry-point", *QUIET)
    return [
        Child("code server", python_module("dagster", *server), socket=code),
        Child(
            "webserver",
            python_module("dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", str(workspace), *QUIET),
            needs=code,
        ),
        Child("daemon", python_module("dagster._daemon", "run", "-w", str(workspace), *QUIET), needs=code),
        Child("runner", python_module("aiqleads_pipeline.cli", "runner")),
        Child("deliverer", python_module("aiqleads_pipeline.cli", "deliveries", "work")),
        Child("watchman", python_module("aiqleads_pipeline.cli", "alerts", "watch")),
        Child("hot lane", python_module("aiqleads_pipeline.cli", "hot-lane")),
        Child("API", python_module("aiqleads_pipeline.cli", "serve", "--port", str(api_port), "--quiet")),
    ]


def _say_where(outside: Outside, port: int, api_port: int, say: Callable[[str], None]) -> None:
    say(f"Dagster UI       http://127.0.0.1:{port}")
    say(f"API              http://127.0.0.1:{api_port}")
    say(f"Watched bucket   {outside.settings.bucket_url}/uploads/<source>/<file>")
    say(f"Lake             {outside.settings.lake_url}")
    say("Ctrl-C stops all of it.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0
