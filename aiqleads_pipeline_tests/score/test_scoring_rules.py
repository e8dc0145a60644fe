"""``scoring.yaml`` and ``icp.yaml``: what is refused, where, and in which words."""

from __future__ import annotations

from pathlib import Path

import pycountry
import pytest

from aiqleads_pipeline.rules.countries import COUNTRY_CODES
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.scoring import load_scoring


def change(rules_dir: Path, name: str, old: str, new: str) -> int:
    """Change the first line that holds ``old``; returns its number."""
    file = rules_dir / name
    lines = file.read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if old in line)
    lines[at] = lines[at].replace(old, new)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return at + 1


def test_country_codes_are_those_of_the_standard() -> None:
    assert {country.alpha_2 for country in pycountry.countries} == COUNTRY_CODES


def test_the_delivered_rules_load_and_tell_their_version(rules_dir: Path) -> None:
    before = load_scoring(rules_dir)
    assert load_scoring(rules_dir).sha256 == before.sha256
    change(rules_dir, "icp.yaml", "unlisted: 25", "unlisted: 26")
    assert load_scoring(rules_dir).sha256 != before.sha256


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("scoring.yaml", "intent: 0.14", "intent: 0.15", None),
        ("scoring.yaml", "freshness: 0.10", "freshness: 0.10001", "weights.freshness: at most four decimals"),
        ("scoring.yaml", "half_life_days: 14", "half_life_days: 0", "Input should be greater than 0"),
        ("scoring.yaml", "points: 30}", "points: 31}", None),
        ("scoring.yaml", "points: -40", "points: 40", "intent.keywords.against.points: can't be more than 0"),
        ("scoring.yaml", "    intent: 0.9", "    intent: -0.9", "Input should be greater than or equal to 0"),
        ("scoring.yaml", "- id: enterprise", "- id: default", "segments: 'default' is taken"),
        (
            "scoring.yaml",
            'sizes: ["1001-5000", "5001-10000", "10001+"]',
            'sizes: ["many"]',
            "segments.sizes: 'many' is unknown",
        ),
        ("icp.yaml", "  GB: 90", "  UK: 90", "countries: 'UK' is unknown; legal is an ISO 3166-1 alpha-2 code"),
        ("icp.yaml", '"51": 100', '"5": 100', "industries: '5' is unknown; legal is 11, 21, 22"),
        ("icp.yaml", "ideal_to_usd: 250000", "ideal_to_usd: 5000", "ideal_to_usd is below ideal_from_usd"),
        ("icp.yaml", "unlisted: 25", "unlistet: 25", "Extra inputs are not permitted"),
    ],
)
def test_a_fault_is_told_with_its_line(rules_dir: Path, name: str, old: str, new: str, message: str | None) -> None:
    line = change(rules_dir, name, old, new)
    with pytest.raises(RulesError) as caught:
        load_scoring(rules_dir)
    told = str(caught.value)
    if message is None:  # the fault lies in a sum: it is told at the section
        assert f"{name}:" in told and ("not to 1" in told or "not to 100" in told)
    else:
        assert f"{name}:{line}: " in told
        assert message in told


def test_the_faults_of_both_files_come_at_once(rules_dir: Path) -> None:
    change(rules_dir, "scoring.yaml", "half_life_days: 14", "half_life_days: soon")
    change(rules_dir, "icp.yaml", "  FR: 75", "  FX: 75")
    with pytest.raises(RulesError) as caught:
        load_scoring(rules_dir)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["scoring.yaml", "icp.yaml"]


def test_an_unquoted_sector_is_understood(rules_dir: Path) -> None:
    change(rules_dir, "icp.yaml", '"51": 100', "51: 100")
    assert load_scoring(rules_dir).icp.industries["51"] == 100


def test_a_segment_must_ask_for_something(rules_dir: Path) -> None:
    line = change(rules_dir, "scoring.yaml", 'sizes: ["1001-5000", "5001-10000", "10001+"]', "sizes: []")
    with pytest.raises(RulesError, match=f"scoring.yaml:{line - 1}: segments: 'enterprise' asks for nothing"):
        load_scoring(rules_dir)
