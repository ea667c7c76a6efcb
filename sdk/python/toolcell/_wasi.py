"""HTTP requests over `wasi:http`, inside a component."""

from __future__ import annotations

import time
from typing import Any

from componentize_py_types import Err
from wit_world.imports import http_handler, http_types, io_poll, io_streams, monotonic_clock

from .http import HttpError, Refused, Request, Response, TimedOut

_METHODS = {
    "GET": http_types.Method_Get,
    "HEAD": http_types.Method_Head,
    "POST": http_types.Method_Post,
    "PUT": http_types.Method_Put,
    "DELETE": http_types.Method_Delete,
    "CONNECT": http_types.Method_Connect,
    "OPTIONS": http_types.Method_Options,
    "TRACE": http_types.Method_Trace,
    "PATCH": http_types.Method_Patch,
}

_CHUNK = 64 << 10

# The codes a host may send, in words a model can act on.
_DENIED = {
    "HttpRequestDenied": "it is not granted; the plugin's log has the reason and the line to add",
    "DestinationIpProhibited": "the address is not granted; the plugin's log has the reason",
    "ConnectionLimitReached": "too many requests at once",
    "HttpRequestBodySize": "the request body is too large",
    "HttpRequestHeaderSectionSize": "the request's header section is too large",
    "HttpRequestHeaderSize": "a header is too large",
    "HttpRequestUriTooLong": "the URL is too long",
}
_TIMEOUTS = {
    "DnsTimeout": "the name could not be resolved",
    "ConnectionTimeout": "no connection could be made",
    "ConnectionReadTimeout": "the server sent nothing more",
    "ConnectionWriteTimeout": "the server took nothing more",
    "HttpResponseTimeout": "the server did not answer",
}
_FAILED = {
    "DnsError": "the name could not be resolved",
    "DestinationNotFound": "there is no such host",
    "DestinationUnavailable": "the host cannot be reached",
    "DestinationIpUnroutable": "the host cannot be reached",
    "ConnectionRefused": "nobody listens at that port",
    "ConnectionTerminated": "the connection broke off",
    "HttpResponseIncomplete": "the connection broke off",
    "TlsCertificateError": "the server's certificate is not valid",
    "TlsProtocolError": "no encrypted connection could be made",
    "TlsAlertReceived": "no encrypted connection could be made",
    "HttpResponseBodySize": "the response body is too large",
    "HttpResponseHeaderSectionSize": "the response's header section is too large",
    "HttpProtocolError": "the server does not speak HTTP",
}


def send(request: Request, scheme: str, authority: str, path: str) -> Response:
    """Sends one request and reads the response to its end."""
    deadline = None if request.timeout is None else time.monotonic() + request.timeout
    try:
        headers = http_types.Fields.from_list(
            [(name, str(value).encode()) for name, value in request.headers.items()]
            + ([("content-length", str(len(request.body)).encode())] if request.body else [])
        )
    except Err:
        raise HttpError("the host does not send such headers; `host` and what concerns the connection is its own business") from None
    outgoing = http_types.OutgoingRequest(headers)
    try:
        method = _METHODS.get(request.method)
        outgoing.set_method(method() if method else http_types.Method_Other(request.method))
        outgoing.set_scheme(http_types.Scheme_Https() if scheme == "https" else http_types.Scheme_Http())
        outgoing.set_authority(authority)
        outgoing.set_path_with_query(path)
    except Err:
        raise HttpError(f"{request.method} {request.url} cannot be sent; check the method and the URL") from None
    body = outgoing.body() if request.body else None
    try:
        future = http_handler.handle(outgoing, None)
    except Err as refusal:
        raise _error(refusal.value) from None
    if body is not None:
        _write(body, request.body, future, deadline)
    return _read(request, future, deadline)


def _wait(pollables: list[Any], deadline: float | None) -> None:
    """Waits until one of them is ready, and drops them."""
    waiting = list(pollables)
    if deadline is not None:
        left = max(0, int((deadline - time.monotonic()) * 1e9))
        waiting.append(monotonic_clock.subscribe_duration(left))
    try:
        ready = io_poll.poll(waiting)
    finally:
        for pollable in waiting:
            pollable.__exit__(None, None, None)
    if deadline is not None and min(ready) == len(pollables):
        raise TimedOut("time is up: the exchange took too long")


def _write(body: Any, data: bytes, future: Any, deadline: float | None) -> None:
    """Sends the body. A server may answer before it has read all of it; then the response tells."""
    try:
        with body.write() as stream:
            sent = 0
            while sent < len(data):
                room = min(stream.check_write(), _CHUNK)
                if room == 0:
                    _wait([stream.subscribe(), future.subscribe()], deadline)
                    if (room := min(stream.check_write(), _CHUNK)) == 0:
                        break
                stream.write(data[sent : sent + room])
                sent += room
            stream.flush()
        http_types.OutgoingBody.finish(body, None)
    except Err:
        pass


def _read(request: Request, future: Any, deadline: float | None) -> Response:
    while (answer := future.get()) is None:
        _wait([future.subscribe()], deadline)
    # A result in a result: the outer one says whether the answer was taken before, which it was not.
    outcome = answer.value
    if isinstance(outcome, Err):
        raise _error(outcome.value)
    response = outcome.value
    headers: dict[str, str] = {}
    with response.headers() as fields:
        for name, value in fields.entries():
            name, text = name.lower(), value.decode("utf-8", "replace")
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return Response(response.status(), headers, _body(response, request.max_bytes, deadline), request.url)


def _body(response: Any, most: int, deadline: float | None) -> bytes:
    data = bytearray()
    with response.consume() as body, body.stream() as stream:
        while True:
            try:
                chunk = stream.read(_CHUNK)
            except Err as end:
                if isinstance(end.value, io_streams.StreamError_Closed):
                    return bytes(data)
                with end.value.value as error:
                    code = http_types.http_error_code(error)
                    raise (_error(code) if code else HttpError(f"the connection broke off: {error.to_debug_string()}")) from None
            if not chunk:
                _wait([stream.subscribe()], deadline)
                continue
            data += chunk
            if len(data) > most:
                raise HttpError(f"the response is longer than {most} bytes")
            if deadline is not None and time.monotonic() >= deadline:
                raise TimedOut("time is up: the exchange took too long")


def _error(code: Any) -> HttpError:
    name = type(code).__name__.removeprefix("ErrorCode_")
    if name == "InternalError" and code.value:
        # The host's own words, often a refusal with the line that would allow the request.
        return Refused(code.value)
    if name in _DENIED:
        return Refused(f"the host refused the request: {_DENIED[name]}")
    if name in _TIMEOUTS:
        return TimedOut(f"time is up: {_TIMEOUTS[name]}")
    return HttpError(f"the request failed: {_FAILED.get(name, name)}")
