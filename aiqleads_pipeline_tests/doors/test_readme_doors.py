"""The README's examples of the doors, run as they stand by curl against a real service."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aiqleads_pipeline.settings import PROJECT_DIR
from aiqleads_pipeline_tests.doors.conftest import Service
from resources.store.keys import create_key

README = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")


def examples() -> list[tuple[str, int]]:
    """Each curl of the section, with the status that the comment above it promises, in order."""
    (block,) = re.findall(r"## The doors.*?```bash\n(.*?)```", README, re.DOTALL)
    found: list[tuple[str, int]] = []
    promised: list[int] = []
    for line in block.splitlines():
        if line.startswith("# "):
            promised = [int(number) for number in re.findall(r"\b([1-5]\d\d)\b", line)]
        elif line.startswith("curl "):
            found.append((line, promised.pop(0)))
    return found


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_examples_answer_as_the_readme_says(service: Service, tmp_path: Path) -> None:
    key = create_key(service.store, "readme", "client", datetime.now(UTC)).api_key
    environment = {"API": f"http://127.0.0.1:{service.port}", "KEY": key, "PATH": "/usr/bin:/bin"}
    body = tmp_path / "body"
    answers = []
    for line, promised in examples():
        command = f"{line} --silent --output {body} --write-out '%{{http_code}}'"
        ran = subprocess.run(
            ["bash", "-c", command], check=False, env=environment, cwd=PROJECT_DIR, capture_output=True, text=True
        )
        assert ran.stdout == str(promised), f"{line}\n{body.read_text()}"
        answers.append(body.read_bytes())
    assert len(answers) == 8
    assert answers[0] == answers[1]
