"""One home with leads of two sources, closed and open, that the tests of insights share."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from aiqleads_pipeline.automation.instance import open_instance
from aiqleads_pipeline.commands.process import Summary, process_file
from aiqleads_pipeline.definitions import build_defs
from aiqleads_pipeline.outside import Outside, close, open_outside
from aiqleads_pipeline.settings import PROJECT_DIR, Settings
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.tables import table_relation


@dataclass(frozen=True)
class Firm:
    """A home in use: its outside, a Dagster instance, and a folder for files."""

    outside: Outside
    instance: dg.DagsterInstance
    defs: dg.Definitions
    folder: Path

    def process(self, name: str, content: str, source: str) -> Summary:
        """Drop a file and run its batch to the end."""
        file = self.folder / name
        file.write_text(content, encoding="utf-8")
        return process_file(self.defs, self.instance, self.outside, file, source)

    def rows(self, table: str, *columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Columns of a table over all batches."""
        with open_engine(self.outside.settings) as con:
            relation = table_relation(con, self.outside, table).filter(where)
            return relation.project(", ".join(columns)).order("ALL").fetchall()

    def lead_id(self, email: str) -> str:
        """The accepted lead of a mailbox."""
        [(found,)] = self.rows("enriched_leads", "lead_id", where=f"email = '{email}'")
        return str(found)


@pytest.fixture(scope="session")
def firm() -> Iterator[Firm]:
    before = dict(os.environ)
    home = Path(tempfile.mkdtemp(prefix="aiqleads-test-"))
    rules = home / "rules"
    shutil.copytree(PROJECT_DIR / "data" / "rules", rules)
    settings = Settings(HOME=home / "home", RULES_DIR=rules)
    outside = open_outside(settings)
    (home / "inputs").mkdir()
    try:
        with open_instance(outside) as instance:
            made = Firm(outside, instance, build_defs(settings), home / "inputs")
            _fill(made)
            yield made
    finally:
        close(outside)
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(home, ignore_errors=True)


def _fill(firm: Firm) -> None:
    """Fairs bring buyers, ads don't; a part of both is closed."""
    dice = random.Random(11)
    outcomes = ["email,result,revenue_usd,closed_at"]
    for source, chance in (("fair", 0.6), ("ads", 0.05)):
        lines = ["Full Name,Email,Company,Job Title,Page Views,Country,Employees,Industry"]
        for i in range(120):
            email = f"p{i}@{source}{i}-company.com"
            job, country = ("CEO", "US") if i % 2 else ("Intern", "DE")
            industry = "Software" if i % 3 else "Retail"
            lines.append(
                f"Pat {source.title()}{i},{email},{source} {i} Ltd,{job},{i % 30},{country},{40 + i},{industry}"
            )
            if i < 80:
                won = dice.random() < chance
                outcomes.append(f"{email},{'won' if won else 'lost'},{1000 + i if won else ''},")
        lines.append("No Contact,,,,,,,")
        assert firm.process(f"{source}.csv", "\n".join(lines) + "\n", source).status == "done"
    assert firm.process("outcomes.csv", "\n".join(outcomes) + "\n", "outcomes").status == "done"
