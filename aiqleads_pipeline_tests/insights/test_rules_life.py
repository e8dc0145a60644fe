"""Rules from draft to force: only what was previewed is published, whole, and can be taken back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from aiqleads_pipeline.publishing import rule_files
from aiqleads_pipeline.publishing.preview import preview
from aiqleads_pipeline.publishing.publish import PublishRefused, in_force, publish, roll_back
from aiqleads_pipeline.publishing.rule_files import JOURNAL, load_published, read_set, set_sha256, write_set
from aiqleads_pipeline.rules.loading import RulesError
from resources.store import rule_sets


@pytest.fixture
def draft(firm, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    """A copy of the rules in force."""
    shutil.copytree(firm.outside.settings.rules_dir, tmp_path / "draft")
    return tmp_path / "draft"


def edit(folder: Path, name: str, old: str, new: str) -> None:
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_preview_tells_who_moves(firm, draft) -> None:  # type: ignore[no-untyped-def]
    edit(draft, "priorities.yaml", "when: {lead_score: {at_least: 45}}", "when: {lead_score: {at_least: 30}}")
    report = preview(firm.outside, draft, "ann")
    assert report["leads_count"] == 240
    assert report["changed_files"] == ["priorities.yaml"]
    assert report["score"]["changed"] == 0
    assert any(move["what"] == "priority" and move["after"] == "P3" for move in report["moves"])
    assert sum(band["before"] for band in report["distribution"]) == 240
    assert sum(load["before"] for load in report["loads"]) == sum(load["after"] for load in report["loads"]) == 240
    assert {row["source"] for row in report["by_source"]} == {"fair", "ads"}
    assert json.loads(json.dumps(report)) == report


def test_the_same_rules_change_nothing(firm, draft) -> None:  # type: ignore[no-untyped-def]
    report = preview(firm.outside, draft, "ann")
    assert (report["moves"], report["score"]["changed"], report["changed_files"]) == ([], 0, [])
    with pytest.raises(PublishRefused, match="in force already"):
        publish(firm.outside, draft, "ann")


def test_other_columns_of_a_source_are_read_again(firm, draft) -> None:  # type: ignore[no-untyped-def]
    edit(draft, "sources.yaml", "sources:\n", "sources:\n  ads:\n    columns: {Email: ignore}\n")
    report = preview(firm.outside, draft, "ann")
    [file] = [file for file in report["mappings"] if file["source"] == "ads"]
    assert file["before"]["rejected"] < file["after"].get("rejected", 10**6)


def test_only_what_was_previewed_is_published_and_can_be_taken_back(firm, draft) -> None:  # type: ignore[no-untyped-def]
    before = in_force(firm.outside)
    edit(draft, "icp.yaml", "unlisted: 25", "unlisted: 30")
    with pytest.raises(PublishRefused, match="was not previewed"):
        publish(firm.outside, draft, "ann")
    preview(firm.outside, draft, "ann")
    edit(draft, "icp.yaml", "unlisted: 30", "unlisted: 31")
    with pytest.raises(PublishRefused, match="was not previewed"):
        publish(firm.outside, draft, "ann")
    report = preview(firm.outside, draft, "ann")
    done = publish(firm.outside, draft, "ann", "more for unlisted")
    assert done.sha256 == report["sha256"] == set_sha256(in_force(firm.outside))
    assert firm.outside.rules().scoring.icp.unlisted == 31
    summary = firm.process("ruled.csv", "Full Name,Email,Company\nRuth Led,ruth@ruled-company.com,Ruled Ltd\n", "ruled")
    assert summary.status == "done"
    assert rule_sets.uses(firm.outside.store)[done.sha256] == 1
    back = roll_back(firm.outside, "bob")
    assert set_sha256(in_force(firm.outside)) == back.sha256 == set_sha256(before)
    past = rule_sets.publications(firm.outside.store)
    assert [(row.kind, row.published_by) for row in past[:2]] == [("rollback", "bob"), ("publish", "ann")]
    again = roll_back(firm.outside, "bob", to=done.sha256[:12])
    assert again.sha256 == done.sha256
    roll_back(firm.outside, "bob")


def test_a_draft_with_faults_is_refused_with_their_lines(firm, draft) -> None:  # type: ignore[no-untyped-def]
    edit(draft, "scoring.yaml", "completeness: 0.10\n", "completeness: 0.11\n")
    with pytest.raises(RulesError, match=r"scoring.yaml:\d+: weights: they sum to"):
        preview(firm.outside, draft, "ann")


def test_a_preview_of_other_rules_in_force_does_not_count(firm, draft) -> None:  # type: ignore[no-untyped-def]
    edit(draft, "icp.yaml", "unlisted: 25", "unlisted: 40")
    preview(firm.outside, draft, "ann")
    before = in_force(firm.outside)
    try:
        edit(firm.outside.settings.rules_dir, "icp.yaml", "DE: 80", "DE: 81")
        with pytest.raises(PublishRefused, match="was not previewed"):
            publish(firm.outside, draft, "ann")
    finally:
        write_set(firm.outside.settings.rules_dir, before)


def test_a_publication_that_was_killed_is_finished_by_the_next_reader(firm, draft, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Killed after any of its renames, the old set or the new set is read, never a mixture."""
    old = read_set(draft)
    new = {name: text + "\n# new\n" for name, text in old.items()} | {"more.yaml": "a: 1\n"}
    real = rule_files.replace_synced
    for survives in (0, 1, 2, len(new)):
        write_set(draft, old)
        left = [survives]

        def dying(staged: Path, target: Path, left: list[int] = left) -> None:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            real(staged, target)

        monkeypatch.setattr(rule_files, "replace_synced", dying)
        with pytest.raises(KeyboardInterrupt):
            write_set(draft, new)
        monkeypatch.setattr(rule_files, "replace_synced", real)
        load_published(draft)
        assert read_set(draft) == (old if survives == 0 else new)
        assert not (draft / JOURNAL).exists()
