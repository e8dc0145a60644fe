"""The one way a local file appears: whole, synced, under its name in one step.

Belongs here: rename and sync. Does not belong here: names of files and of durable writes (their owners know them).
"""

from __future__ import annotations

import os
from pathlib import Path


def replace_synced(staged: Path, target: Path) -> None:
    """Rename ``staged`` to ``target`` with file and folders synced: after a power cut there is the old file or the new.

    Missing folders are made. Both must be on one file system.
    """
    make_folder(target.parent)
    sync(staged)
    staged.replace(target)
    sync(target.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, each synced into its parent."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        sync(path.parent)


def sync(path: Path) -> None:
    """Write a file or a folder's entries through to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
