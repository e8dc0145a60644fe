"""The sources' rules as the doors need them: read again when the file changes; a faulty edit leaves the last good ones.

Belongs here: which rules hold for a request. What they mean is in ``rules.sources``.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.sources import SourceRules, Sources, load_sources
from resources.bucket import legal_source

log = logging.getLogger("aiqleads.doors")
LOOK_SECONDS = 1.0


class SourceTerms:
    """The rules of all sources.

    Raises:
        RulesError: when made, the file is faulty.
    """

    def __init__(self, rules_dir: Path) -> None:
        self._rules_dir = rules_dir
        self._stamp = self._look()
        self._sources = load_sources(rules_dir)
        self._looked_at = time.monotonic()
        self._of_clients: dict[str, SourceRules] = {}

    def listed(self, name: str) -> SourceRules | None:
        """The rules of a source that the file lists; None for any other word."""
        return self._current().listed.get(name)

    def of_client(self, client: str) -> SourceRules:
        """The rules of a client's own source, which has the client's name."""
        sources = self._current()
        found = self._of_clients.get(client)
        if found is None:
            found = self._of_clients[client] = sources.for_name(legal_source(client))
        return found

    def _current(self) -> Sources:
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            stamp = self._look()
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._sources = load_sources(self._rules_dir)
                    self._of_clients.clear()
                except RulesError as error:
                    log.warning("sources.yaml is faulty, the former rules hold on: %s", str(error).splitlines()[0])
        return self._sources

    def _look(self) -> tuple[int, int]:
        try:
            status = (self._rules_dir / "sources.yaml").stat()
        except FileNotFoundError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_size)
