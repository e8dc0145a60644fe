"""Starting a sandbox, in a thread or in a process of its own, and the handle to it.

Belongs here: the lives of both, and the client of the page port. Does not belong here: what the doubles do.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPConnection
from typing import Any

from aiqleads_pipeline.sandbox.faults import parse_fault
from aiqleads_pipeline.sandbox.serving import Serving
from aiqleads_pipeline.sandbox.world import KINDS, World

_START_SECONDS = 30.0
PAGE = "page"


class SandboxRefused(ValueError):
    """The sandbox was asked for something that there is not."""


class Sandbox:
    """The handle: where the doubles listen, what they have received, how they shall fail."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self.ports = dict(ports)
        self.credentials: dict[str, dict[str, str]] = {kind.name: dict(kind.credentials) for kind in KINDS}

    @property
    def page_url(self) -> str:
        """For people."""
        return self.url(PAGE)

    def port(self, name: str) -> int:
        """Where a double listens."""
        return self.ports[name]

    def url(self, name: str) -> str:
        """Where a double listens, as a base URL without a slash at its end."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def fault(self, double: str, kind: str, **options: Any) -> int:
        """Make a double fail from now on; returns the rule's number. The kinds and options: ``faults.KINDS``."""
        number: int = self._ask("POST", "/faults", {"double": double, "kind": kind, **options})["id"]
        return number

    def clear_faults(self, number: int | None = None) -> None:
        """Take one rule away, or all."""
        self._ask("DELETE", "/faults" if number is None else f"/faults/{number}")

    def faults(self) -> list[dict[str, Any]]:
        """All rules, with how often they struck."""
        rules: list[dict[str, Any]] = self._ask("GET", "/faults")
        return rules

    def counts(self, double: str) -> dict[str, Any]:
        """Attempts, effects, repeats, refused, statuses, faults, facts of one double."""
        counts: dict[str, Any] = self.state()[double]
        return counts

    def state(self) -> dict[str, Any]:
        """The same of all."""
        state: dict[str, Any] = self._ask("GET", "/state")
        return state

    def requests(self, double: str) -> list[dict[str, Any]]:
        """Its last thousand requests, oldest first."""
        rows: list[dict[str, Any]] = self._ask("GET", f"/doubles/{double}/requests")
        return rows

    def records(self, double: str, kind: str) -> list[dict[str, Any]]:
        """What it holds of a kind."""
        rows: list[dict[str, Any]] = self._ask("GET", f"/doubles/{double}/records/{kind}")
        return rows

    def configure(self, double: str, **settings: Any) -> None:
        """Change settings of a double."""
        self._ask("PUT", f"/doubles/{double}/settings", settings)

    def act(self, double: str, action: str, **arguments: Any) -> Any:
        """Let something happen on the vendor's side."""
        return self._ask("POST", f"/doubles/{double}/actions/{action}", arguments)["result"]

    def reset(self) -> None:
        """State, counts, faults and settings as at the start."""
        self._ask("POST", "/reset")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        link = HTTPConnection("127.0.0.1", self.ports[PAGE], timeout=_START_SECONDS)
        try:
            link.request(method, path, None if body is None else json.dumps(body))
            response = link.getresponse()
            answer = json.loads(response.read())
        finally:
            link.close()
        if response.status >= 400:
            raise SandboxRefused(answer["error"])
        return answer


@contextlib.contextmanager
def start_sandbox(
    *,
    seed: int = 0,
    port: int = 0,
    faults: Sequence[str] = (),
    receivers: Sequence[str] = (),
    in_process: bool = False,
) -> Iterator[Sandbox]:
    """A sandbox on loopback for as long as the context lasts.

    Args:
        seed: decides every fault that is not certain, and the facts of companies.
        port: of the page; the doubles take the ones after it. 0: free ports.
        faults: from the start on, as ``hubspot:error:status=503,share=0.2``.
        receivers: further receivers of webhooks, by name, each with a port of its own.
        in_process: a process of its own, for measurements; it ends with this one.

    Raises:
        UnknownFault: a fault can't be read.
        OSError: a port is taken.
    """
    rules = [parse_fault(text) for text in faults]
    starting = _started_process(seed, port, receivers) if in_process else _started_thread(seed, port, receivers)
    with starting as ports:
        box = Sandbox(ports)
        for rule in rules:
            box.fault(**rule)
        yield box


@contextlib.contextmanager
def _started_thread(seed: int, port: int, receivers: Sequence[str]) -> Iterator[dict[str, int]]:
    serving = Serving(World(seed, receivers), port)
    thread = threading.Thread(target=serving.run, name="sandbox", daemon=True)
    thread.start()
    try:
        yield serving.wait_started(_START_SECONDS)
    finally:
        serving.stop()
        thread.join(_START_SECONDS)


@contextlib.contextmanager
def _started_process(seed: int, port: int, receivers: Sequence[str]) -> Iterator[dict[str, int]]:
    command = [sys.executable, "-m", "aiqleads_pipeline.sandbox", str(seed), str(port), *receivers]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            line = process.stdout.readline() if process.stdout else b""
            if not line:
                raise OSError("the sandbox did not start")
            yield json.loads(line)
        finally:
            if process.stdin:
                process.stdin.close()  # it ends when its parent is gone
            process.wait(_START_SECONDS)
