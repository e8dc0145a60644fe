"""What teams.yaml may not say, each with its line, all at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.teams import TeamRules, load_teams

DAYS = ((2026, 12, 20), (2026, 12, 21), (2027, 1, 2), (2027, 1, 8), (2027, 1, 9))


def load(folder: Path, text: str) -> TeamRules:
    (folder / "teams.yaml").write_text(text, encoding="utf-8")
    return load_teams(folder)


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(RulesError) as caught:
        load(folder, text)
    return str(caught.value).splitlines()


def test_owners_and_teams_with_their_defaults(tmp_path: Path) -> None:
    rules = load(
        tmp_path,
        """
owners:
  - {id: ana, name: Ana Ruiz, email: ana@example.com}
  - id: bo
    name: Ana Ruiz
    email: bo@example.com
    weight: 3
    max_open_leads: 40
    absent: [{from: 2026-12-21, until: 2027-01-03}, {from: 2027-01-02, until: 2027-01-08}]
  - {id: cy, name: Cy, email: cy@example.com, active: false}
teams:
  - {id: smb, name: Small, members: [bo, ana, cy]}
""",
    )
    ana, bo, cy = rules.owners
    assert (ana.active, ana.weight, ana.max_open_leads, ana.absent) == (True, 1, None, ())
    assert (bo.weight, bo.max_open_leads) == (3, 40)
    days = [datetime(*day, 12, tzinfo=UTC) for day in DAYS]
    assert [rules.why_away("bo", day) for day in days] == [
        None, "absent until 2027-01-03", "absent until 2027-01-08", "absent until 2027-01-08", None,
    ]  # fmt: skip
    assert not cy.active
    assert rules.why_away("cy", days[0]) == "inactive"
    assert rules.available("smb", days[1]) == ["ana"]
    assert rules.members == {"ana", "bo", "cy"}


def test_names_that_clash_or_are_missing_are_all_told_at_once(tmp_path: Path) -> None:
    assert faults(
        tmp_path,
        """owners:
  - {id: ana, name: Ana, email: ana@example.com}
  - {id: ana, name: Ana, email: other@example.com}
  - id: bo
    name: Bo
    email: ANA@example.com
teams:
  - {id: smb, name: Small, members: [ana, zoe]}
  - id: smb
    name: Small again
    members:
      - bo
      - bo
  - {id: review, name: People, members: [bo]}
""",
    ) == [
        "teams.yaml:3: owner 'ana' is there already, in line 2",
        "teams.yaml:6: owner 'bo' has the e-mail of 'ana'",
        "teams.yaml:8: team 'smb': there is no owner 'zoe'",
        "teams.yaml:9: team 'smb' is there already, in line 8",
        "teams.yaml:13: team 'smb' lists 'bo' twice",
        "teams.yaml:14: no team may be called 'review': rules send leads to people by it",
    ]


@pytest.mark.parametrize(
    ("owner", "line", "what"),
    [
        ("weight: 0", 5, "greater than or equal to 1"),
        ("weight: 101", 5, "less than or equal to 100"),
        ("weight: 1.5", 5, "valid integer"),
        ("max_open_leads: 0", 5, "greater than or equal to 1"),
        ("absent: [{from: 2026-12-24, until: 2026-12-21}]", 5, "ends on 2026-12-21, before it begins"),
        ("absent: [{from: someday, until: 2026-12-21}]", 5, "valid date"),
        ("phone: 12", 5, "Extra inputs are not permitted"),
        ("active: maybe", 5, "valid boolean"),
        ("calendar: nowhere", 5, "there is no calendar 'nowhere'"),
        ("notify: {quiet: '25:00-07:00'}", 5, "time of day"),
        ("notify: {mode: pigeon}", 5, "'instant', 'digest' or 'off'"),
    ],
)
def test_values_out_of_range_are_refused(tmp_path: Path, owner: str, line: int, what: str) -> None:
    text = f"""owners:
  - id: ana
    name: Ana
    email: ana@example.com
    {owner}
teams: [{{id: smb, name: Small, members: [ana]}}]
"""
    [fault] = faults(tmp_path, text)
    assert fault.startswith(f"teams.yaml:{line}: ")
    assert what in fault


@pytest.mark.parametrize(
    ("line_of", "text"),
    [
        (3, "owners: [{id: a, name: A, email: a@example.com}]\nteams:\n  - {id: smb, name: Small, members: []}"),
        (1, "owners: []\nteams: [{id: smb, name: Small, members: [a]}]"),
        (2, "owners: [{id: a, name: A, email: a@example.com}]\nteams: []"),
        (1, "owners: [{id: A b, name: A, email: a@example.com}]\nteams: [{id: smb, name: Small, members: [a]}]"),
        (1, "owners: [{id: a, name: A, email: nobody}]\nteams: [{id: smb, name: Small, members: [a]}]"),
    ],
)
def test_empty_lists_and_impossible_ids_are_refused(tmp_path: Path, line_of: int, text: str) -> None:
    assert faults(tmp_path, text)[0].startswith(f"teams.yaml:{line_of}: ")
