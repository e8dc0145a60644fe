"""Logging in to a CRM: an access token that is renewed when it is refused, by one caller for all.

Belongs here: OAuth's client credentials and refresh token, and tokens that never change. Tokens and secrets are in no
message and no log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from pydantic import SecretStr

from resources.crm.verdicts import AUTH_PAUSE_SECONDS, CallFailed, Verdict, verdict_of_call
from resources.destinations import Outcome
from resources.http import HttpClient, HttpError, Limits, RefusedStatus, UnavailableStatus, Url, parse_url

_EARLY_SECONDS = 60.0  # that a token with a known end is renewed before it
_FAILURE_SECONDS = 5.0  # that a failed log-in is not tried again


@dataclass(frozen=True)
class Token:
    """An access token, and where it is good. ``good_until``: seconds of the monotonic clock."""

    secret: SecretStr
    base_url: str
    good_until: float = field(default=float("inf"))


class FixedToken:
    """A token that never changes: of a private app."""

    def __init__(self, secret: SecretStr, base_url: str) -> None:
        self._token = Token(secret, base_url)

    def current(self, deadline: float) -> Token:
        """The token."""
        return self._token

    def renew(self, refused: Token, deadline: float) -> Token:
        """There is no other.

        Raises:
            CallFailed.
        """
        raise CallFailed(Verdict(Outcome.LATER, "crm_auth_failed", "the token is refused", AUTH_PAUSE_SECONDS))


class OauthTokens:
    """Tokens of an OAuth token endpoint. Threads may share it: whoever comes first renews, the others wait for that.

    Args:
        form: what is posted, with its secrets; ``refresh_token`` is replaced when the endpoint gives another.
        base_url: where the API is; None: where the answer's ``instance_url`` says (with the scheme of ``url``).
    """

    def __init__(
        self,
        http: HttpClient,
        url: str,
        form: Mapping[str, SecretStr],
        base_url: str | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http, self._url, self._form, self._base_url, self._now = http, url, dict(form), base_url, now
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._failure: CallFailed | None = None
        self._failed_until = 0.0

    def current(self, deadline: float) -> Token:
        """A token that is good as far as is known.

        Raises:
            CallFailed: no log-in.
        """
        token = self._token
        if token is not None and token.good_until > self._now():
            return token
        return self._replace(token, deadline)

    def renew(self, refused: Token, deadline: float) -> Token:
        """Another token than the one that was refused.

        Raises:
            CallFailed: no log-in.
        """
        return self._replace(refused, deadline)

    def _replace(self, stale: Token | None, deadline: float) -> Token:
        if not self._lock.acquire(timeout=max(deadline - time.monotonic(), 0.0)):
            raise CallFailed(Verdict(Outcome.RETRY, "receiver_timed_out", "the log-in took too long"))
        try:
            if self._token is not None and self._token is not stale:
                return self._token  # somebody renewed it meanwhile
            if self._failure is not None and self._now() < self._failed_until:
                raise self._failure
            try:
                self._token = self._fetch(deadline)
            except CallFailed as failure:
                self._failure, self._failed_until = failure, self._now() + _FAILURE_SECONDS
                raise
            self._failure = None
            return self._token
        finally:
            self._lock.release()

    def _fetch(self, deadline: float) -> Token:
        body = urlencode({name: value.get_secret_value() for name, value in self._form.items()}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        left = max(deadline - time.monotonic(), 0.001)
        limits = Limits(total_seconds=left, read_seconds=left, max_retries=0, max_body_bytes=1 << 16)
        try:
            given = self._http.call(
                "POST", self._url, headers=headers, body=body, limits=limits, may_repeat=True
            ).json()
        except (RefusedStatus, UnavailableStatus) as error:
            if error.status in (400, 401, 403):
                verdict = Verdict(Outcome.LATER, "crm_auth_failed", f"log-in: {error.status}", AUTH_PAUSE_SECONDS)
                raise CallFailed(verdict) from None
            raise CallFailed(verdict_of_call(error, [])) from None
        except HttpError as error:
            raise CallFailed(verdict_of_call(error, [])) from None
        return self._read(given)

    def _read(self, given: object) -> Token:
        answer = given if isinstance(given, dict) else {}
        access, renewed = answer.get("access_token"), answer.get("refresh_token")
        base_url = self._base_url or self._checked(answer.get("instance_url"))
        if not isinstance(access, str) or not access.isascii() or not access.isprintable() or base_url is None:
            raise CallFailed(Verdict(Outcome.RETRY, "crm_unreadable", "the log-in's answer holds no token"))
        if isinstance(renewed, str) and renewed and "refresh_token" in self._form:
            self._form["refresh_token"] = SecretStr(renewed)
        seconds = answer.get("expires_in")
        good_until = float("inf")
        if isinstance(seconds, int | float) and not isinstance(seconds, bool):
            good_until = self._now() + max(float(seconds) - _EARLY_SECONDS, 1.0)
        return Token(SecretStr(access), base_url, good_until)

    def _checked(self, instance_url: object) -> str | None:
        """The instance's URL, if it is one that a token may be sent to: no worse protected than the log-in."""
        try:
            instance: Url = parse_url(str(instance_url))
        except HttpError:
            return None
        is_as_safe = instance.scheme == "https" or parse_url(self._url).scheme == "http"
        return f"{instance.scheme}://{instance.netloc}" if is_as_safe else None
