"""The sandbox's own port: the page for people and the switches for programs. Not of any vendor."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable
from typing import Any

from aiqleads_pipeline.sandbox.exchange import Double as _Routed
from aiqleads_pipeline.sandbox.exchange import Reply, Request, in_json, in_text, route
from aiqleads_pipeline.sandbox.page import render_page
from aiqleads_pipeline.sandbox.world import World


class Admin(_Routed):
    """Routes of the page port."""

    name = "sandbox"
    title = "the sandbox itself"

    def __init__(self, world: World) -> None:
        super().__init__(world.seed, world.now)
        self._world = world

    @route("GET", "/")
    def page(self, request: Request) -> Reply:
        """What each double has received."""
        return in_text(render_page(self._world), kind="text/html")

    @route("GET", "/state")
    def state(self, request: Request) -> Reply:
        return in_json(self._world.state())

    @route("POST", "/reset")
    def start_over(self, request: Request) -> Reply:
        self._world.reset()
        return in_json({})

    @route("GET", "/faults")
    def faults(self, request: Request) -> Reply:
        return in_json(self._world.faults.listed())

    @route("POST", "/faults")
    def add_fault(self, request: Request) -> Reply:
        def added() -> Reply:
            rule = request.json()
            if not fnmatch.filter(self._world.doubles, rule["double"]):
                raise ValueError(f"no double is called {rule['double']}; there are {', '.join(self._world.doubles)}")
            return in_json({"id": self._world.faults.add(**rule).number}, 201)

        return _tried(added)

    @route("DELETE", "/faults")
    def clear_faults(self, request: Request) -> Reply:
        self._world.faults.clear()
        return in_json({})

    @route("DELETE", "/faults/{number}")
    def clear_fault(self, request: Request, number: str) -> Reply:
        self._world.faults.clear([int(number)])
        return in_json({})

    @route("GET", "/doubles/{name}/requests")
    def requests(self, request: Request, name: str) -> Reply:
        return _tried(lambda: in_json(self._world.journals[name].requests()))

    @route("GET", "/doubles/{name}/records/{kind}")
    def held(self, request: Request, name: str, kind: str) -> Reply:
        return _tried(lambda: in_json(self._world.doubles[name].records(kind)))

    @route("PUT", "/doubles/{name}/settings")
    def change(self, request: Request, name: str) -> Reply:
        def changed() -> Reply:
            self._world.doubles[name].configure(request.json())
            return in_json(self._world.doubles[name].settings)

        return _tried(changed)

    @route("POST", "/doubles/{name}/actions/{action}")
    def happen(self, request: Request, name: str, action: str) -> Reply:
        return _tried(lambda: in_json({"result": self._world.doubles[name].act(action, _arguments(request))}))


def _arguments(request: Request) -> dict[str, Any]:
    given: dict[str, Any] = json.loads(request.body) if request.body else {}
    return given


def _tried(work: Callable[[], Reply]) -> Reply:
    try:
        return work()
    except KeyError as error:
        return in_json({"error": f"there is no {error.args[0]}"}, 404)
    except (ValueError, TypeError) as error:
        return in_json({"error": str(error)}, 400)
