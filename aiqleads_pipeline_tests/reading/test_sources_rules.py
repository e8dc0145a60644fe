"""sources.yaml: what a sales-ops person may say of a source, and how mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.sources import SourceRules, load_sources
from aiqleads_pipeline.settings import PROJECT_DIR


def write(folder: Path, text: str) -> Path:
    (folder / "sources.yaml").write_text(text)
    return folder


def test_an_unlisted_source_just_works(tmp_path):
    sources = load_sources(write(tmp_path, "defaults: {default_country: DE, date_order: dmy}\n"))
    assert sources.for_name("fair_2026") == SourceRules(
        name="fair_2026", label="fair_2026", default_country="DE", date_order="dmy"
    )


def test_a_source_takes_the_defaults_it_does_not_change(tmp_path):
    text = (
        "defaults: {default_country: DE, currency: EUR, policy: strict}\n"
        "sources:\n"
        "  fair:\n"
        "    label: Trade fair\n"
        "    default_country: 'NO'\n"
        "    timezone: Europe/Oslo\n"
        "    columns: {Kontakt: full_name, Intern: ignore}\n"
        "    defaults: {campaign: Spring}\n"
    )
    assert load_sources(write(tmp_path, text)).for_name("fair") == SourceRules(
        name="fair", label="Trade fair", default_country="NO", currency="EUR", policy="strict",
        timezone="Europe/Oslo", columns={"Kontakt": "full_name", "Intern": "ignore"}, defaults={"campaign": "Spring"},
    )  # fmt: skip


def test_without_a_file_every_source_has_the_defaults(tmp_path):
    assert load_sources(tmp_path).for_name("web") == SourceRules(name="web", label="web")


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("columns: {Kontakt: fullname}", "'fullname' is no column of the contract (nor `ignore`)"),
        ("columns: {E-Mail: email, e_mail: phone}", "'e_mail' is the same header as 'E-Mail' and is mapped twice"),
        ("columns: {'--': email}", "'--' is no header"),
        ("defaults: {email: a@x.com}", "'email' must not be the same for all leads of a source"),
        ("defaults: {colour: red}", "'colour' is no column of the contract"),
        ("name: other", "the source's name is its key: remove `name`"),
        ("timezone: Berlin", "'Berlin' is no IANA time zone"),
        ("encoding: utf-9", "'utf-9' is no encoding"),
        ("policy: harsh", "policy"),
        ("default_country: Germany", "default_country"),
        ("colour: red", "colour"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path, entry, fault):
    with pytest.raises(RulesError) as error:
        load_sources(write(tmp_path, f"sources:\n  fair:\n    {entry}\n"))
    assert str(error.value).startswith("sources.yaml:3: ")
    assert fault in str(error.value)


def test_a_source_that_cannot_be_a_folder_is_refused(tmp_path):
    with pytest.raises(RulesError, match=r"sources\.yaml:2: '\.\./x' can't be a folder"):
        load_sources(write(tmp_path, "sources:\n  ../x: {}\n"))


def test_the_rules_of_the_project_load():
    sources = load_sources(PROJECT_DIR / "data" / "rules")
    assert sources.for_name("meta").defaults == {"lead_source": "Meta"}
