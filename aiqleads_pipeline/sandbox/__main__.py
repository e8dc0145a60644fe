"""A sandbox as a process: prints its ports as one line of JSON and ends when its standard input does."""

from __future__ import annotations

import json
import sys

from aiqleads_pipeline.sandbox.box import start_sandbox


def main() -> None:
    """``python -m aiqleads_pipeline.sandbox SEED PORT RECEIVER…``"""
    seed, port, *receivers = sys.argv[1:]
    with start_sandbox(seed=int(seed), port=int(port), receivers=receivers) as box:
        sys.stdout.write(json.dumps(box.ports) + "\n")
        sys.stdout.flush()
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
