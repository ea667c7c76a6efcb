"""What tools, resources and prompts answer with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, Union

T = TypeVar("T")
Role = Literal["user", "assistant"]


@dataclass(frozen=True)
class Annotations:
    """Hints for the client that shows a piece of content."""

    audience: Sequence[Role] = ()
    """Whom it is for."""
    priority: float | None = None
    """From 0.0 (optional) to 1.0 (required)."""
    last_modified: str | None = None
    """When it last changed, ISO 8601."""


@dataclass(frozen=True)
class Icon:
    """A picture that stands for a tool, a resource or a prompt."""

    src: str
    """An `https:` or a `data:` URI."""
    mime_type: str | None = None
    sizes: Sequence[str] = ()
    """Such as `48x48`, or `any`."""
    theme: Literal["light", "dark"] | None = None
    """The background it is made for."""


@dataclass(frozen=True)
class Text:
    """Text for the model or the person. A plain `str` does as well, where nothing has to be said about it."""

    text: str
    annotations: Annotations | None = None
    meta: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Image:
    """A picture."""

    data: bytes
    mime_type: str
    annotations: Annotations | None = None
    meta: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Audio:
    """A sound."""

    data: bytes
    mime_type: str
    annotations: Annotations | None = None
    meta: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class ResourceContents:
    """One resource with its contents: text, or bytes."""

    uri: str
    body: str | bytes
    mime_type: str | None = None
    meta: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class EmbeddedResource:
    """A resource put into a result as it is."""

    contents: ResourceContents
    annotations: Annotations | None = None


@dataclass(frozen=True)
class ResourceInfo:
    """A description of a resource: one that is listed, or one that a result points to."""

    uri: str
    name: str
    title: str | None = None
    description: str | None = None
    mime_type: str | None = None
    size: int | None = None
    annotations: Annotations | None = None
    icons: Sequence[Icon] = ()
    meta: Mapping[str, Any] | None = None


Content = Union[Text, Image, Audio, ResourceInfo, EmbeddedResource]
"""One block of a result. A `ResourceInfo` in it is a link."""

BLOCKS = (Text, Image, Audio, ResourceInfo, EmbeddedResource)


def block(value: str | Content) -> Content:
    """The content block that `value` is, or that a text becomes.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(value, str):
        return Text(value)
    if isinstance(value, BLOCKS):
        return value
    raise TypeError(f"{type(value).__name__} is no content; use str, Text, Image, Audio, ResourceInfo or EmbeddedResource")


class ToolResult(Generic[T]):
    """What a tool found or did: content for the model, and a value for programs.

    `ToolResult[Item]` as a return type makes the output schema from `Item`.
    """

    __slots__ = ("content", "is_error", "meta", "structured")

    def __init__(
        self,
        *content: str | Content,
        structured: T | None = None,
        is_error: bool = False,
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        self.content: list[Content] = [block(piece) for piece in content]
        self.structured = structured
        self.is_error = is_error
        self.meta = meta

    @property
    def text(self) -> str:
        """The text of all its text blocks."""
        return "\n".join(piece.text for piece in self.content if isinstance(piece, Text))

    def __repr__(self) -> str:
        return (
            f"ToolResult(content={self.content!r}, structured={self.structured!r}, "
            f"is_error={self.is_error!r}, meta={self.meta!r})"
        )


@dataclass(frozen=True)
class Cache:
    """How long a list or a resource stays fresh, and who may keep a copy."""

    seconds: float
    scope: Literal["public", "private"] = "private"


@dataclass(frozen=True)
class ReadResult:
    """What was read, if more has to be said than text or bytes."""

    contents: Sequence[ResourceContents]
    cache: Cache | None = None
    meta: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Message:
    """One message of a prompt."""

    content: str | Content
    role: Role = "user"


@dataclass(frozen=True)
class PromptResult:
    """A prompt filled in, if more has to be said than its messages."""

    messages: Sequence[Message]
    description: str | None = None
    meta: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Completion:
    """Suggestions, if more has to be said than the values."""

    values: Sequence[str]
    total: int | None = None
    has_more: bool = False


@dataclass(frozen=True)
class Root:
    """A directory or a file the person works with."""

    uri: str
    name: str | None = None


@dataclass(frozen=True)
class Sampled:
    """What the client's model said."""

    role: Role
    content: list[dict[str, Any]] = field(default_factory=list)
    """The blocks as the protocol has them: `{"type": "text", "text": …}`."""
    model: str | None = None
    stop_reason: str | None = None

    @property
    def text(self) -> str:
        """The text of all its text blocks."""
        return "\n".join(piece.get("text", "") for piece in self.content if piece.get("type") == "text")
