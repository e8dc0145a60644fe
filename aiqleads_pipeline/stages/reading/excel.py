"""Reads a workbook (XLSX, XLSM, XLSB, XLS, ODS) through a child process with bounded memory and time.

Belongs here: starting the child and understanding its end. Does not belong here: parsing (``excel_child``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from aiqleads_pipeline.settings import PROJECT_DIR, Settings
from aiqleads_pipeline.stages.reading.delimited import scan_plain
from aiqleads_pipeline.stages.reading.drop import DropRefused, Table
from aiqleads_pipeline.stages.reading.unpack import check_workbook_size

_CHILD = "aiqleads_pipeline.stages.reading.excel_child"
_OUT_OF_MEMORY = ("memory allocation", "MemoryError", "Cannot allocate memory", "capacity overflow")


def read_workbook(con: DuckDBPyConnection, path: Path, target: Path, settings: Settings) -> Table:
    """The rows of the workbook's sheet that knows the most headers; ``target`` is the file they are written to.

    Raises:
        DropRefused: it is damaged, protected, or takes more memory or time than the limits.
    """
    check_workbook_size(path, settings)
    outcome = _run_child(path, target, settings)
    if "refused" in outcome:
        raise DropRefused(outcome["refused"], outcome.get("detail", ""))
    facts = {name: outcome[name] for name in ("sheet", "sheets_not_read", "header_row", "has_header")}
    return Table(
        outcome["headers"],
        scan_plain(con, target, len(outcome["headers"])),
        facts | {"header": outcome["headers"]},
        outcome["rows"],
        outcome["unreadable"],
        outcome["samples"],
        release=lambda: target.unlink(missing_ok=True),
    )


def _run_child(path: Path, target: Path, settings: Settings) -> dict[str, Any]:
    seconds = settings.pipeline.PROCESSING_TIMEOUT
    limits = {
        "memory_bytes": settings.READER_MEMORY_MB << 20,
        "seconds": seconds,
        "columns": settings.MAX_DROP_COLUMNS,
        "cell_chars": settings.MAX_CELL_CHARS,
    }
    command = [sys.executable, "-m", _CHILD, str(path), str(target), json.dumps(limits)]
    # No secret reaches the process that parses strangers' files.
    environment = {"PYTHONPATH": str(PROJECT_DIR), "PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"}
    try:
        ended = subprocess.run(command, capture_output=True, timeout=seconds, env=environment, check=False)
    except subprocess.TimeoutExpired as error:
        raise DropRefused("reader_timed_out", f"The limit is {seconds} s.") from error
    if ended.returncode == 0:
        return dict(json.loads(ended.stdout))
    said = ended.stderr.decode("utf-8", "replace")
    if ended.returncode < 0 or any(sign in said for sign in _OUT_OF_MEMORY):
        raise DropRefused("reader_out_of_memory", f"The limit is {settings.READER_MEMORY_MB} MB.")
    raise DropRefused("corrupt_file", "The workbook can't be parsed.")
