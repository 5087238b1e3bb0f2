"""What every request has to pass before a handler looks at it, whichever library the handler is from."""

from __future__ import annotations

import asyncio
import hmac
import inspect
import ipaddress
import logging
import os
import re
import secrets
from http.client import responses
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from jupyter_server.auth.identity import User
from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError, RequestHandler
from tornado.websocket import WebSocketHandler
from traitlets import default
from voila.voila_identity_provider import VoilaIdentityProvider

from mnuts_dashboards.server.tokens import WrongTokens
from mnuts_dashboards.text.templates import ENVIRONMENT
from mnuts_dashboards.widgets.visit import KEY_VARIABLE

REASONS = {404: "There is nothing at this address.", 405: "This address does not take such requests."}
NO_TOKEN = (
    "This page asks for a token. Open the complete address that you were given, with ?token=… at its end."
)
TOO_MANY_WRONG = (
    "Too many wrong tokens came from your address. Wait a moment, then open the one you were given."
)
OTHER_HOST = "This server does not answer to that name: open it as localhost or 127.0.0.1."
OTHER_SITE = "Another site's page sent this request. Open the address itself."
_BAD_PATH = re.compile(r"[\x00-\x1f\x7f\\]|(^|/)\.\.(/|$)")
_ANONYMOUS = User("visitor", "visitor", "Visitor", "V")
log = logging.getLogger("mnuts.server")


class RefusalError(HTTPError):
    """An answer other than the one that was asked for, with the sentence that the visitor reads."""

    def __init__(self, status: int, words: str, *, retry: int | None = None) -> None:
        super().__init__(status, words.replace("%", "%%"))
        self.words, self.retry = words, retry


class TokenProvider(VoilaIdentityProvider):
    """Knows a visitor by the token, once, and afterwards by a cookie that ends with the browser's session."""

    @default("cookie_options")
    def _cookies(self) -> dict[str, Any]:
        return {"httponly": True, "samesite": "Lax", "expires_days": None}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._wrong = WrongTokens()

    def get_handlers(self) -> list[tuple[str, object]]:
        """No pages to log in and out: the token is in the address."""
        return []

    async def get_user(self, handler: RequestHandler) -> User | None:
        """The visitor, or None without a token or the cookie that it earned.

        Raises:
            RefusalError: 429 where too many wrong tokens came from.
        """
        known: User | None = getattr(handler, "_jupyter_current_user", None)
        if known is not None:
            return known
        if not self.token:
            return _ANONYMOUS
        given = self.get_token(handler)
        if given and await self._right(given, handler.request.remote_ip or ""):
            # Jupyter asks for it: no XSRF cookie is needed then
            cast(Gate, handler)._token_authenticated = True
            if self.get_user_cookie(handler) is None:
                self.set_login_cookie(handler, _ANONYMOUS)
            return _ANONYMOUS
        by_cookie: User | None = self.get_user_cookie(handler)
        return by_cookie

    async def _right(self, given: str, address: str) -> bool:
        """Compare in constant time; the answer to a wrong token comes late."""
        if self._wrong.blocked(address):
            raise RefusalError(429, TOO_MANY_WRONG)
        if hmac.compare_digest(given.encode(), self.token.encode()):
            return True
        delay = self._wrong.delay(address)
        log.warning("wrong token from %s", address)
        await asyncio.sleep(delay)
        return False

    def set_login_cookie(self, handler: RequestHandler, user: User) -> None:
        """Set the cookie, for HTTPS alone where a proxy says that the visitor uses it."""
        options = dict(self.cookie_options, path=handler.settings["base_url"])
        if handler.request.headers.get("X-Forwarded-Proto", handler.request.protocol) == "https":
            options["secure"] = True
        handler.set_secure_cookie(self.get_cookie_name(handler), self.user_to_cookie(user), **options)

    def should_check_origin(self, handler: RequestHandler) -> bool:
        """Always, though Jupyter would trust whoever has the token."""
        return True


class Gate(RequestHandler):
    """Goes in front of a handler, see `gated`: path, host, origin, token, in this order."""

    _token_authenticated: bool
    _jupyter_current_user: User | None

    async def prepare(self) -> None:
        """Refuse what must not come in.

        Raises:
            HTTPError: 403 for a host that is not ours, for another site's page and without a token; 404 for a
                path with control characters or steps up.
        """
        if _BAD_PATH.search(unquote(self.request.path)):
            raise HTTPError(404)
        if not self.settings["allow_remote_access"] and not is_local_name(self.request.host):
            raise RefusalError(403, OTHER_HOST)
        if from_another_site(self):
            raise RefusalError(403, OTHER_SITE)
        self.current_user = self._jupyter_current_user = await self.known()
        if self.current_user is None:
            raise RefusalError(403, NO_TOKEN)
        following = super().prepare()
        if inspect.isawaitable(following):
            await following

    async def known(self) -> User | None:
        """The visitor; None if it is nobody we know."""
        provider: TokenProvider = self.settings["identity_provider"]
        return await provider.get_user(self)

    def set_default_headers(self) -> None:
        """The headers of all answers, which the handlers of Voilà's that are not Jupyter's forget."""
        super().set_default_headers()
        if not isinstance(self, JupyterHandler | WebSocketHandler):
            for name, value in self.settings["headers"].items():
                self.set_header(name, value)

    def set_cors_headers(self) -> None:
        """None: no other site's page may read an answer, with the token or without."""

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """Nothing of what was refused: the address may hold a token, and a flood of them fills the log."""
        if not isinstance(error, HTTPError) or error.status_code >= 500:
            super().log_exception(kind, error, trace)

    def write_error(self, status_code: int, **options: Any) -> None:
        """A small page of our own in plain words; to a websocket's request the status alone."""
        if isinstance(self, WebSocketHandler):
            self.finish()
            return
        error = (options.get("exc_info") or (None, None))[1]
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        if isinstance(error, RefusalError):
            if error.retry is not None:
                self.set_header("Retry-After", str(error.retry))
            self.finish(refusal_page(status_code, error.words, error.retry))
        else:
            words = REASONS.get(status_code, "The server cannot answer this request.")
            self.finish(refusal_page(status_code, words))


def gated(handler: type[RequestHandler]) -> type[RequestHandler]:
    """The handler behind the gate."""
    return handler if issubclass(handler, Gate) else type(f"Gated{handler.__name__}", (Gate, handler), {})


def refusal_page(status: int, words: str, retry: int | None = None) -> str:
    """The page for a visitor who gets no other.

    Args:
        status: HTTP status.
        words: A sentence or two.
        retry: Seconds after which the page tries again by itself.
    """
    title = f"{status} {responses.get(status, 'Error')}"
    return ENVIRONMENT.get_template("server/refusal.html").render(title=title, words=words, retry=retry)


def is_local_name(host: str) -> bool:
    """Whether a Host header names this machine by itself, not by a name that somebody else may point here."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def from_another_site(handler: RequestHandler) -> bool:
    """Whether another site's page sent the request, other than by a link that a visitor follows."""
    headers = handler.request.headers
    for name in ("Origin", "Sec-WebSocket-Origin"):
        if name in headers and not _same_host(headers[name], handler.request.host):
            return True
    return headers.get("Sec-Fetch-Site") == "cross-site" and headers.get("Sec-Fetch-Dest") != "document"


def _same_host(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin.lower()).netloc == host.lower()
    except ValueError:
        return False


def new_kernel_key() -> None:
    """Let kernels that are started from now on identify themselves to this server."""
    os.environ[KEY_VARIABLE] = secrets.token_urlsafe(24)


def is_kernel(handler: RequestHandler) -> bool:
    """Whether the request comes from one of this server's kernels."""
    given = handler.request.headers.get("Authorization", "").encode()
    return hmac.compare_digest(given, f"Bearer {os.environ[KEY_VARIABLE]}".encode())
