"""A plugin: what it offers, and how it answers."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar, overload

from . import _host, definitions, kinds, results
from .call import Call, Continuation, InputRequired, serving
from .content import Annotations, Cache, Completion, Icon, PromptResult, ReadResult, ResourceInfo, ToolResult
from .definitions import Prompt, Resource, Tool
from .errors import KINDS, InvalidArguments, NotFound, ToolError, said

F = TypeVar("F", bound=Callable[..., Any])
Target = tuple[Literal["prompt", "resource"], str]

MOST_SUGGESTIONS = 100


class Plugin:
    """What is offered under one name. `toolcell.tool` and its like belong to the one that needs no name."""

    def __init__(self, *, cache: Cache | None = None) -> None:
        self.cache = cache
        """How long its lists stay fresh; the host decides if that is not said."""
        self.tools: dict[str, Tool] = {}
        self.resources: dict[str, Resource] = {}
        self.prompts: dict[str, Prompt] = {}
        self._listers: list[Callable[[], Sequence[ResourceInfo]]] = []
        self._completers: dict[tuple[str, str, str], Callable[..., Any]] = {}

    # What it offers.

    @overload
    def tool(self, function: F, /) -> F: ...
    @overload
    def tool(
        self,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        read_only: bool | None = None,
        destructive: bool | None = None,
        idempotent: bool | None = None,
        open_world: bool | None = None,
        icons: Sequence[Icon] = (),
        meta: Mapping[str, Any] | None = None,
        task: Literal["optional", "required", "forbidden"] | None = None,
        ui: str | None = None,
    ) -> Callable[[F], F]: ...
    def tool(
        self,
        function: Any = None,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        read_only: bool | None = None,
        destructive: bool | None = None,
        idempotent: bool | None = None,
        open_world: bool | None = None,
        icons: Sequence[Icon] = (),
        meta: Mapping[str, Any] | None = None,
        task: Literal["optional", "required", "forbidden"] | None = None,
        ui: str | None = None,
    ) -> Any:
        """Makes a function a tool: its name, its docstring and its type hints are what the model sees.

        Args:
            name: Its name, if not the function's.
            title: A name for people.
            description: What it does, if not what the docstring says.
            read_only: Whether it changes nothing.
            destructive: Whether it may destroy something.
            idempotent: Whether calling it again with the same arguments changes nothing more.
            open_world: Whether it reaches beyond a closed set of things, such as to the web.
            icons: Pictures for it.
            meta: For `_meta`.
            task: Whether the host may run it as a task that goes on after the answer.
            ui: The URI of the page (MCP Apps) that shows its results.
        """
        marks = {
            "read_only": read_only,
            "destructive": destructive,
            "idempotent": idempotent,
            "open_world": open_world,
        }

        def decorate(function: F) -> F:
            made = definitions.tool(
                function,
                name=name,
                title=title,
                description=description,
                marks=marks,
                icons=icons,
                meta=meta,
                task=task,
                ui=ui,
            )
            _add(self.tools, made.name, made, "tools are called")
            return function

        return decorate if function is None else decorate(function)

    def resource(
        self,
        uri: str,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        mime_type: str | None = None,
        size: int | None = None,
        annotations: Annotations | None = None,
        icons: Sequence[Icon] = (),
        meta: Mapping[str, Any] | None = None,
        cache: Cache | None = None,
    ) -> Callable[[F], F]:
        """Makes a function answer for a URI, or for all URIs of a template (RFC 6570): `note://{folder}/{id}{?lang}`.

        The variables of the template are the function's parameters. It returns text, bytes, `ResourceContents` or a list of
        them, a `ReadResult`, anything else as JSON, or None: then there is no such resource.
        """

        def decorate(function: F) -> F:
            made = definitions.resource(
                function,
                uri,
                name=name,
                title=title,
                description=description,
                mime_type=mime_type,
                size=size,
                annotations=annotations,
                icons=icons,
                meta=meta,
                cache=cache,
            )
            _add(self.resources, uri, made, "resources have the URI")
            return function

        return decorate

    def list_resources(self, function: F, /) -> F:
        """Makes a function name the resources that exist now: `ResourceInfo`s, listed after those with a URI of their own."""
        self._listers.append(function)
        return function

    @overload
    def prompt(self, function: F, /) -> F: ...
    @overload
    def prompt(
        self,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        icons: Sequence[Icon] = (),
        meta: Mapping[str, Any] | None = None,
    ) -> Callable[[F], F]: ...
    def prompt(
        self,
        function: Any = None,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        icons: Sequence[Icon] = (),
        meta: Mapping[str, Any] | None = None,
    ) -> Any:
        """Makes a function a prompt. It returns text, `Message`s, content, or a `PromptResult`."""

        def decorate(function: F) -> F:
            made = definitions.prompt(
                function, name=name, description=description, title=title, icons=icons, meta=meta
            )
            _add(self.prompts, made.name, made, "prompts are called")
            return function

        return decorate if function is None else decorate(function)

    def complete(
        self, *, argument: str, prompt: str | None = None, resource: str | None = None
    ) -> Callable[[F], F]:
        """Makes a function suggest values for an argument of a prompt, or for a variable of a resource's URI template.

        It takes nothing, or what was typed, or that and a dict of the arguments that are settled already. Of what it returns
        the values that begin with what was typed are suggested; a `Completion` is passed on as it is. Arguments of an
        `Enum`, `Literal` or `bool` need none.
        """
        if (prompt is None) == (resource is None):
            raise TypeError("say which prompt or which resource: @complete(prompt='review', argument='language')")
        kind, name = ("prompt", prompt) if prompt is not None else ("resource", resource or "")

        def decorate(function: F) -> F:
            self._completers[kind, name, argument] = function
            return function

        return decorate

    # How it answers.

    @property
    def completes(self) -> bool:
        """Whether there is anything it suggests values for."""
        return bool(self._completers) or any(
            prop.kind.choices() for target in self._targets() for prop in target.arguments.properties
        )

    @property
    def has_resources(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.resources or self._listers)

    def call_tool(
        self,
        name: str,
        arguments: str,
        continuation: Continuation | None = None,
        write: Callable[[Tool, Any], Any] = lambda tool, value: tool.write(value),
    ) -> Any:
        """Runs a tool.

        Args:
            name: The tool's name.
            arguments: The text of a JSON object.
            continuation: What a call that is being continued brings along.
            write: Makes the result of what the tool's function returned, or of the `ToolResult` that says how it failed. Without
                it the result is a `ToolResult` and the text of the structured value.

        Raises:
            ToolError: A kind of it: the call failed.
            InputRequired: It asks something first.
        """
        tool = self.tools.get(name)
        if tool is None:
            raise NotFound(f"there is no tool {name}")
        values = tool.arguments.load(kinds.read(arguments), "")
        token = serving.set(Call(name, continuation))
        try:
            return write(tool, tool.function(**values))
        except ToolError as error:
            if isinstance(error, KINDS):
                raise
            return write(tool, ToolResult(str(error), is_error=True))
        except InputRequired:
            raise
        except BaseException as error:  # `sys.exit()` too: the host has other calls to serve.
            return write(tool, ToolResult(f"{name} failed: {report(error)}", is_error=True))
        finally:
            serving.reset(token)

    def listed(self) -> list[ResourceInfo]:
        """The resources that can be listed now."""
        fixed = [
            ResourceInfo(
                uri=resource.uri,
                name=resource.name,
                title=resource.title,
                description=resource.description,
                mime_type=resource.mime_type,
                size=resource.size,
                annotations=resource.annotations,
                icons=resource.icons,
                meta=resource.meta,
            )
            for resource in self.resources.values()
            if resource.template is None
        ]
        listed = [info for lister in self._listers for info in _guarded("the list", lister)]
        return [*fixed, *listed]

    def templates(self) -> list[Resource]:
        """The resources with a URI template."""
        return [resource for resource in self.resources.values() if resource.template is not None]

    def read(self, uri: str, continuation: Continuation | None = None) -> ReadResult:
        """Reads a resource.

        Raises:
            ToolError: There is none, or it cannot be read.
            InputRequired: It asks something first.
        """
        for resource, variables in self._candidates(uri):
            try:
                values = _parsed(resource.arguments, variables)
            except InvalidArguments:
                continue
            value = _serve(Call(uri, continuation), resource.function, values)
            if value is not None:
                result = results.read(value, uri, resource.mime_type)
                return ReadResult(result.contents, result.cache or resource.cache, result.meta)
        raise NotFound(f"there is no resource {uri}")

    def _candidates(self, uri: str) -> list[tuple[Resource, dict[str, str]]]:
        exact = self.resources.get(uri)
        if exact is not None and exact.template is None:
            return [(exact, {})]
        found = ((resource, resource.template.variables(uri)) for resource in self.templates() if resource.template)
        return [(resource, variables) for resource, variables in found if variables is not None]

    def get_prompt(
        self, name: str, arguments: Mapping[str, str], continuation: Continuation | None = None
    ) -> PromptResult:
        """Fills in a prompt.

        Raises:
            ToolError: There is none, or it cannot be filled in.
            InputRequired: It asks something first.
        """
        prompt = self.prompts.get(name)
        if prompt is None:
            raise NotFound(f"there is no prompt {name}")
        values = _parsed(prompt.arguments, arguments)
        value = _serve(Call(name, continuation), prompt.function, values)
        if value is None:
            raise NotFound(f"there is no prompt {name} for these arguments")
        return results.prompt(value)

    def suggest(self, target: Target, argument: str, typed: str, settled: Mapping[str, str]) -> Completion:
        """Suggests values for an argument."""
        completer = self._completers.get((target[0], target[1], argument))
        if completer is not None:
            takes = len(inspect.signature(completer).parameters)
            values = _guarded(f"completing {argument}", completer, *[typed, dict(settled)][:takes])
            if isinstance(values, Completion):
                return values
        else:
            values = self._choices(target, argument)
        fitting = [value for value in map(str, values) if value.lower().startswith(typed.lower())]
        return Completion(fitting[:MOST_SUGGESTIONS], total=len(fitting), has_more=len(fitting) > MOST_SUGGESTIONS)

    def _choices(self, target: Target, argument: str) -> list[str]:
        offered = self.prompts if target[0] == "prompt" else self.resources
        found = offered.get(target[1])
        if found is None:
            raise NotFound(f"there is no {target[0]} {target[1]}")
        for prop in found.arguments.properties:
            if prop.json_name == argument:
                return prop.kind.choices()
        return []

    def _targets(self) -> list[Prompt | Resource]:
        return [*self.prompts.values(), *self.resources.values()]

    def check(self) -> None:
        """Looks at what can only be judged when everything is there.

        Raises:
            TypeError: A completer completes nothing.
        """
        for kind, name, argument in self._completers:
            offered = self.prompts.get(name) if kind == "prompt" else self.resources.get(name)
            if offered is None:
                raise TypeError(f"@complete({kind}={name!r}): there is no such {kind}")
            if argument not in {prop.json_name for prop in offered.arguments.properties}:
                raise TypeError(f"@complete({kind}={name!r}, argument={argument!r}): it has no such argument")


def report(error: BaseException) -> str:
    """Writes the traceback of an exception nobody expected to standard error, which is the log, and returns it in short."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__package__") == __package__:
        trace = trace.tb_next
    text = "".join(traceback.format_exception(type(error), error, trace))
    # In a component, the folders of the project are called /0, /1, ….
    print(text.replace('File "/0/', 'File "').replace('File "/1/', 'File "'), end="", file=sys.stderr, flush=True)
    if isinstance(error, ImportError) and _host.in_component:
        return f"{said(error)}; a component holds only what was imported when it was made: import it at the top of a file"
    return said(error)


def _serve(call: Call, function: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """Calls the function of a resource or a prompt."""
    token = serving.set(call)
    try:
        return _guarded(call.name, function, **values)
    finally:
        serving.reset(token)


def _guarded(what: str, function: Callable[..., Any], *args: Any, **values: Any) -> Any:
    """Calls a function; an exception nobody expected is written to the log and becomes an error of the call."""
    try:
        return function(*args, **values)
    except (ToolError, InputRequired):
        raise
    except BaseException as error:
        raise ToolError(f"{what} failed: {report(error)}") from None


def _parsed(arguments: kinds.Object, texts: Mapping[str, str]) -> dict[str, Any]:
    """Parameters from text, which is all that prompts and URIs have."""
    values = {}
    for prop in arguments.properties:
        if prop.json_name in texts:
            values[prop.name] = prop.kind.parse(texts[prop.json_name], prop.json_name)
        elif prop.required:
            raise InvalidArguments(f"`{prop.json_name}` is missing")
    known = {prop.json_name for prop in arguments.properties}
    if unknown := [name for name in texts if name not in known]:
        raise InvalidArguments(f"there is no `{unknown[0]}`; what can be said is: {', '.join(known) or 'nothing'}")
    return values


def _add(offered: dict[str, Any], key: str, made: Any, what: str) -> None:
    old = offered.get(key)
    if old is not None and _place(old.function) != _place(made.function):
        raise ValueError(f"two {what} {key}: {_place(old.function)} and {_place(made.function)}")
    offered[key] = made


def _place(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"
