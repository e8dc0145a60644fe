"""One conversation with a mail server: dialled through the egress guard, encrypted as asked, bounded in time.

Belongs here: connecting, logging in, handing over one message, and which failures a retry can heal. Does not belong
here: what is written to whom (``email``).
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, Literal

from pydantic import SecretStr

from resources.http import CertificateRefused, HttpError, NotConnected
from resources.http.dialling import Resolver, system_resolver
from resources.http.sockets import bounded, open_socket, start_tls, tls_context

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over."""

    host: str
    port: int
    security: Security = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    allow_loopback: bool = False
    ca_file: str | None = None
    resolver: Resolver = system_resolver


class SmtpError(Exception):
    """Base. ``code`` is a reason code; the message is one line without addresses or credentials."""

    code = "smtp_deferred"


class Deferred(SmtpError):
    """The server said later (4xx), or the conversation broke: a retry can help."""


class NoTls(SmtpError):
    """The server offers no encryption where it must: nothing was said to it."""

    code = "smtp_no_tls"


class LoginFailed(SmtpError):
    """The server did not take name and password."""

    code = "smtp_login_failed"


class Refused(SmtpError):
    """The server refused the message for good (5xx)."""

    code = "smtp_refused"


class BadRecipient(SmtpError):
    """The server refused every recipient for good."""

    code = "bad_recipient"


class _Conversation(smtplib.SMTP):
    """Dials nothing by itself: it is given a connected socket."""

    def __init__(self, server: MailServer, deadline: float, context: ssl.SSLContext | None) -> None:
        self._server, self._deadline, self._context = server, deadline, context
        super().__init__(timeout=max(deadline - time.monotonic(), 0.001), local_hostname="aiqleads")

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        del timeout
        server = self._server
        found = open_socket(host, port, self._deadline, allow_loopback=server.allow_loopback, resolver=server.resolver)
        if server.security == "tls" and self._context is not None:
            try:
                return start_tls(found, host, self._context, self._deadline)
            except HttpError:
                found.close()
                raise
        return found


class MailSession:
    """A conversation, open until ``close``. Not for several threads.

    Raises (all methods):
        SmtpError: as said there. HttpError: the server can't be reached, or may not be dialled.
    """

    def __init__(self, server: MailServer, deadline: float) -> None:
        self._server, self._deadline = server, deadline
        context = None if server.security == "none" else tls_context(server.ca_file)
        self._smtp = _Conversation(server, deadline, context)
        try:
            with _told():
                code, answer = self._smtp.connect(server.host, server.port)
                if code != 220:
                    raise smtplib.SMTPConnectError(code, answer)
                self._smtp._host = server.host  # type: ignore[attr-defined] # what STARTTLS proves the name of
                self._smtp.ehlo()
                if server.security == "starttls":
                    self._encrypt(context)
                if server.username is not None and server.password is not None:
                    self._log_in(server.username, server.password)
        except Refused as error:  # before there is any message: it is the server that says no
            self.close()
            raise Deferred(str(error)) from None
        except BaseException:
            self.close()
            raise

    def send(self, message: EmailMessage, sender: str, recipients: Sequence[str]) -> int:
        """Hand one message over; how many of its recipients were refused (not all).

        Raises:
            Refused, BadRecipient: for good; the session goes on. Deferred: this message may come again.
        """
        with _told():
            try:
                return len(self._smtp.send_message(message, sender, list(recipients)))
            except smtplib.SMTPRecipientsRefused as error:
                codes = [code for code, _ in error.recipients.values()]
                if all(code >= 500 for code in codes):
                    raise BadRecipient(f"the server refused all recipients ({codes[0]})") from None
                raise Deferred(f"the server put the recipients off ({codes[0]})") from None
            except smtplib.SMTPNotSupportedError:
                raise BadRecipient("the server takes no address beyond ASCII") from None

    def close(self) -> None:
        """Say good-bye, or just hang up."""
        sock: Any = self._smtp.sock
        if sock is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError, HttpError):
                bounded(sock, min(self._deadline, time.monotonic() + 2))
                self._smtp.quit()
            self._smtp.close()

    def _encrypt(self, context: ssl.SSLContext | None) -> None:
        if not self._smtp.has_extn("starttls"):
            raise NoTls("the server does not offer STARTTLS")
        try:
            code, _ = self._smtp.starttls(context=context)
        except ssl.SSLCertVerificationError:
            raise CertificateRefused(f"{self._server.host} could not prove its name") from None
        if code != 220:
            raise NoTls(f"the server did not begin STARTTLS ({code})")
        bounded(self._smtp.sock, self._deadline)
        self._smtp.ehlo()

    def _log_in(self, username: str, password: SecretStr) -> None:
        try:
            self._smtp.login(username, password.get_secret_value())
        except smtplib.SMTPAuthenticationError as error:
            if 400 <= error.smtp_code < 500:
                raise Deferred(f"the server put the log-in off ({error.smtp_code})") from None
            raise LoginFailed(f"the server did not take name and password ({error.smtp_code})") from None
        except smtplib.SMTPNotSupportedError:
            raise LoginFailed("the server offers no way to log in that is known here") from None


@contextlib.contextmanager
def _told() -> Any:
    """Errors of the library as ours; what the server said is not repeated but for its code."""
    try:
        yield
    except (SmtpError, HttpError):
        raise
    except smtplib.SMTPResponseException as error:
        if error.smtp_code >= 500:
            raise Refused(f"the server refused the message ({error.smtp_code})") from None
        raise Deferred(f"the server put the message off ({error.smtp_code})") from None
    except (smtplib.SMTPException, EOFError) as error:
        raise Deferred(f"the conversation broke ({type(error).__name__})") from None
    except ssl.SSLError as error:
        raise NotConnected(f"TLS failed ({type(error).__name__})") from None
    except OSError as error:
        raise Deferred(f"the connection broke ({type(error).__name__})") from None
