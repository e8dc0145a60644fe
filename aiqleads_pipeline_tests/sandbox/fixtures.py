"""The sandbox for tests: one for all tests of a module, emptied before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aiqleads_pipeline.sandbox import Sandbox, start_sandbox


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[Sandbox]:
    """A sandbox in a thread, with two further receivers of webhooks."""
    with start_sandbox(seed=7, receivers=("other_receiver", "third_receiver")) as box:
        yield box


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """The same, with nothing in it and no fault."""
    running_sandbox.reset()
    return running_sandbox
