"""Who may import whom: nothing points up. The list in the project's architecture, held by reading every import."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "aiqleads_pipeline"

# A module may import our modules that start with one of these; the first prefix that fits the module counts.
ALLOWED = {
    "resources": ("resources",),
    f"{PACKAGE}.contract": (f"{PACKAGE}.contract",),
    f"{PACKAGE}.reasons": (f"{PACKAGE}.reasons",),
    f"{PACKAGE}.settings": (),
    f"{PACKAGE}.rules": (f"{PACKAGE}.contract", f"{PACKAGE}.reasons", f"{PACKAGE}.settings", f"{PACKAGE}.rules"),
    f"{PACKAGE}.stages": (
        f"{PACKAGE}.contract",
        f"{PACKAGE}.reasons",
        f"{PACKAGE}.settings",
        f"{PACKAGE}.rules",
        f"{PACKAGE}.stages",
    ),
    f"{PACKAGE}.enriching": (
        f"{PACKAGE}.contract",
        f"{PACKAGE}.reasons",
        f"{PACKAGE}.settings",
        f"{PACKAGE}.rules",
        f"{PACKAGE}.stages",
        f"{PACKAGE}.enriching",
        f"{PACKAGE}.outside",
        f"{PACKAGE}.tables",
        "resources",
    ),
    f"{PACKAGE}.doors": (
        f"{PACKAGE}.contract",
        f"{PACKAGE}.reasons",
        f"{PACKAGE}.settings",
        f"{PACKAGE}.rules",
        f"{PACKAGE}.stages",
        f"{PACKAGE}.doors",
        f"{PACKAGE}.delivering.kinds",
        f"{PACKAGE}.delivering.trial",  # the test button
        f"{PACKAGE}.lead_rows",
        f"{PACKAGE}.outside",
        f"{PACKAGE}.tables",
        "resources",
    ),
    f"{PACKAGE}.sandbox": (f"{PACKAGE}.sandbox",),
}
# The only ones who may import the sandbox.
SANDBOX_USERS = (f"{PACKAGE}.sandbox", f"{PACKAGE}.commands.sandbox", f"{PACKAGE}.commands.demo")
# What the pure layers may not touch at all: the orchestrator, the network, the store.
BANNED = {
    "resources": ("dagster",),
    f"{PACKAGE}.contract": ("dagster", "requests", "sqlalchemy"),
    f"{PACKAGE}.rules": ("dagster", "requests", "sqlalchemy", "duckdb"),
    f"{PACKAGE}.doors": ("dagster",),
    f"{PACKAGE}.enriching": ("dagster",),
    f"{PACKAGE}.stages": ("dagster", "requests", "sqlalchemy", "psycopg", "fsspec", "socket", "random"),
}


def modules():
    for folder in (PACKAGE, "resources"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "versions" not in path.parts:
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rule_for(table, module):
    return next((value for prefix, value in table.items() if f"{module}.".startswith(f"{prefix}.")), None)


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: str(value) if "." in str(value) else "")
def test_no_import_points_up(module, path):
    allowed, banned = rule_for(ALLOWED, module), rule_for(BANNED, module) or ()
    for name in imports_of(path):
        top = name.split(".")[0]
        assert top not in banned, f"{module} imports {name}"
        if allowed is not None and top in (PACKAGE, "resources") and name != PACKAGE:
            assert any(f"{name}.".startswith(f"{prefix}.") for prefix in allowed), f"{module} imports {name}"
        if f"{name}.".startswith(f"{PACKAGE}.sandbox."):
            assert module.startswith(SANDBOX_USERS), f"{module} imports {name}"


def test_the_rule_sees_what_it_forbids(tmp_path):
    file = tmp_path / "bad.py"
    file.write_text("import dagster as dg\nfrom aiqleads_pipeline.doors import api\n")
    assert list(imports_of(file)) == ["dagster", "aiqleads_pipeline.doors", "aiqleads_pipeline.doors.api"]
