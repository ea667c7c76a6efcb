"""The call that is being served."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from .content import Root

Action = Literal["accept", "decline", "cancel", "sample", "roots", "failed"]


@dataclass(frozen=True)
class Reply:
    """The client's answer to one question.

    `value` is what was filled in (`accept`), the result of `sampling/createMessage` (`sample`), a list of roots as objects
    (`roots`), or why there is no answer (`failed`).
    """

    action: Action
    value: Any = None


@dataclass(frozen=True)
class Question:
    """One question to the client, under a key.

    `params` of a `form` are `message` and `schema`, of a `url` they are `message` and `url`, of a `sample` those of
    `sampling/createMessage`.
    """

    key: str
    kind: Literal["form", "url", "sample", "roots"]
    params: dict[str, Any] = field(default_factory=dict)


class InputRequired(BaseException):
    """Ends a function that needs answers first; it is called again when they are there.

    Not an `Exception`, so that `except Exception` in a tool does not swallow it.
    """

    def __init__(self, questions: list[Question], state: bytes | None) -> None:
        super().__init__(", ".join(question.key for question in questions))
        self.questions = questions
        self.state = state


@dataclass
class Continuation:
    """What a call that is being continued brings along."""

    replies: dict[str, Reply] = field(default_factory=dict)
    state: bytes | None = None


class Call:
    """One call: its replies so far, and what the function wants to remember until it is called again."""

    # Most calls ask nothing and keep nothing: they share what is empty, and it is replaced, never changed.
    _replies: Mapping[str, Reply] = MappingProxyType({})
    _kept: Mapping[str, Any] = MappingProxyType({})
    _asked = 0

    def __init__(self, name: str, continuation: Continuation | None = None) -> None:
        self.name = name
        """The tool's or the prompt's name, or the resource's URI."""
        if continuation is not None:
            replies: dict[str, Reply] = {}
            if continuation.state:
                state = json.loads(continuation.state)
                replies = {key: Reply(*reply) for key, reply in state["replies"].items()}
                self._kept = state["kept"]
            self._replies = {**replies, **continuation.replies}

    def next_key(self) -> str:
        """A key for a question that was given none: its place among them."""
        self._asked += 1
        return f"question-{self._asked}"

    def replies(self, questions: list[Question]) -> list[Reply]:
        """The replies to these questions.

        Raises:
            InputRequired: Some are not there yet.
        """
        missing = [question for question in questions if question.key not in self._replies]
        if missing:
            raise InputRequired(missing, self._state())
        return [self._replies[question.key] for question in questions]

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        """What `make` returned the first time, however often the function runs."""
        if key not in self._kept:
            # What is kept inside is kept first.
            made = make()
            self._kept = {**self._kept, key: made}
        return self._kept[key]

    def _state(self) -> bytes | None:
        """What the next round has to know. The client only answers what it was asked last."""
        if not self._replies and not self._kept:
            return None
        replies = {key: [reply.action, reply.value] for key, reply in self._replies.items()}
        return json.dumps({"replies": replies, "kept": dict(self._kept)}).encode()


serving: ContextVar[Call] = ContextVar("toolcell_call")
"""The call that is being served. Whoever serves one sets it, and resets it at the end."""


def current() -> Call:
    """The call that is being served.

    Raises:
        RuntimeError: There is none.
    """
    call = serving.get(None)
    if call is None:
        raise RuntimeError("no call is being served here; in a test, call the tool through toolcell.testing.Cell")
    return call


def roots(value: list[dict[str, Any]]) -> list[Root]:
    """Roots from what the protocol has for them."""
    return [Root(root["uri"], root.get("name")) for root in value]
