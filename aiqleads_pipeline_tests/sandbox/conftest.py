"""What the tests of the doubles share: the sandbox, and plain HTTP to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from aiqleads_pipeline.sandbox import Sandbox
from aiqleads_pipeline_tests.sandbox.fixtures import running_sandbox, sandbox

__all__ = ["running_sandbox", "sandbox"]
Ask = Callable[..., requests.Response]


@pytest.fixture
def ask(sandbox: Sandbox) -> Ask:
    """``ask("hubspot", "POST", "/path", json=…)``."""

    def call(double: str, method: str, path: str, **kwargs: object) -> requests.Response:
        return requests.request(
            method, sandbox.url(double) + path, allow_redirects=False, timeout=kwargs.pop("timeout", 20), **kwargs
        )

    return call
