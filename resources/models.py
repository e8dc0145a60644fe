"""The model registry: trained models as JSON files with their hashes, and which of them is in force.

Belongs here: bytes, hashes, atomic changes. Does not belong here: what is inside of a model; no machine learning
library is imported, since a damaged model crashes the process that parses it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources.durable import durable_write

_log = logging.getLogger(__name__)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


class ModelRefused(Exception):
    """A stored model is missing, damaged or was changed; the message says which and what to do."""


@dataclass(frozen=True)
class ModelRegistry:
    """Models under ``folder``: ``<version>.json``, its hash beside it, and ``current.json``, the one in force."""

    folder: Path

    def save(self, version: str, document: dict[str, Any]) -> None:
        """Store a model; it becomes the one in force by ``promote``. Saving the same version again replaces it."""
        content = json.dumps(document, sort_keys=True, allow_nan=False).encode()
        self.folder.mkdir(parents=True, exist_ok=True)
        with durable_write("model:save"):
            # The hash comes last: a model without one was not saved completely, and is refused.
            self._replace(self._file(version), content)
            self._replace(self._hash_file(version), hashlib.sha256(content).hexdigest().encode())

    def promote(self, version: str) -> None:
        """Put a stored model in force, in one atomic step.

        Raises:
            ModelRefused: it is missing or damaged; the model in force stays.
        """
        self.load(version)
        earlier = [known for known in self.promoted() if known != version]
        withdrawn = [known for known in self.withdrawn() if known != version]
        entry = {"versions": [*earlier, version], "withdrawn": withdrawn}
        with durable_write("model:promote"):
            self._replace(self._pointer(), json.dumps(entry).encode())

    def rollback(self) -> str | None:
        """Take the model in force out of service; returns the one that serves now, None for rules.

        It is noted as withdrawn: no policy may put it in force again, only a person by ``promote``.

        Raises:
            ModelRefused: no model is in force.
        """
        in_force = self.current()
        if in_force is None:
            raise ModelRefused("no model is in force: there is nothing to roll back")
        withdrawn = [known for known in self.withdrawn() if known != in_force]
        entry = {
            "versions": [known for known in self.promoted() if known != in_force],
            "withdrawn": [*withdrawn, in_force],
        }
        with durable_write("model:rollback"):
            self._replace(self._pointer(), json.dumps(entry).encode())
        return self.current()

    def saved(self) -> list[str]:
        """Every stored version, in order of name, which begins with the time of its latest outcome."""
        return sorted(file.name.removesuffix(".json") for file in self.folder.glob("*.json"))

    def keep_report(self, version: str, page: str, card: str) -> Path:
        """Write the report of a model beside it (``<version>.html``, ``<version>.card.md``); returns the page."""
        self.folder.mkdir(parents=True, exist_ok=True)
        page_file = self._file(version).with_suffix(".html")
        self._replace(page_file, page.encode())
        self._replace(self._file(version).with_suffix(".card.md"), card.encode())
        return page_file

    def current(self) -> str | None:
        """The version in force: the last one promoted whose file is sound; None where there is none.

        A damaged one is passed over, so that the last good one serves; ``refused`` names it.
        """
        for version in reversed(self.promoted()):
            if self._why_refused(version) is None:
                return version
        return None

    def refused(self) -> dict[str, str]:
        """Promoted versions that can't serve, and why."""
        found = {version: self._why_refused(version) for version in self.promoted()}
        return {version: why for version, why in found.items() if why is not None}

    def load(self, version: str) -> dict[str, Any]:
        """A stored model's document; its hash is checked before anything of it is parsed.

        Raises:
            ModelRefused: missing, damaged or changed.
        """
        content = self._checked(version)
        document = json.loads(content)
        if not isinstance(document, dict):
            raise ModelRefused(f"model {version} is no JSON object: train again (materialise conversion_model)")
        return document

    def promoted(self) -> list[str]:
        """Every version that was ever put in force, the latest last."""
        return self._listed("versions")

    def withdrawn(self) -> list[str]:
        """Versions that were rolled back and not put in force since."""
        return self._listed("withdrawn")

    def _listed(self, name: str) -> list[str]:
        try:
            entry = json.loads(self._pointer().read_bytes())
            if name == "withdrawn" and name not in entry:
                return []
            return [version for version in entry[name] if _VERSION.fullmatch(version)]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError) as error:
            _log.error("%s is damaged (%s): no model is in force", self._pointer(), type(error).__name__)
            return []

    def _checked(self, version: str) -> bytes:
        try:
            content, recorded = self._file(version).read_bytes(), self._hash_file(version).read_text().strip()
        except FileNotFoundError as error:
            raise ModelRefused(f"model {version} is missing: train again (materialise conversion_model)") from error
        if hashlib.sha256(content).hexdigest() != recorded:
            raise ModelRefused(f"model {version} is not what was saved: train again (materialise conversion_model)")
        return content

    def _why_refused(self, version: str) -> str | None:
        try:
            self._checked(version)
        except ModelRefused as error:
            return str(error)
        return None

    def _file(self, version: str) -> Path:
        if not _VERSION.fullmatch(version):
            raise ModelRefused(f"{version!r} is no name of a model version")
        return self.folder / f"{version}.json"

    def _hash_file(self, version: str) -> Path:
        return self._file(version).with_suffix(".json.sha256")

    def _pointer(self) -> Path:
        return self.folder / "current.pointer"

    def _replace(self, target: Path, content: bytes) -> None:
        staged = self.folder / f".{uuid.uuid4().hex}.part"
        try:
            with staged.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            staged.replace(target)
            descriptor = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        finally:
            staged.unlink(missing_ok=True)
