"""Content that comes in pieces: staged while it is hashed, archived under its hash when it is whole.

Belongs here: staging. Does not belong here: where archives lie (``folder``, ``object_store``).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from resources.atomic_file import make_folder
from resources.bucket.names import Archived


class Receiving:
    """One content on its way; ``path`` is the file that grows. For one thread at a time."""

    def __init__(self, folder: Path, archive: Callable[[Path, str, int], Archived]) -> None:
        make_folder(folder)
        self.path = folder / f"{uuid.uuid4().hex}.part"
        self.size_bytes = 0
        self._archive = archive
        self._digest = hashlib.sha256()
        self._file = self.path.open("xb", buffering=0)

    def write(self, piece: bytes) -> None:
        """Take one more piece.

        Raises:
            OSError: there is no room.
        """
        self._digest.update(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[self._file.write(rest) :]
        self.size_bytes += len(piece)

    def finish(self) -> Archived:
        """Keep the content, whole and synced; there already, it stays.

        Raises:
            BucketUnavailable, OSError: transient.
        """
        self._file.close()
        return self._archive(self.path, self._digest.hexdigest(), self.size_bytes)

    def __enter__(self) -> Receiving:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)
