"""The order of calls of the system: that a lead's commit was on the disk before its sender was told.

Belongs here: tracing the service and the database's processes with strace, and reading what it wrote.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from resources.store.database import Store

CALLS = "trace=read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,fsync,fdatasync"
TOOL = "strace"
_LINE = re.compile(r"(?P<pid>\d+) +(?P<call>.*)")
_SYNCED = re.compile(r"(?:f(?:data)?sync\(|<\.\.\. f(?:data)?sync resumed>).*= 0$")


def why_not() -> str | None:
    """Why nothing can be traced here; None if it can."""
    if shutil.which(TOOL) is None:
        return "strace is not installed (apt-get install strace)"
    tried = subprocess.run([TOOL, "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()[:200]}"


@contextmanager
def traced(store: Store, service_pid: int, trace: Path) -> Iterator[None]:
    """Trace the service and all of the database's processes: what they called, in order, into a file."""
    with store.connect() as con:
        backends = list(con.execute(text("SELECT pid FROM pg_stat_activity")).scalars())
    server = int(Path(f"/proc/{backends[0]}/stat").read_text().rpartition(")")[2].split()[1])
    pids = [service_pid, server, *backends]
    attach = [part for pid in pids for part in ("-p", str(pid))]
    process = subprocess.Popen(
        [TOOL, "-f", "-s", "2048", "-e", CALLS, "-o", str(trace), *attach], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    left = set(map(str, pids))
    while left:
        left.discard(next(process.stderr).split("Process ", 1)[-1].split(" ", 1)[0])
    try:
        yield
    finally:
        process.terminate()
        process.communicate()


def find_unsynced(trace: Path, service_pid: int, answers_count: int) -> list[str]:
    """Answers 202 that went out before a commit of leads was synced since the answer before; requests come one after
    the other, so that each needs one of its own.

    A commit of leads is synced when the process that took its COMMIT has come back from fsync or fdatasync with 0.
    """
    service = {str(service_pid), *(task.name for task in Path(f"/proc/{service_pid}/task").iterdir())}
    has_leads: set[str] = set()
    committing: set[str] = set()
    synced, answers, faults = 0, 0, []
    for line in trace.read_text(encoding="utf-8", errors="replace").splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        pid, call = found["pid"], found["call"]
        if pid not in service:
            if "COPY aiqleads.intake " in call or "INTO aiqleads.intake " in call:
                has_leads.add(pid)
            if (
                "COMMIT" in call
                and pid in has_leads
                and not call.startswith(("write", "send", "<... write", "<... send"))
            ):
                committing.add(pid)
                has_leads.discard(pid)
            elif pid in committing and _SYNCED.match(call):
                committing.discard(pid)
                synced += 1
        elif "HTTP/1.1 202" in call and not call.startswith("<..."):
            answers += 1
            if synced < answers:
                faults.append(f"answer {answers} went out after {synced} synced commits")
    if answers != answers_count:
        faults.append(f"{answers} answers were traced of {answers_count}")
    return faults
