"""The drill of the schema: schemathesis goes through all of ``/openapi.json`` once as each role, within the schema and
against it. No answer may be a 5xx, or another than the schema says: status, type, fields, headers.

Belongs here: the service to ask, the roles, the command. What is asked is schemathesis' business; a seed repeats it.

    python -m benchmarks.schema_drill [--seed 1] [--examples 30] [--roles client,viewer] [--only PATH]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.doors import service_under_load

ROLES = ("admin", "ops", "client", "viewer")
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance",
)  # fmt: skip
PHASES = "examples,coverage,fuzzing,stateful"
# Endless by nature: a stream of events ends when the other side does.
LEFT_OUT = "/events$"
# Its own credentials beside the key would make every request one of nobody.
CONFIG = "[generation]\nwith-security-parameters = false\n"


def new_key(home: Path, role: str) -> str:
    """A key of a client of its own."""
    made = subprocess.run(
        [sys.executable, "-m", "aiqleads_pipeline.cli", "keys", "create", "--client", f"drill-{role}",
         "--role", role, "--json"],
        env={**os.environ, "AIQLEADS_HOME": str(home)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return str(json.loads(made.stdout)["api_key"])


def ask_as(
    port: int, api_key: str, seed: int, examples: int, only: str | None = None, phases: str = PHASES
) -> subprocess.CompletedProcess[str]:
    """One role's way through the schema; exit status 0 if nothing was found, else what it was is printed."""
    url = f"http://127.0.0.1:{port}"
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", "drill.toml", "run",
        f"{url}/openapi.json", "--url", url,
        "--checks", ",".join(CHECKS), "--phases", phases, "--mode", "all",
        "--max-examples", str(examples), "--seed", str(seed), "--generation-database", "none", "--no-shrink",
        "--workers", "1", "--exclude-path-regex", LEFT_OUT, "--header", f"X-API-Key:{api_key}",
        "--request-timeout", "30", "--suppress-health-check", "all",
    ]  # fmt: skip
    if only:
        command += ["--include-path", only]
    with tempfile.TemporaryDirectory() as folder:  # it leaves files where it runs
        Path(folder, "drill.toml").write_text(CONFIG, encoding="utf-8")
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line per role, and what was found; exit status 1 if anything was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=30)
    parser.add_argument("--roles", default=",".join(ROLES))
    parser.add_argument("--only")
    options = parser.parse_args(arguments)
    failures = 0
    with (
        tempfile.TemporaryDirectory(prefix="aiqleads-schema-") as folder,
        service_under_load(Path(folder)) as (port, _, _),
    ):
        for role in options.roles.split(","):
            ended = ask_as(port, new_key(Path(folder), role), options.seed, options.examples, options.only)
            failures += ended.returncode != 0
            print(ended.stdout if ended.returncode else f"{role}: nothing found", ended.stderr, flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
