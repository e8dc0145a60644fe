"""Which set of rules a batch works by: noted with the batch, and kept whole.

Belongs here: nothing else.
"""

from __future__ import annotations

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.publishing.rule_files import read_set, set_sha256
from aiqleads_pipeline.rules.book import RuleBook, load_rule_book
from resources.store import rule_sets

_kept: dict[tuple[str, str], str] = {}  # store and hash of a set that it keeps -> hash of its rule book


def note_rules(outside: Outside, rules: RuleBook) -> str | None:
    """The hash of the set that ``rules`` was read from, kept in the store; None if it was edited in the meantime."""
    folder = outside.settings.rules_dir
    files = read_set(folder)
    sha256 = set_sha256(files)
    known = (str(outside.settings.home), sha256)
    if known not in _kept:
        book = load_rule_book(folder).sha256
        if set_sha256(read_set(folder)) != sha256:
            return None
        rule_sets.keep_set(outside.store, sha256, files, outside.settings.now())
        _kept[known] = book
    return sha256 if _kept[known] == rules.sha256 else None
