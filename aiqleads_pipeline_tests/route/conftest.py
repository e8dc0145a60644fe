"""What the stories of routing share: a builder of small sales organisations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import pytest
from routing_world import World, make_world


@pytest.fixture
def build(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Callable[..., World]:
    return partial(make_world, con, tmp_path)
