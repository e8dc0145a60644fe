"""The rule book as a whole: the rules that come with the project are sound, and all faults are told at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aiqleads_pipeline.rules.book import load_rule_book
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.settings import Settings


@pytest.fixture
def rules_dir(tmp_path: Path) -> Path:
    return Path(shutil.copytree(Settings().rules_dir, tmp_path / "rules"))


def change(file: Path, old: str, new: str) -> int:
    """Change the first place where ``old`` stands; its line."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_rules_that_come_with_the_project_are_sound() -> None:
    book = load_rule_book(Settings().rules_dir)
    assert {rule.team for rule in book.routing.rules} - {"review"} == set(book.teams.team_by_id)
    assert all(owner.email.endswith("@example.com") for owner in book.teams.owners)
    asked = {territory for rule in book.routing.rules for territory in rule.when.territory or ()}
    assert book.territories.ids - asked == {book.territories.default.id}


def test_another_version_of_any_file_is_another_version_of_the_book(rules_dir: Path) -> None:
    versions = {load_rule_book(rules_dir).sha256}
    # Some files are not in the book: no batch is decided by them, so that a fault in them holds up none.
    aside = {"scrapes.yaml", "alerts.yaml", "slas.yaml", "enrichment.yaml"}
    files = [file for file in sorted(rules_dir.glob("*.yaml")) if file.name not in aside]
    for file in files:
        file.write_text(file.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
        versions.add(load_rule_book(rules_dir).sha256)
    assert len(versions) == len(files) + 1


def test_faults_of_all_files_are_told_at_once(rules_dir: Path) -> None:
    lines = {
        "sources": change(rules_dir / "sources.yaml", "policy: lenient", "policy: lenient_"),
        "icp": change(rules_dir / "icp.yaml", "weights:", "unheard_of: 1\nweights:"),
        "priorities": change(rules_dir / "priorities.yaml", "priority: P4", "priority: P9"),
        "territories": change(rules_dir / "territories.yaml", "id: latam", "id: us_east"),
        "teams": change(rules_dir / "teams.yaml", "weight: 2", "weight: 0"),
        "routing": change(rules_dir / "routing.yaml", "priority: P1}", "priority: P7}"),
        "destinations": change(rules_dir / "destinations.yaml", "kind: file", "kind: fax"),
    }
    with pytest.raises(RulesError) as caught:
        load_rule_book(rules_dir)
    told = str(caught.value).splitlines()
    assert [fault.split(":")[0] for fault in told] == [
        "sources.yaml", "icp.yaml", "priorities.yaml", "territories.yaml", "teams.yaml", "routing.yaml",
        "destinations.yaml",
    ]  # fmt: skip
    assert {fault.split(".yaml:")[0]: int(fault.split(":")[1]) for fault in told} == lines


def test_names_of_another_file_are_checked_across_files(rules_dir: Path) -> None:
    team = change(rules_dir / "routing.yaml", "team: apac", "team: apak")
    territory = change(rules_dir / "routing.yaml", "territory: emea", "territory: europe")
    destination = change(rules_dir / "destinations.yaml", "kind: file", "kind: file\n    teams: [smb]") + 1
    with pytest.raises(RulesError) as caught:
        load_rule_book(rules_dir)
    there_is = ", ".join(sorted(load_ids(rules_dir)))
    assert sorted(str(caught.value).splitlines()) == sorted(
        [
            f"routing.yaml:{team}: rule 'apac': unknown team 'apak'; did you mean 'apac'?",
            f"routing.yaml:{territory}: rule 'emea': unknown territory 'europe'; there is {there_is}",
            f"destinations.yaml:{destination}: destination 'crm_file': there is no team 'smb'",
        ]
    )


def test_a_missing_file_is_told_and_names_that_it_would_define_are_not(rules_dir: Path) -> None:
    (rules_dir / "teams.yaml").unlink()
    with pytest.raises(RulesError, match=r"^teams\.yaml:1: can't be read: No such file or directory$"):
        load_rule_book(rules_dir)


def load_ids(rules_dir: Path) -> frozenset[str]:
    from aiqleads_pipeline.rules.territories import load_territories

    return load_territories(rules_dir).ids
