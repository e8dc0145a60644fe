"""The floor: the same file from CSV to Parquet in DuckDB as it comes, two threads, zstd at its default level.

Nothing can process a file without reading it and writing it, so everything is given as a multiple of this.

    python -m benchmarks.floor FILE OUT
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb


def convert(source: Path, target: Path) -> float:
    """Convert once; returns seconds."""
    started = time.perf_counter()
    with duckdb.connect(config={"threads": 2}) as con:
        con.execute("SET preserve_insertion_order = true")
        relation = con.read_csv(str(source), header=True, all_varchar=True, sep=",", quotechar='"', escapechar='"')
        relation.write_parquet(str(target), compression="zstd")
    return time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps({"seconds": [convert(Path(sys.argv[1]), Path(sys.argv[2])) for _ in range(int(sys.argv[3]))]}))
