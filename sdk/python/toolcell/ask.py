"""Questions to the person, the model or the client at the other end.

    answer = ask.form("Remove 2 items?", Confirm)
    if answer.accepted and answer.value.remove:
        …

A question ends the call. When the answer is there the function runs again from its first line, and this time the question
returns it. So what stands before a question happens more than once: read there, and write only behind it, or put what must
happen once into `ask.once`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from . import hints, kinds
from .call import Question, Reply, current, roots as _roots
from .content import Root, Sampled
from .errors import ToolError

T = TypeVar("T")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What the person did with a form or a page."""

    action: Literal["accept", "decline", "cancel"]
    """`decline`: said no. `cancel`: closed it without choosing."""
    value: T
    """What was filled in; none unless it was accepted."""

    @property
    def accepted(self) -> bool:
        """Whether the person said yes."""
        return self.action == "accept"


class Asking(Generic[T]):
    """A question that is not asked yet; `together` asks several at once."""

    def __init__(self, question: Question, read: Callable[[Reply], T]) -> None:
        self._question = question
        self._read = read


def form(message: str, fields: type[T], *, key: str | None = None) -> Answer[T]:
    """Asks the person to fill in the fields of `fields`: a dataclass of text, numbers, booleans and choices."""
    return _ask(asking_form(message, fields, key=key))


def url(message: str, url: str, *, key: str | None = None) -> Answer[None]:
    """Asks the person to visit an `https:` page, for what must not pass through the client."""
    return _ask(asking_url(message, url, key=key))


def sample(
    prompt: str | Sequence[Mapping[str, Any]],
    *,
    max_tokens: int = 1000,
    system: str | None = None,
    key: str | None = None,
    **params: Any,
) -> Sampled:
    """Asks the client's model.

    Args:
        prompt: One message of the user's, or several as `sampling/createMessage` takes them.
        max_tokens: How long the answer may be.
        system: The system prompt.
        key: Names the question.
        params: Further parameters of `sampling/createMessage`, such as `temperature`.
    """
    return _ask(asking_sample(prompt, max_tokens=max_tokens, system=system, key=key, **params))


def roots(*, key: str | None = None) -> list[Root]:
    """Asks for the directories and files the person works with."""
    return _ask(asking_roots(key=key))


def together(*questions: Asking[Any]) -> list[Any]:
    """Asks several questions in one go: `name, city = ask.together(ask.asking_form(…), ask.asking_form(…))`."""
    replies = current().replies([asking._question for asking in questions])
    return [asking._read(reply) for asking, reply in zip(questions, replies)]


def once(key: str, make: Callable[[], T]) -> T:
    """Does something once, although the function runs again with each answer; the result must be JSON."""
    return current().once(key, make)


def asking_form(message: str, fields: type[T], *, key: str | None = None) -> Asking[Answer[T]]:
    """The question that `form` asks."""
    kind = hints.kind(fields)
    schema = kinds.schema(kind)
    for name, field in schema.get("properties", {None: schema}).items():
        if name is None or field.get("type") in ("object", None):
            raise TypeError(f"{fields.__name__}: a form has fields of text, numbers, booleans and choices, nothing else")
    for keyword in ("description", "additionalProperties"):
        schema.pop(keyword, None)
    question = Question(key or current().next_key(), "form", {"message": message, "schema": schema})
    return Asking(question, lambda reply: _answer(reply, lambda value: kind.load(value or {}, "")))


def asking_url(message: str, url: str, *, key: str | None = None) -> Asking[Answer[None]]:
    """The question that `url` asks."""
    question = Question(key or current().next_key(), "url", {"message": message, "url": url})
    return Asking(question, lambda reply: _answer(reply, lambda _: None))


def asking_sample(
    prompt: str | Sequence[Mapping[str, Any]],
    *,
    max_tokens: int = 1000,
    system: str | None = None,
    key: str | None = None,
    **params: Any,
) -> Asking[Sampled]:
    """The question that `sample` asks."""
    messages: Any = prompt
    if isinstance(prompt, str):
        messages = [{"role": "user", "content": {"type": "text", "text": prompt}}]
    params = {"messages": list(messages), "maxTokens": max_tokens, **params}
    if system is not None:
        params["systemPrompt"] = system
    return Asking(Question(key or current().next_key(), "sample", params), _sampled)


def asking_roots(*, key: str | None = None) -> Asking[list[Root]]:
    """The question that `roots` asks."""
    return Asking(Question(key or current().next_key(), "roots"), lambda reply: _roots(_value(reply, "roots")))


def _ask(asking: Asking[T]) -> T:
    return asking._read(current().replies([asking._question])[0])


def _answer(reply: Reply, load: Callable[[Any], Any]) -> Answer[Any]:
    if reply.action in ("decline", "cancel"):
        return Answer(reply.action, None)
    return Answer("accept", load(_value(reply, "accept")))


def _sampled(reply: Reply) -> Sampled:
    result = _value(reply, "sample")
    content = result.get("content", [])
    return Sampled(
        role=result.get("role", "assistant"),
        content=content if isinstance(content, list) else [content],
        model=result.get("model"),
        stop_reason=result.get("stopReason"),
    )


def _value(reply: Reply, action: str) -> Any:
    if reply.action == "failed":
        raise ToolError(f"the client could not answer: {reply.value}")
    if reply.action != action:
        raise ToolError(f"the client answered with {reply.action} where {action} was asked for")
    return reply.value
