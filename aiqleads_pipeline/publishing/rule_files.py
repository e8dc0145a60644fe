"""A set of rules as files: its hash, reading it, and replacing all of them in one step.

Belongs here: files. Does not belong here: who may publish what (``publish``).

A set is put in force by a journal: `.publishing.json` holds all new files and appears by one rename; from then on it is
published, and whoever meets the journal (the publisher, or a reader after the publisher was killed) finishes it. A
reader that a publication overtakes reads again, so nobody works by half of a set.
"""

from __future__ import annotations

import difflib
import fcntl
import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from aiqleads_pipeline.rules.book import RuleBook, load_rule_book
from aiqleads_pipeline.rules.loading import RulesError
from resources.atomic_file import make_folder, replace_synced, sync

JOURNAL = ".publishing.json"
MOST_READS = 20
LARGEST_FILE_BYTES = 4 << 20
Files = Mapping[str, str]  # path within the folder -> text


def read_set(folder: Path) -> dict[str, str]:
    """The rule files of a folder, all YAML in it.

    Raises:
        RulesError: there is none, or one can't be read.
    """
    files = {}
    for path in sorted(folder.rglob("*.yaml")) if folder.is_dir() else []:
        name = path.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in Path(name).parts):
            continue
        try:
            if path.stat().st_size > LARGEST_FILE_BYTES:
                raise RulesError(f"{name}:1: larger than {LARGEST_FILE_BYTES >> 20} MiB")
            files[name] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RulesError(f"{name}:1: can't be read: {type(error).__name__}") from error
    if not files:
        raise RulesError(f"{folder} holds no rules: copy the rules folder and edit the copy")
    return files


def set_sha256(files: Files) -> str:
    """Tells one set of rules from another: names and texts of all files."""
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


def write_set(folder: Path, files: Files) -> None:
    """Put a set in force: when this returns, or once the journal was written, it is what everybody reads.

    Raises:
        RulesError: the folder can't be written.
    """
    try:
        with _alone(folder):
            _settle(folder)
            staged = folder / f"{JOURNAL}.{uuid.uuid4().hex}"
            staged.write_text(json.dumps(dict(files)), encoding="utf-8")
            replace_synced(staged, folder / JOURNAL)
            _settle(folder)
    except OSError as error:
        raise RulesError(f"{folder}: the rules can't be written: {error.strerror or type(error).__name__}") from error


def load_published(folder: Path) -> RuleBook:
    """The rules in force, all of one set.

    Raises:
        RulesError: every fault; or somebody changes them without end.
    """
    for _ in range(MOST_READS):
        settle(folder)
        before = _stamp(folder)
        try:
            book = load_rule_book(folder)
        except RulesError:
            if _stamp(folder) == before:
                raise
            continue
        if _stamp(folder) == before:
            return book
    raise RulesError(f"{folder}: the rules change faster than they can be read")


def settle(folder: Path) -> None:
    """Finish a publication that was interrupted.

    Raises:
        RulesError: this process may not write there.
    """
    if not (folder / JOURNAL).exists():
        return
    try:
        with _alone(folder):
            _settle(folder)
    except OSError as error:
        what = "a publication was interrupted and this process can't finish it"
        raise RulesError(f"{folder}: {what}: run `aiqleads rules history` as somebody who may write there") from error


def differences(before: Files, after: Files) -> list[str]:
    """A unified diff of two sets, file by file."""
    lines: list[str] = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, "").splitlines(), after.get(name, "").splitlines()
        lines += difflib.unified_diff(old, new, f"in force/{name}", f"draft/{name}", lineterm="")
    return lines


def _settle(folder: Path) -> None:
    journal = folder / JOURNAL
    if not journal.exists():
        return
    files: dict[str, str] = json.loads(journal.read_text(encoding="utf-8"))
    for name, text in files.items():
        target = folder / name
        if target.exists() and target.read_text(encoding="utf-8") == text:
            continue
        make_folder(target.parent)
        staged = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        staged.write_text(text, encoding="utf-8")
        replace_synced(staged, target)
    for name in read_set(folder):
        if name not in files:
            (folder / name).unlink()
    journal.unlink()
    sync(folder)


def _stamp(folder: Path) -> tuple[bool, int]:
    """Changes with every publication: its journal is put into the folder and taken out of it."""
    try:
        return (folder / JOURNAL).exists(), folder.stat().st_mtime_ns
    except OSError:
        return False, 0


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One at a time writes rules into a folder; killed, it lets go."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
