"""One engine for many tests: its macros take longer to define than most tests to run.

Belongs here: taking away what a test left. What it can't take away (a changed limit, a connection that was
closed or broke) costs the next test a new engine.
"""

from __future__ import annotations

import duckdb

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.engine import open_engine

# Everything a test can leave that another could stumble over. The reference tables stay, as between the batches of a
# warm engine; so do the macros that a stage defines anew each time, before it reads them.
_LEFT = """
SELECT 'VIEW', view_name FROM duckdb_views() WHERE NOT internal
UNION ALL SELECT 'TABLE', table_name FROM duckdb_tables() WHERE NOT (temporary AND starts_with(table_name, 'ref_'))
UNION ALL SELECT 'VARIABLE', name FROM duckdb_variables()
"""
_SETTINGS = "threads", "memory_limit", "temp_directory", "TimeZone", "preserve_insertion_order", "search_path"


class SharedEngine:
    """An engine as the pipeline opens it, and the way back to how it was."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open()

    def forget(self) -> None:
        """Make the engine what it was before the test."""
        try:
            clean = self._forget()
        except duckdb.Error:
            clean = False
        if not clean:
            self.con.close()
            self._open()

    def _open(self) -> None:
        self.con = open_engine(self._settings)
        self._before = self._limits()

    def _forget(self) -> bool:
        for kind, name in self.con.execute(_LEFT).fetchall():
            self.con.execute(f'RESET VARIABLE "{name}"' if kind == "VARIABLE" else f'DROP {kind} "{name}"')
        return self._limits() == self._before

    def _limits(self) -> list[tuple[str, ...]]:
        names = ", ".join(f"current_setting('{name}')::VARCHAR" for name in _SETTINGS)
        return self.con.execute(f"SELECT {names}").fetchall()
