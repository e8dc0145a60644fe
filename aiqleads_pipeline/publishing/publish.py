"""Puts a draft in force, or an earlier set again. What was previewed is what is published: its hash says so.

Belongs here: what may be published. Does not belong here: files (``rule_files``), what it would do (``preview``).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.publishing.rule_files import Files, read_set, set_sha256, settle, write_set
from aiqleads_pipeline.rules.book import load_rule_book
from resources.store import rule_sets


class PublishRefused(Exception):
    """The set may not come into force as things stand; the message says why and what to do."""


@dataclass(frozen=True)
class Published:
    """What came into force."""

    seq: int
    sha256: str
    previous_sha256: str


def in_force(outside: Outside) -> dict[str, str]:
    """The files of the rules in force, all of one set."""
    settle(outside.settings.rules_dir)
    return read_set(outside.settings.rules_dir)


def publish(outside: Outside, draft: Path, by: str, note: str = "") -> Published:
    """Put the draft in force.

    Raises:
        RulesError: it has faults.
        PublishRefused: it was not previewed, or it or the rules in force changed since.
    """
    files = read_set(draft)
    load_rule_book(draft)
    sha256, before = set_sha256(files), in_force(outside)
    base = set_sha256(before)
    if sha256 == base:
        raise PublishRefused("the draft is what is in force already")
    if not rule_sets.has_preview(outside.store, sha256, base):
        raise PublishRefused(
            f"this draft ({sha256[:12]}) was not previewed against the rules in force ({base[:12]}), or one of them "
            f"was changed since: run `aiqleads rules preview --from {draft}` and look at it first"
        )
    return _put_in_force(outside, files, before, "publish", by, note)


def roll_back(outside: Outside, by: str, to: str | None = None, note: str = "") -> Published:
    """Put the set before the last publication in force again, or the one whose hash begins with ``to``.

    Raises:
        PublishRefused: there is no such set, or it does not load any more.
    """
    before = in_force(outside)
    if to is None:
        past = rule_sets.publications(outside.store, limit=1)
        if not past:
            raise PublishRefused("nothing was published yet: there is nothing to go back to")
        to = past[0].previous_sha256
    files = rule_sets.find_set(outside.store, to)
    if files is None:
        raise PublishRefused(f"no single set of rules has a hash that begins with {to}: see `aiqleads rules history`")
    if set_sha256(files) == set_sha256(before):
        raise PublishRefused("that set is in force already")
    with tempfile.TemporaryDirectory() as folder:
        write_set(Path(folder), files)
        load_rule_book(Path(folder))
    return _put_in_force(outside, files, before, "rollback", by, note)


def _put_in_force(outside: Outside, files: Files, before: Files, kind: str, by: str, note: str) -> Published:
    now, store = outside.settings.now(), outside.store
    sha256, base = set_sha256(files), set_sha256(before)
    rule_sets.keep_set(store, base, before, now)
    rule_sets.keep_set(store, sha256, files, now)

    def put() -> None:
        if set_sha256(in_force(outside)) != base:  # somebody published or edited while we waited for our turn
            raise PublishRefused("the rules in force were changed meanwhile: preview the draft again")
        write_set(outside.settings.rules_dir, files)

    seq = rule_sets.publish(store, sha256, base, "rollback" if kind == "rollback" else "publish", by, note, now, put)
    return Published(seq, sha256, base)
