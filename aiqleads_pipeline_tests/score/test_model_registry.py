"""The model registry: what was saved comes back, what was changed does not, and the last good model serves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resources.durable import CRASH_AT, CRASH_LOG
from resources.models import ModelRefused, ModelRegistry


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    """Two models, the second in force."""
    registry = ModelRegistry(tmp_path / "models")
    for version in ("20260101-a", "20260201-b"):
        registry.save(version, {"version": version, "trees": [1, 2.5]})
        registry.promote(version)
    return registry


def test_what_was_saved_comes_back(registry: ModelRegistry) -> None:
    assert registry.current() == "20260201-b"
    assert registry.load("20260101-a") == {"version": "20260101-a", "trees": [1, 2.5]}
    assert registry.refused() == {}


def test_an_empty_registry_has_no_model(tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path / "none")
    assert registry.current() is None
    with pytest.raises(ModelRefused, match="model x is missing"):
        registry.load("x")
    with pytest.raises(ModelRefused, match="model x is missing"):
        registry.promote("x")


def test_a_model_that_is_only_saved_is_not_in_force(registry: ModelRegistry) -> None:
    registry.save("20260301-c", {"version": "20260301-c"})
    assert registry.current() == "20260201-b"


def test_an_earlier_model_can_be_put_in_force_again(registry: ModelRegistry) -> None:
    registry.promote("20260101-a")
    assert registry.current() == "20260101-a"
    assert registry.promoted() == ["20260201-b", "20260101-a"]


def test_a_rollback_puts_the_one_before_in_force_and_then_the_rules(registry: ModelRegistry) -> None:
    assert registry.rollback() == "20260101-a"
    assert registry.saved() == ["20260101-a", "20260201-b"]
    assert registry.rollback() is None
    with pytest.raises(ModelRefused, match="nothing to roll back"):
        registry.rollback()


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "no_hash"])
def test_a_changed_model_is_refused_and_the_last_good_one_serves(registry: ModelRegistry, damage: str) -> None:
    file = registry.folder / "20260201-b.json"
    content = file.read_bytes()
    match damage:
        case "flip":
            file.write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
        case "cut":
            file.write_bytes(content[:-5])
        case "remove":
            file.unlink()
        case "no_hash":
            Path(f"{file}.sha256").unlink()
    with pytest.raises(ModelRefused, match=r"20260201-b.*train again"):
        registry.load("20260201-b")
    assert registry.current() == "20260101-a"
    assert list(registry.refused()) == ["20260201-b"]


def test_a_damaged_pointer_puts_no_model_in_force_and_says_so(
    registry: ModelRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    (registry.folder / "current.pointer").write_text("{", encoding="utf-8")
    assert registry.current() is None
    assert "no model is in force" in caplog.text
    registry.promote("20260101-a")
    assert registry.current() == "20260101-a"


@pytest.mark.parametrize("version", ["../secret", "a/b", "", ".hidden", "a\n"])
def test_a_version_is_no_path(registry: ModelRegistry, version: str) -> None:
    with pytest.raises(ModelRefused, match="no name of a model version"):
        registry.save(version, {})


@pytest.mark.parametrize(
    ("point", "in_force"),
    [
        ("before:model:save", "a"),
        ("after:model:save", "a"),
        ("before:model:promote", "a"),
        ("after:model:promote", "b"),
    ],
)
def test_a_kill_leaves_the_old_model_or_the_new_one(tmp_path: Path, point: str, in_force: str) -> None:
    registry = ModelRegistry(tmp_path)
    registry.save("a", {"version": "a"})
    registry.promote("a")
    program = (
        "from pathlib import Path; from resources.models import ModelRegistry;"
        f"r = ModelRegistry(Path({str(tmp_path)!r})); r.save('b', {{'version': 'b'}}); r.promote('b')"
    )
    environment = {**os.environ, CRASH_AT: point, CRASH_LOG: str(tmp_path / "log")}
    killed = subprocess.run([sys.executable, "-c", program], env=environment, check=False)
    assert killed.returncode == -9
    assert registry.current() == in_force
    again = subprocess.run([sys.executable, "-c", program], check=False)
    assert again.returncode == 0
    assert registry.current() == "b"
    assert registry.refused() == {}


def test_what_was_rolled_back_is_withdrawn_until_a_person_promotes_it(registry: ModelRegistry) -> None:
    registry.rollback()
    assert registry.withdrawn() == ["20260201-b"]
    registry.rollback()
    assert registry.withdrawn() == ["20260201-b", "20260101-a"]
    registry.promote("20260201-b")
    assert (registry.current(), registry.withdrawn()) == ("20260201-b", ["20260101-a"])
