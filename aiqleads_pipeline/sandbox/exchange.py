"""One request and one reply, and what every double has: routes, settings, counts, state.

Belongs here: what all doubles share. Does not belong here: any vendor's protocol, faults, sockets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote


@dataclass
class Request:
    """What came in. Names of headers are lower case; ``now`` is the sandbox's clock, UTC."""

    method: str
    path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes
    now: datetime
    fails: Callable[[str], bool] = field(default=lambda _key: False)  # whether this record of a batch is made to fail

    @cached_property
    def query(self) -> dict[str, str]:
        """Parameters of the query; the last of equal names wins."""
        return {name: values[-1] for name, values in parse_qs(self.raw_query, keep_blank_values=True).items()}

    def all_of(self, name: str) -> list[str]:
        """Every value of a parameter that may come many times."""
        return parse_qs(self.raw_query, keep_blank_values=True).get(name, [])

    @cached_property
    def form(self) -> dict[str, str]:
        """Fields of a form body."""
        text = self.body.decode("utf-8", "replace")
        return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}

    @property
    def content_type(self) -> str:
        """The media type alone, lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def bearer(self) -> str:
        """The token of ``Authorization: Bearer``, or nothing."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def json(self) -> Any:
        """The body as strict JSON.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.body, parse_constant=_no_constant)


@dataclass
class Reply:
    """What goes out, and what it did: ``effects`` are things that came to be, ``repeats`` things that were there."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    effects: int = 0
    repeats: int = 0


def in_json(value: Any, status: int = 200, **counts: int) -> Reply:
    """A reply in JSON."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, body, {"content-type": "application/json;charset=UTF-8"}, **counts)


def in_text(text: str, status: int = 200, kind: str = "text/plain", **counts: int) -> Reply:
    """A reply in plain text."""
    return Reply(status, text.encode(), {"content-type": f"{kind}; charset=utf-8"}, **counts)


Answering = Callable[..., Reply]


def route(method: str, pattern: str) -> Callable[[Answering], Answering]:
    """Mark a method of a double as the answer to ``METHOD /path/{part}``; parts become arguments."""

    def mark(function: Answering) -> Answering:
        routes = getattr(function, "routes", [])
        regex = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        function.routes = [*routes, (method, re.compile(regex))]  # type: ignore[attr-defined]
        return function

    return mark


class Double:
    """One service. A subclass has routes, ``settings`` with their defaults, and its state."""

    name: ClassVar[str]
    title: ClassVar[str]
    defaults: ClassVar[Mapping[str, Any]] = {}
    credentials: ClassVar[Mapping[str, str]] = {}
    _routes: ClassVar[list[tuple[str, re.Pattern[str], str]]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._routes = [
            (method, regex, name)
            for kind in reversed(cls.__mro__)
            for name, value in vars(kind).items()
            for method, regex in getattr(value, "routes", ())
        ]

    def __init__(self, seed: int = 0, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.seed, self.now = seed, now
        self.base_url = ""
        self.reset()

    def reset(self) -> None:
        """Forget all; settings back to their defaults."""
        self.settings: dict[str, Any] = dict(self.defaults)
        self.forget()

    def forget(self) -> None:
        """Empty the state. A subclass that has any extends this."""

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Change settings.

        Raises:
            ValueError: there is none of that name.
        """
        unknown = set(settings) - set(self.defaults)
        if unknown:
            raise ValueError(f"{self.name} has no setting {', '.join(sorted(unknown))}; it has {sorted(self.defaults)}")
        self.settings.update(settings)

    def answer(self, request: Request) -> Reply:
        """Find the route and answer; what no route fits is the vendor's 404 or 405."""
        others = False
        for method, regex, name in self._routes:
            found = regex.fullmatch(request.path)
            if found and method == request.method:
                refused = self.admit(request)
                if refused is not None:
                    return refused
                parts = {key: unquote(value) for key, value in found.groupdict().items()}
                reply: Reply = self.finish(request, getattr(self, name)(request, **parts))
                return reply
            others = others or bool(found)
        return self.lost_way(request, 405 if others else 404)

    def admit(self, request: Request) -> Reply | None:
        """Before any route: credentials, limits. A reply here is the answer."""
        return None

    def finish(self, request: Request, reply: Reply) -> Reply:
        """After any route: headers that all answers carry."""
        return reply

    def lost_way(self, request: Request, status: int) -> Reply:
        """Where there is no such path (404) or method (405)."""
        return in_json({"error": "Not Found" if status == 404 else "Method Not Allowed"}, status)

    def throttled(self, request: Request) -> Reply:
        """The vendor's body of a 429; the fault adds Retry-After."""
        return in_json({"error": "Too Many Requests"}, 429)

    def records(self, kind: str) -> list[dict[str, Any]]:
        """What it holds of a kind.

        Raises:
            KeyError: it holds none of that kind.
        """
        raise KeyError(kind)

    def act(self, action: str, arguments: Mapping[str, Any]) -> Any:
        """Something that happens on the vendor's side: ``do_<action>``.

        Raises:
            KeyError: nothing of that name can happen.
        """
        method = getattr(self, f"do_{action}", None)
        if method is None:
            raise KeyError(action)
        return method(**arguments)

    def facts(self) -> dict[str, Any]:
        """What the page shows beside the counts."""
        return {}

    def chance(self, *parts: object) -> float:
        """A number from 0 to 1 that depends on the seed and these parts alone."""
        return chance(self.seed, self.name, *parts)


def chance(*parts: object) -> float:
    """A number from 0 to 1 that depends on the parts alone."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def stamp(moment: datetime, style: str = "Z") -> str:
    """A time in milliseconds, as most of them write it: ``…Z`` or ``…+0000``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}{style}"


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
