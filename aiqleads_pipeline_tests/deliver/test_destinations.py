from __future__ import annotations

from pathlib import Path

import pytest

from aiqleads_pipeline.rules.destinations import load_destinations, team_faults
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.settings import PROJECT_DIR


def load(folder: Path, text: str):  # type: ignore[no-untyped-def]
    (folder / "destinations.yaml").write_text(text, encoding="utf-8")
    return load_destinations(folder)


def test_the_committed_file_has_one_file_destination() -> None:
    rules = load_destinations(PROJECT_DIR / "data" / "rules")
    assert [(each.name, each.kind, each.enabled) for each in rules.enabled] == [("crm_file", "file", True)]
    assert rules.enabled[0].folder_in(Path("/home")) == Path("/home/deliveries/crm_file")
    assert team_faults(rules, []) == []


def test_all_keys_are_read(tmp_path: Path) -> None:
    rules = load(
        tmp_path,
        """
destinations:
  - {name: hot, kind: file, folder: /srv/hot, teams: [enterprise], priorities: [P1, P2]}
  - {name: crm, kind: salesforce, enabled: false}
  - {name: duty, kind: pagerduty, secret: DUTY}
""",
    )
    hot, crm, duty = rules.destinations
    assert hot.as_row() == {"name": "hot", "goes_by_batch": True, "teams": ("enterprise",), "priorities": ("P1", "P2")}
    assert hot.folder_in(Path("/home")) == Path("/srv/hot/hot")
    assert crm.as_row() == {"name": "crm", "goes_by_batch": False, "teams": None, "priorities": None}
    assert rules.enabled == (hot,)
    assert rules.sent == {"duty": duty}


def test_no_destination_is_fine(tmp_path: Path) -> None:
    assert load(tmp_path, "destinations: []\n").enabled == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("destinations:\n  - {name: A b, kind: file}", "destinations.yaml:2: destinations.0.name: String should match"),
        (
            "destinations:\n  - name: a\n    kind: fax",
            "destinations.yaml:3: destinations.0.kind: Input tag 'fax' found using 'kind'",
        ),
        (
            "destinations:\n  - {name: a, kind: hubspot, folder: x}",
            "destinations.yaml:2: destinations.0.folder: Extra inputs",
        ),
        ("destinations:\n  - {name: a, kind: file}\n  - {name: a, kind: file}", ":3: destination 'a' is there already"),
        ("destinations:\n  - name: a\n    kind: file\n    priorities: [P9]", "destinations.yaml:4: "),
        ("destinations:\n  - {name: a, kind: file, teams: []}", "destinations.yaml:2: .* at least 1 item"),
        ("destinations:\n  - {name: a, kind: file, url: x}", "destinations.yaml:2: .* Extra inputs"),
    ],
)
def test_faults_are_told_with_their_line(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(RulesError, match=fault):
        load(tmp_path, text)


def test_names_whose_ids_could_meet_are_refused(tmp_path: Path) -> None:
    # The first 24 bits of their MD5 are equal.
    with pytest.raises(RulesError, match=":3: destination 'd8132' can't be told from 'd4158' in line 2: rename it"):
        load(tmp_path, "destinations:\n  - {name: d4158, kind: file}\n  - {name: d8132, kind: file}\n")


def test_unknown_teams_are_told_with_their_line(tmp_path: Path) -> None:
    rules = load(tmp_path, "destinations:\n  - name: a\n    kind: file\n    teams:\n      - sales\n      - seals\n")
    assert team_faults(rules, ["sales"]) == ["destinations.yaml:6: destination 'a': there is no team 'seals'"]
