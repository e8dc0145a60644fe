"""Rules by which a batch was decided already: they stay that batch's rules, whatever is published in the meantime.

Belongs here: pinning them, finding them again, and not parsing anew what did not change. Does not belong here: which
set is in force (``rule_files``).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from sqlalchemy import Connection

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.publishing.rule_files import read_set, set_sha256, write_set
from aiqleads_pipeline.rules.book import RuleBook, load_rule_book
from aiqleads_pipeline.rules.loading import RulesError
from resources.store import rule_sets
from resources.store.pins import find_pin, pin

STEP = "rules"
_last: dict[Path, tuple[str, RuleBook]] = {}  # folder -> hash of its files and what they say


def current_rules(outside: Outside) -> RuleBook:
    """The rules in force, parsed once for each content of their files.

    Raises:
        RulesError: every fault of every file.
    """
    folder = outside.settings.rules_dir
    sha256 = set_sha256(read_set(folder))
    known = _last.get(folder)
    if known is None or known[0] != sha256:
        book = outside.rules()
        if set_sha256(read_set(folder)) != sha256:
            return book  # somebody changes them: not kept
        _last[folder] = known = (sha256, book)
    return known[1]


def pin_rules(con: Connection, batch_id: str, sha256: str) -> None:
    """Within the transaction that decides a batch: by which set of rules, one that the store keeps."""
    pin(con, batch_id, STEP, lambda: {"sha256": sha256})


def rules_of(outside: Outside, batch_id: str) -> RuleBook:
    """The rules that a batch was decided by, if it was; else those in force.

    Raises:
        RulesError: every fault of every file.
    """
    found = find_pin(outside.store, batch_id, STEP)
    if found is None or found["sha256"] == set_sha256(read_set(outside.settings.rules_dir)):
        return outside.rules()
    files = rule_sets.find_set(outside.store, found["sha256"])
    if files is None:
        raise RulesError(f"the store has lost the rules {found['sha256'][:12]}, by which batch {batch_id} was decided")
    with tempfile.TemporaryDirectory(prefix="aiqleads-rules-") as folder:
        write_set(Path(folder), files)
        return load_rule_book(Path(folder))
