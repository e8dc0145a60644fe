"""Imports everything once and forks a child per command: real processes to kill, without the time of the imports.

Protocol: one JSON line in, ``{"arguments": [...], "environment": {...}, "out": path, "file_bytes": limit}``;
one JSON line back, first ``{"pid": n}`` and then, when the child ended or stopped, ``{"pid": n, "status": <wait
status>}``. The child leads a session of its own and holds none of the zygote's files.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import traceback
from typing import Any

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until standard input closes."""
    import aiqleads_pipeline.cli
    import aiqleads_pipeline.commands.process
    import aiqleads_pipeline.definitions  # noqa: F401

    answers = os.fdopen(os.dup(1), "w", buffering=1)
    answers.write(json.dumps({"ready": os.getpid()}) + "\n")
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            pid = asked["wait"]
        else:
            pid = os.fork()
            if pid == 0:
                _become(asked)
            answers.write(json.dumps({"pid": pid}) + "\n")
        _, status = os.waitpid(pid, os.WUNTRACED)
        answers.write(json.dumps({"pid": pid, "status": status}) + "\n")


def _become(asked: dict[str, Any]) -> None:
    """In the child: run the command line as if it had been started, and never return."""
    code = 70
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # a stopped child must not outlive a drill that died
        nothing, out = os.open(os.devnull, os.O_RDONLY), os.open(asked["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(nothing, 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.closerange(3, 1024)
        os.environ.update(asked["environment"])
        if asked["file_bytes"]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (asked["file_bytes"], asked["file_bytes"]))
        sys.argv = ["aiqleads", *asked["arguments"]]
        from aiqleads_pipeline.cli import app

        app(args=asked["arguments"], standalone_mode=True)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        import atexit

        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
