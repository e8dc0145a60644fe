"""Callbacks: a call of somebody's own API per lead, with a bearer token, a key in a header or a password.

Belongs here: the request. It carries the delivery's id as ``Idempotency-Key`` on every attempt.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from resources.destinations import Parcel, Receipt
from resources.destinations.webhook import exchange
from resources.http import HttpClient, parse_url

_ID_CHARS = 255


class CallbackDestination:
    """Calls one address. Threads may share it.

    Args:
        url: ``{lead_id}`` and ``{delivery_id}`` are filled in.
        auth: headers that prove who we are (``auth_headers``).
        external_id: where in the JSON of an answer the record's id is, members separated by full stops.
    """

    chunk_size = 1

    def __init__(
        self,
        name: str,
        url: str,
        client: HttpClient,
        *,
        method: str = "POST",
        auth: Mapping[str, SecretStr] | None = None,
        headers: Mapping[str, str] | None = None,
        external_id: str | None = None,
    ) -> None:
        parse_url(_filled(url, "0", "0"))
        self._name, self._url, self._client, self._method = name, url, client, method
        self._headers = {"Content-Type": "application/json", **(headers or {})}
        self._auth = dict(auth or {})
        self._path = external_id.split(".") if external_id else []

    @property
    def name(self) -> str:
        """As in the rules."""
        return self._name

    def deliver(self, parcels: Sequence[Parcel], *, timeout_seconds: float) -> list[Receipt]:
        """One call per parcel, one after the other."""
        return [self._send(parcel, timeout_seconds) for parcel in parcels]

    def _send(self, parcel: Parcel, timeout_seconds: float) -> Receipt:
        url = parse_url(_filled(self._url, str(parcel.lead_id), str(parcel.delivery_id)))
        body = json.dumps(parcel.body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        proof = {header: value.get_secret_value() for header, value in self._auth.items()}
        headers = {**self._headers, **proof, "Idempotency-Key": str(parcel.delivery_id)}
        return exchange(self._client, self._method, url, headers, body, parcel, timeout_seconds, self._external_id)

    def _external_id(self, body: bytes) -> str | None:
        if not self._path:
            return None
        try:
            found: Any = json.loads(body)
            for member in self._path:
                found = found[int(member)] if isinstance(found, list) else found[member]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            return None  # it was delivered all the same
        is_id = isinstance(found, str | int) and not isinstance(found, bool)
        return str(found).replace("\0", "")[:_ID_CHARS] if is_id else None


def _filled(url: str, lead_id: str, delivery_id: str) -> str:
    return url.replace("{lead_id}", quote(lead_id)).replace("{delivery_id}", quote(delivery_id))


def auth_headers(kind: str, secret: SecretStr | None, header: str | None = None) -> dict[str, SecretStr]:
    """``bearer``, ``basic`` (the secret is ``user:password``), ``header`` (the secret in a header of that name) or
    ``none``, as the headers of a request."""
    if secret is None:
        return {}
    value = secret.get_secret_value()
    if kind == "bearer":
        return {"Authorization": SecretStr(f"Bearer {value}")}
    if kind == "basic":
        return {"Authorization": SecretStr(f"Basic {base64.b64encode(value.encode()).decode('ascii')}")}
    return {header: secret} if header else {}
