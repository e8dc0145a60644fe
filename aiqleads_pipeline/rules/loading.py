"""Reads a YAML rule file into a pydantic model; every fault is told with file and line.

Belongs here: parsing with positions and turning validation errors into lines for people. Rule modules raise
``RulesError`` through ``RuleFile.fault`` for what a schema can't see (overlaps, unknown owners).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

Path_ = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


class RulesError(Exception):
    """One or more faults in the rules; the message has one ``file:line: what`` per line."""


class RuleModel(BaseModel):
    """Base of all rule models: unknown keys are faults, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class RuleFile:
    """A parsed rule file: its data and the line of every node."""

    path: Path
    data: Any
    lines: dict[Path_, int]
    sha256: str

    def line(self, *where: str | int) -> int:
        """The line of a node, or of the nearest parent that has one."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def fault(self, what: str, *where: str | int) -> str:
        """``file:line: what`` for the node at ``where`` (keys and list positions from the root)."""
        return f"{self.path.name}:{self.line(*where)}: {what}"


def read_rule_file(path: Path) -> RuleFile:
    """Parse a YAML file, keeping line numbers.

    Raises:
        RulesError: the file is missing, is no YAML, or repeats a key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RulesError(f"{path.name}:1: can't be read: {error.strerror}") from error
    lines: dict[Path_, int] = {}
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = None if node is None else _construct(path, node, (), lines)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RulesError(f"{path.name}:{line}: {error.problem}") from error
    return RuleFile(path, data, lines, hashlib.sha256(text.encode()).hexdigest())


def load_rules(path: Path, model: type[Model]) -> tuple[Model, RuleFile]:
    """Read a rule file and check it against its model.

    Raises:
        RulesError: names every fault with its line.
    """
    file = read_rule_file(path)
    try:
        return model.model_validate(file.data if file.data is not None else {}), file
    except ValidationError as error:
        faults = []
        for fault in error.errors(include_url=False):
            tag = ("kind",) if fault["type"] == "union_tag_invalid" else ()
            place = (*_place(file.data, fault["loc"]), *tag)
            faults.append(file.fault(f"{'.'.join(map(str, place))}: {fault['msg']}", *place))
        raise RulesError("\n".join(faults)) from error


def _place(data: Any, steps: Path_) -> Path_:
    """A fault's place in the file: pydantic also names which member of a union by ``kind`` it checked against."""
    place: list[str | int] = []
    for step in steps:
        if isinstance(data, dict) and step not in data and data.get("kind") == step:
            continue
        place.append(step)
        is_there = step in data if isinstance(data, dict) else isinstance(data, list) and isinstance(step, int)
        data = data[step] if is_there else None
    return tuple(place)


def _construct(path: Path, node: yaml.Node, where: Path_, lines: dict[Path_, int]) -> Any:
    lines[where] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_construct(path, child, (*where, i), lines) for i, child in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = _scalar(key_node)
            if key in found:
                raise RulesError(f"{path.name}:{key_node.start_mark.line + 1}: the key {key!r} is given twice")
            found[key] = _construct(path, value_node, (*where, key), lines)
            lines[(*where, key)] = key_node.start_mark.line + 1
        return found
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    is_flag = isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:bool"
    if is_flag and node.value.lower() not in ("true", "false"):
        return node.value  # YAML 1.1 reads NO (Norway) and ON (Ontario) as flags: only true and false are flags here
    loader = yaml.SafeLoader("")
    return loader.construct_object(node, deep=True)
