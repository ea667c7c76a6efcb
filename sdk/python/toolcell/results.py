"""What functions return, as results."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Any

from . import hints, kinds
from .content import (
    BLOCKS,
    Message,
    PromptResult,
    ReadResult,
    ResourceContents,
    ToolResult,
    block,
)
from .kinds import Kind

_AS_THEY_ARE = (str, None, type(None), ToolResult, Any, *BLOCKS)


def output(returned: Any) -> Kind | None:
    """The kind of the structured result that a return type promises; none if it promises none."""
    if typing.get_origin(returned) is ToolResult:
        return hints.kind(typing.get_args(returned)[0])
    parts = _parts(returned)
    if all(part in _AS_THEY_ARE for part in parts if _hashable(part)) and all(map(_hashable, parts)):
        return None
    if any(typing.get_origin(part) is ToolResult or part in BLOCKS or part is ToolResult for part in parts):
        raise TypeError("returns a ToolResult or content in one case and a value in another; return a ToolResult in both")
    return hints.kind(returned)


def _parts(returned: Any) -> list[Any]:
    """A return type without what does not matter here: alternatives one by one, lists of content as content."""
    origin, args = typing.get_origin(returned), typing.get_args(returned)
    if origin is typing.Union or origin is types.UnionType:
        return [part for arg in args for part in _parts(arg)]
    if origin in (list, tuple) and any(arg in BLOCKS for arg in args if _hashable(arg)):
        return [part for arg in args if arg is not Ellipsis for part in _parts(arg)]
    if origin in (list, tuple) and args and typing.get_origin(args[0]) in (typing.Union, types.UnionType):
        inner = [part for arg in args if arg is not Ellipsis for part in _parts(arg)]
        if any(part in BLOCKS for part in inner if _hashable(part)):
            return inner
    return [returned]


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def writer(kind: Kind | None) -> Callable[[Any], tuple[ToolResult[Any], str | None]]:
    """Makes a result of what a tool returned: content, and the text of the structured value."""

    def write(value: Any) -> tuple[ToolResult[Any], str | None]:
        if isinstance(value, ToolResult):
            if value.structured is None:
                return value, None
            text = kinds.dumps(kind.dump(value.structured) if kind else value.structured)
            if not value.content:
                value = ToolResult(text, structured=value.structured, is_error=value.is_error, meta=value.meta)
            return value, text
        if kind is not None:
            text = kinds.dumps(kind.dump(value))
            return ToolResult(text, structured=value), text
        if value is None:
            return ToolResult(), None
        if isinstance(value, (str, *BLOCKS)):
            return ToolResult(value), None
        if isinstance(value, (list, tuple)) and value and all(isinstance(item, (str, *BLOCKS)) for item in value):
            return ToolResult(*value), None
        text = kinds.dumps(value)
        return ToolResult(text, structured=value), text

    return write


def read(value: Any, uri: str, mime_type: str | None) -> ReadResult:
    """Makes a result of what a resource returned."""
    if isinstance(value, ReadResult):
        return value
    if isinstance(value, ResourceContents):
        return ReadResult([value])
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, ResourceContents) for item in value):
        return ReadResult(list(value))
    if isinstance(value, (str, bytes, bytearray)):
        body = value if isinstance(value, str) else bytes(value)
        return ReadResult([ResourceContents(uri, body, mime_type)])
    return ReadResult([ResourceContents(uri, kinds.dumps(value), mime_type or "application/json")])


def prompt(value: Any) -> PromptResult:
    """Makes a result of what a prompt returned."""
    if isinstance(value, PromptResult):
        return value
    if isinstance(value, (str, Message, *BLOCKS)):
        value = [value]
    messages = [item if isinstance(item, Message) else Message(block(item)) for item in value]
    return PromptResult(messages)
