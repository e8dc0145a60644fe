"""Homes to break: one initialised template, copied for each trial, and the small drops that are run in them.

Belongs here: files and environments. A copied home is a home of its own: database, bucket and lake lie under it.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from aiqleads_pipeline.settings import PROJECT_DIR
from benchmarks.drill.processes import Ended, Launcher
from benchmarks.messy_leads import write_messy_leads
from resources.store.database import Store

RULES_DIR = PROJECT_DIR / "data" / "rules"
FULL_AFTER_LEADS = 5
FIXED_NOW = "2026-11-23T12:00:00+00:00"
SOURCE = "drill"


class DrillFailed(Exception):
    """A step of the drill that must work did not; the message holds what the process printed."""


@dataclass
class Home:
    """A home of a trial; ``environment`` is what its processes run with."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environment = {
            "AIQLEADS_HOME": str(self.folder),
            "AIQLEADS_RULES_DIR": str(self.folder.parent / "rules"),
            "AIQLEADS_FIXED_NOW": FIXED_NOW,
            **self.environment,
        }

    def copy(self, folder: Path) -> Home:
        """A copy of the home, whose server must be stopped. Owners are kept: the server runs as a user of its own."""
        subprocess.run(["cp", "-a", str(self.folder), str(folder)], check=True)
        return Home(folder)

    def open_store(self) -> Store:
        """The home's store; its server runs until the last user of it leaves."""
        return Store.open(None, self.folder)

    def process(self, launcher: Launcher, drops: list[Path], extra: Mapping[str, str] | None = None) -> Ended:
        """Run ``aiqleads process`` over the drops."""
        arguments = ["process", *map(str, drops), "--source", SOURCE, "--json"]
        return launcher.run(arguments, {**self.environment, **(extra or {})})

    def remove(self) -> None:
        """Delete the home."""
        shutil.rmtree(self.folder, ignore_errors=True)


def make_template(folder: Path, launcher: Launcher) -> Home:
    """A home with its database, its migrations and Dagster's tables made, one lead in it, and its server stopped."""
    home = Home(folder)
    write_rules(folder.parent / "rules")
    one = folder.parent / "warm-up.csv"
    one.write_text("First Name,Last Name,Email\nAda,Warmup,ada.warmup@warm-up.example.com\n", encoding="utf-8")
    ended = launcher.run(["process", str(one), "--source", "warmup"], home.environment)
    if ended.exit_code != 0:
        raise DrillFailed(f"the template home could not be made:\n{ended.output}")
    return home


def write_rules(folder: Path) -> None:
    """The committed rules, but one team is soon full: what becomes of leads without an owner is drilled as well."""
    shutil.copytree(RULES_DIR, folder, dirs_exist_ok=True)
    book = yaml.safe_load((folder / "teams.yaml").read_text(encoding="utf-8"))
    full = set(next(team for team in book["teams"] if team["id"] == "americas")["members"])
    for owner in book["owners"]:
        if owner["id"] in full:
            owner["max_open_leads"] = FULL_AFTER_LEADS
    (folder / "teams.yaml").write_text(yaml.safe_dump(book, allow_unicode=True), encoding="utf-8")


def write_overlapping_drops(folder: Path, rows: int, seed: int) -> list[Path]:
    """Two drops: the second repeats a third of the first one's people (other case, other phone), so that identities,
    accounts and the rota's turns of the first batch decide what becomes of the second."""
    first, second, other = folder / f"first-{seed}.csv", folder / f"second-{seed}.csv", folder / f"other-{seed}.csv"
    write_messy_leads(first, rows, seed)
    write_messy_leads(other, rows - rows // 3, seed + 1)
    with first.open(encoding="utf-8", newline="") as of_first, other.open(encoding="utf-8", newline="") as of_other:
        head, *known = list(csv.reader(of_first))
        _, *fresh = list(csv.reader(of_other))
    email, company = head.index("Email Address"), head.index("Company")
    again = [
        [cell.upper() if i in (email, company) else cell for i, cell in enumerate(row)] for row in known[: rows // 3]
    ]
    with second.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([head, *again, *fresh])
    other.unlink()
    return [first, second]
