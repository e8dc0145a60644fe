"""What alerts and the table of errors tell people to type can be typed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import typer

from aiqleads_pipeline.alerting.words import COMMANDS, command_of
from aiqleads_pipeline.cli import app
from aiqleads_pipeline.reasons import REASONS

ROOT = typer.main.get_command(app)


def named() -> Iterator[tuple[str, str]]:
    for code, reason in REASONS.items():
        for found in re.findall(r"`(aiqleads [^`]+)`|(aiqleads(?: [a-z-]+)+)", reason.how_to_fix):
            yield code, found[0] or found[1]
    for code in [*COMMANDS, "any other"]:
        yield code, command_of(code, "subject")


@pytest.mark.parametrize(("code", "text"), sorted(set(named())))
def test_a_command_that_is_named_is_there(code: str, text: str) -> None:
    del code
    node, words = ROOT, text.split()[1:]
    while words and hasattr(node, "commands") and words[0] in node.commands:
        node = node.commands[words.pop(0)]
    assert node is not ROOT, "no such command"
    assert not hasattr(node, "commands"), "it needs one more word"
    options = {option for each in node.params for option in each.opts}
    assert {word for word in words if word.startswith("--")} <= options
