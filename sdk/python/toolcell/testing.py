"""A plugin in a unit test, called as the host calls it, without a component.

    from toolcell.testing import Cell
    import app

    cell = Cell(app)
    assert cell.call("add", {"title": "Buy milk"}).text == "Added 1: Buy milk"

What the host would offer is there to be set and looked at: `cell.key_value`, `cell.http`, `cell.context`, `cell.peers`,
`cell.progress`, `cell.logs`, `cell.changes`.
"""

from __future__ import annotations

import json as _json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from . import _host, kinds
from .call import Continuation, InputRequired, Question, Reply
from .content import Completion, PromptResult, ReadResult, ResourceInfo, ToolResult
from .context import Context
from .http import HttpError, Refused, Request, Response
from .key_value import Conflict, NotGranted as StoreNotGranted
from .peers import UnknownTool
from .plugin import Plugin

__all__ = ["Cell", "InputRequired", "Question", "Reply", "Store", "Web", "cancel", "decline", "failed"]

decline = Reply("decline")
"""The person says no."""

cancel = Reply("cancel")
"""The person closes the question without choosing."""


def failed(why: str) -> Reply:
    """The client cannot answer."""
    return Reply("failed", why)


@dataclass
class _Page:
    keys: list[str]
    next: str | None


class Store(dict[str, bytes]):
    """A key-value store in memory. Set `granted` to False to see what the plugin says when it has none."""

    granted = True

    def __init__(self, values: Mapping[str, bytes] | None = None) -> None:
        super().__init__(values or {})
        self.interrupt: Callable[[], None] | None = None
        """Called once before the next `compare_and_set`, as another call would come in between."""

    def _check(self) -> None:
        if not self.granted:
            raise StoreNotGranted("no key-value store is granted; add `key-value = true`")

    def get(self, key: str, default: Any = None) -> Any:
        self._check()
        return super().get(key, default)

    def set(self, key: str, value: bytes) -> None:
        self._check()
        self[key] = value

    def delete(self, key: str) -> None:
        self._check()
        self.pop(key, None)

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None) -> None:
        self._check()
        interrupt, self.interrupt = self.interrupt, None
        if interrupt:
            interrupt()
        if self.get(key) != expected:
            raise Conflict(self.get(key))
        if value is None:
            self.pop(key, None)
        else:
            self[key] = value

    def list_keys(self, prefix: str, cursor: str | None, most: int = 100) -> _Page:
        self._check()
        keys = sorted(key for key in self if key.startswith(prefix) and (cursor is None or key > cursor))
        return _Page(keys[:most], keys[most - 1] if len(keys) > most else None)


@dataclass
class Web:
    """The web as the test has it: what is not set up is refused."""

    sent: list[Request] = field(default_factory=list)
    """The requests so far."""
    _answers: dict[str, Any] = field(default_factory=dict)

    def reply(
        self,
        url: str,
        body: str | bytes = b"",
        *,
        json: Any = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answers requests for a URL."""
        if json is not None:
            body = kinds.dumps(json)
        raw = body.encode() if isinstance(body, str) else body
        self._answers[url] = Response(status, {k.lower(): v for k, v in (headers or {}).items()}, raw, url)

    def fail(self, url: str, error: HttpError | str) -> None:
        """Fails requests for a URL; a text is the host's refusal."""
        self._answers[url] = Refused(error) if isinstance(error, str) else error

    def send(self, request: Request) -> Response:
        self.sent.append(request)
        answer = self._answers.get(request.url)
        if answer is None:
            raise Refused(f"the plugin may not ask for {request.url}: the test has no answer for it; add one with cell.http.reply")
        if isinstance(answer, Exception):
            raise answer
        if len(answer.body) > request.max_bytes:
            raise HttpError(f"the response is longer than {request.max_bytes} bytes")
        return answer


class Cell:
    """A plugin and the host's side of it."""

    def __init__(self, plugin: Plugin | ModuleType | None = None) -> None:
        """Takes a plugin, the module that makes one, or what the decorators of `toolcell` collected."""
        from . import default_plugin

        if isinstance(plugin, ModuleType):
            made = [value for value in vars(plugin).values() if isinstance(value, Plugin)]
            plugin = made[0] if made else None
        self.plugin = plugin or default_plugin
        self.plugin.check()
        self.key_value = Store()
        self.http = Web()
        self.context = Context()
        self.cancelled = False
        self.progress: list[tuple[float, float | None, str | None]] = []
        self.logs: list[tuple[str, str | None, Any]] = []
        self.changes: list[str] = []
        self.peers: dict[str, Callable[..., Any]] = {}
        """Other tools by name: functions of their arguments."""

    # What a client does.

    def tools(self) -> list[dict[str, Any]]:
        """The tools as a client sees them."""
        return [
            {
                "name": tool.name,
                "title": tool.title,
                "description": tool.description,
                "inputSchema": _json.loads(tool.input_schema),
                "outputSchema": _json.loads(tool.output_schema) if tool.output_schema else None,
                "hints": dict(tool.hints),
                "meta": tool.meta,
            }
            for tool in self.plugin.tools.values()
        ]

    def call(
        self, name: str, arguments: Mapping[str, Any] | None = None, *, answers: Mapping[str, Any] | None = None
    ) -> ToolResult[Any]:
        """Calls a tool.

        Args:
            name: Its name.
            arguments: Its arguments.
            answers: What is answered to its questions, by key: what is filled in, `decline`, `cancel`, the result of
                `sampling/createMessage`, a list of roots as objects, or `failed("why")`.

        Raises:
            InputRequired: It asks something that has no answer here.
            ToolError: A kind of it that fails the call itself, such as `InvalidArguments`.
        """
        text = kinds.dumps(dict(arguments or {}))

        def run(continuation: Continuation | None) -> ToolResult[Any]:
            result, structured = self.plugin.call_tool(name, text, continuation)
            # As a client sees it: the structured value is JSON.
            result.structured = None if structured is None else _json.loads(structured)
            return result

        return self._rounds(run, answers)

    def resources(self) -> list[ResourceInfo]:
        """The resources that are listed."""
        return self._in(self.plugin.listed)

    def templates(self) -> list[str]:
        """The URI templates."""
        return [resource.uri for resource in self.plugin.templates()]

    def read(self, uri: str, *, answers: Mapping[str, Any] | None = None) -> ReadResult:
        """Reads a resource."""
        return self._rounds(lambda continuation: self.plugin.read(uri, continuation), answers)

    def prompt(
        self, name: str, arguments: Mapping[str, str] | None = None, *, answers: Mapping[str, Any] | None = None
    ) -> PromptResult:
        """Fills in a prompt."""
        return self._rounds(lambda continuation: self.plugin.get_prompt(name, arguments or {}, continuation), answers)

    def complete(
        self,
        argument: str,
        typed: str = "",
        *,
        prompt: str | None = None,
        resource: str | None = None,
        settled: Mapping[str, str] | None = None,
    ) -> Completion:
        """Suggests values for an argument of a prompt, or for a variable of a resource's URI template."""
        target: Any = ("prompt", prompt) if prompt is not None else ("resource", resource)
        return self._in(lambda: self.plugin.suggest(target, argument, typed, settled or {}))

    # What the host does.

    def call_peer(self, name: str, arguments: dict[str, Any]) -> ToolResult[Any]:
        """Runs one of `peers`."""
        peer = self.peers.get(name)
        if peer is None:
            raise UnknownTool(f"there is no tool {name}")
        value = peer(**arguments)
        return value if isinstance(value, ToolResult) else ToolResult(kinds.dumps(value), structured=value)

    def _in(self, run: Callable[[], Any]) -> Any:
        token = _host.testing.set(self)
        try:
            return run()
        finally:
            _host.testing.reset(token)

    def _rounds(self, run: Callable[[Continuation | None], Any], answers: Mapping[str, Any] | None) -> Any:
        continuation = None
        while True:
            try:
                return self._in(lambda: run(continuation))
            except InputRequired as asked:
                replies = {
                    question.key: _reply(question, answers[question.key])
                    for question in asked.questions
                    if answers and question.key in answers
                }
                if not replies:
                    raise
                continuation = Continuation(replies, asked.state)


def _reply(question: Question, answer: Any) -> Reply:
    if isinstance(answer, Reply):
        return answer
    if question.kind in ("form", "url"):
        return Reply("accept", answer)
    return Reply("sample" if question.kind == "sample" else "roots", answer)
