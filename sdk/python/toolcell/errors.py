"""What a tool, a resource or a prompt raises when it cannot do what was asked."""

from __future__ import annotations


class ToolError(Exception):
    """It was tried and did not work; the text tells the model what to do about it.

    From a tool this is a result that the model reads. The kinds below it fail the call itself, and from a resource or a
    prompt so does every error.
    """


class NotFound(ToolError):
    """There is nothing of that name or URI here."""


class InvalidArguments(ToolError):
    """An argument is wrong; the text names it and says what would be right."""


class Denied(ToolError):
    """Somebody refused something that is needed; the text says what."""


class Unavailable(ToolError):
    """Something that is needed does not answer; a later try may work."""


class Cancelled(ToolError):
    """Nobody waits for the result any more."""


KINDS = (NotFound, InvalidArguments, Denied, Unavailable, Cancelled)
"""What fails the call itself."""


def said(error: BaseException, most: int = 500) -> str:
    """An error in one short text: its kind and what it says."""
    text = " ".join(str(error).split())
    if len(text) > most:
        text = text[:most] + "…"
    name = type(error).__name__
    return f"{name}: {text}" if text else name
