"""`aiqleads sandbox`: doubles of outside services on loopback, until Ctrl-C."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Sequence

from aiqleads_pipeline.sandbox import start_sandbox


def run_sandbox(
    port: int, seed: int, faults: Sequence[str], receivers: Sequence[str], say: Callable[[str], None], *, as_json: bool
) -> None:
    """Serve until interrupted; says where everything is.

    Raises:
        UnknownFault: a fault can't be read.
        OSError: a port is taken.
    """
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with start_sandbox(seed=seed, port=port, faults=faults, receivers=receivers) as box:
        if as_json:
            say(json.dumps({"ports": box.ports, "credentials": box.credentials}))
        else:
            for line in _lines(box.state(), box.page_url, box.credentials):
                say(line)
        ended.wait()


def _lines(state: dict[str, dict[str, object]], page: str, credentials: dict[str, dict[str, str]]) -> list[str]:
    lines = [f"The sandbox: {page}  (what each has received; Ctrl-C ends it)", ""]
    for name, double in state.items():
        known = "  ".join(f"{key}={value}" for key, value in credentials.get(name, {}).items())
        scheme = "smtp" if name == "smtp" else "http"
        lines.append(f"{name:15} {scheme}://127.0.0.1:{double['port']}  {known}")
    return [*lines, "", "Reached with AIQLEADS_EGRESS_ALLOW_LOOPBACK=true only."]
