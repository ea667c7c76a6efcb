"""Other tools of this host, as the operator granted them by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from . import _host, kinds
from .content import ToolResult
from .errors import ToolError

_wit = _host.interface("peers")


class PeerError(ToolError):
    """Why the other tool was not run."""


class NotGranted(PeerError):
    """The operator did not grant that tool; the text is the line that would."""


class UnknownTool(PeerError):
    """There is no such tool."""


class WrongArguments(PeerError):
    """The arguments do not fit its schema."""


class LimitReached(PeerError):
    """Calls between tools went too deep, or time is up."""


def call(tool: str, arguments: Mapping[str, Any] | None = None) -> ToolResult[Any]:
    """Runs another tool in a cell of its own, for the same caller and within the time this call has left.

    A tool that failed is no exception here: look at `is_error` of the result.

    Args:
        tool: Its name as clients see it.
        arguments: Its arguments, by name.

    Raises:
        PeerError: It was not run.
    """
    if not _wit:
        return _host.cell().call_peer(tool, dict(arguments or {}))
    try:
        result = _wit.call(tool, kinds.dumps(dict(arguments or {})))
    except _types.Err as refusal:
        raise _error(refusal.value) from None
    structured = None if result.structured is None else json.loads(result.structured)
    meta = None if result.meta is None else json.loads(result.meta)
    content = [_component.content_from(piece) for piece in result.content]
    return ToolResult(*content, structured=structured, is_error=result.is_error, meta=meta)


if _wit:
    import componentize_py_types as _types

    from . import _component

    def _error(error: Any) -> PeerError:
        if isinstance(error, _wit.PeerError_Denied):
            return NotGranted(error.value)
        if isinstance(error, _wit.PeerError_NotFound):
            return UnknownTool(error.value)
        if isinstance(error, _wit.PeerError_InvalidArguments):
            return WrongArguments(error.value)
        if isinstance(error, _wit.PeerError_Limit):
            return LimitReached(error.value)
        return PeerError(error.value)
