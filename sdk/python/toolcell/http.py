"""A small blocking HTTP client.

The host does the rest: it resolves names, checks each request against what the operator granted, and speaks TLS.
"""

from __future__ import annotations

import json as _json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from . import _host, kinds
from .errors import ToolError

_wit = _host.interface("http", "http_types")

_CREDENTIALS = ("authorization", "cookie", "proxy-authorization")
_REDIRECTS = (301, 302, 303, 307, 308)


class HttpError(ToolError):
    """Why there is no response, or none of use. Left alone it becomes the tool's error, with its text."""


class Refused(HttpError):
    """The host did not let the request out; the text says why, and which line would."""


class TimedOut(HttpError):
    """Time is up."""


class BadStatus(HttpError):
    """The server answered that it did not work."""

    def __init__(self, text: str, response: Response) -> None:
        super().__init__(text)
        self.response = response


@dataclass(frozen=True)
class Request:
    """A request as it is sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout: float | None = None
    """Seconds for all of it."""
    max_bytes: int = 10 << 20
    """The longest body that is taken."""


@dataclass(frozen=True)
class Response:
    """What the server answered, whatever its status."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """By name in lower case; several of one name are joined by commas."""
    body: bytes = b""
    url: str = ""
    """Where it came from, after redirects."""

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text, in the encoding that its type names, or UTF-8."""
        charset = "utf-8"
        for part in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = part.partition("=")
            if name.strip().lower() == "charset":
                charset = value.strip().strip('"')
        try:
            return self.body.decode(charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            HttpError: It is none.
        """
        try:
            return _json.loads(self.body)
        except ValueError as error:
            raise HttpError(f"{self.url} did not answer with JSON: {error}") from None

    def raise_for_status(self) -> Response:
        """Itself, if the status is one of success.

        Raises:
            BadStatus: It is not.
        """
        if self.ok:
            return self
        raise BadStatus(f"{self.url} answered {self.status}", self)


def get(url: str, **options: Any) -> Response:
    """Asks for a page; the options are those of `request`."""
    return request("GET", url, **options)


def post(url: str, **options: Any) -> Response:
    """Sends something; the options are those of `request`."""
    return request("POST", url, **options)


def request(
    method: str,
    url: str,
    *,
    params: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | str = b"",
    json: Any = None,
    timeout: float | None = None,
    redirects: int = 5,
    max_bytes: int = 10 << 20,
) -> Response:
    """Sends a request and waits for the response, whatever its status.

    Args:
        method: `GET`, `POST`, …
        url: Where to, with `http:` or `https:`.
        params: Put behind the URL as its query.
        headers: By name.
        body: What is sent along.
        json: What is sent along, as JSON.
        timeout: Seconds for all of it; the host has a limit of its own.
        redirects: How many are followed. Each is checked by the host, and credentials stay with their origin.
        max_bytes: The longest body that is taken.

    Raises:
        HttpError: There is no response.
    """
    sent = dict(headers or {})
    if json is not None:
        body = kinds.dumps(json)
        sent.setdefault("content-type", "application/json")
    if params:
        url += ("&" if urlsplit(url).query else "?") + urlencode(params, doseq=True)
    raw = body.encode() if isinstance(body, str) else bytes(body)
    next_request = Request(method.upper(), url, sent, raw, timeout, max_bytes)
    for _ in range(redirects + 1):
        response = _send(next_request)
        location = response.headers.get("location")
        if redirects == 0 or response.status not in _REDIRECTS or not location:
            return response
        next_request = _redirected(next_request, response.status, location)
    raise HttpError(f"{url} leads to more than {redirects} redirects")


def _redirected(request: Request, status: int, location: str) -> Request:
    """The request that follows (RFC 9110, section 15.4)."""
    url = urljoin(request.url, location)
    method, body, headers = request.method, request.body, dict(request.headers)
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        method, body = "GET", b""
        headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
    if _origin(url) != _origin(request.url):
        headers = {name: value for name, value in headers.items() if name.lower() not in _CREDENTIALS}
    return Request(method, url, headers, body, request.timeout, request.max_bytes)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _send(request: Request) -> Response:
    try:
        parts = urlsplit(request.url)
        port = parts.port
    except ValueError as error:
        raise HttpError(f"{request.url!r} is no URL: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise HttpError(f"{request.url!r} cannot be asked for; write a URL with http: or https: and a host")
    if parts.username is not None:
        raise HttpError("a URL must not hold a name or a password; send an authorization header")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = f"{host}:{port}" if port else host
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not _wit:
        return _host.cell().http.send(request)
    return _wasi.send(request, parts.scheme, authority, _quoted(path))


def _quoted(path: str) -> str:
    """A path whose characters can all stand in a URL."""
    return "".join(
        character if "!" <= character <= "~" else "".join(f"%{byte:02X}" for byte in character.encode()) for character in path
    )


if _wit:
    from . import _wasi
