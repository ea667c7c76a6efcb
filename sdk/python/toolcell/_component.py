"""The plugin as a component: the contract's records for what the SDK has, and back.

Loaded only where components are built. Lists are made here, at build time, and stay as they are.
"""

from __future__ import annotations

import gc
import importlib
import json
import linecache
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from componentize_py_types import Err
from wit_world.imports import types

from . import _host, errors, kinds
from .call import Continuation, InputRequired, Reply
from .content import (
    Annotations,
    Audio,
    Cache,
    EmbeddedResource,
    Icon,
    Image,
    ReadResult,
    ResourceContents,
    ResourceInfo,
    Text,
    ToolResult,
    block,
)
from .definitions import Tool
from .plugin import Plugin, Target

MISMATCH = "toolcell-world"
"""What the builder looks for: it made the component with another world than the plugin turned out to need."""


# From the SDK to the contract.


def text(value: str) -> str:
    """Text that can leave: half a surrogate pair, as file names may hold, cannot."""
    if value.isascii():
        return value
    return value.encode("utf-8", "replace").decode()


def maybe(value: str | None) -> str | None:
    return None if value is None else text(value)


def object_text(value: Any) -> str | None:
    return None if value is None else kinds.dumps(dict(value))


def display_hints(value: Annotations | None) -> Any:
    if value is None:
        return None
    audience = [types.Role[role.upper()] for role in value.audience]
    return types.Annotations(audience, value.priority, value.last_modified)


def icon(value: Icon) -> Any:
    theme = types.IconTheme[value.theme.upper()] if value.theme else None
    return types.Icon(value.src, value.mime_type, list(value.sizes), theme)


def contents(value: ResourceContents) -> Any:
    if isinstance(value.body, str):
        body = types.ResourceBody_Text(text(value.body))
    else:
        body = types.ResourceBody_Blob(bytes(value.body))
    return types.ResourceContents(text(value.uri), value.mime_type, body, object_text(value.meta))


def resource_info(value: ResourceInfo) -> Any:
    return types.ResourceInfo(
        uri=text(value.uri),
        name=text(value.name),
        title=maybe(value.title),
        description=maybe(value.description),
        mime_type=value.mime_type,
        size=value.size,
        annotations=display_hints(value.annotations),
        icons=[icon(one) for one in value.icons],
        meta=object_text(value.meta),
    )


def content(value: Any) -> Any:
    if isinstance(value, Text):
        return types.Content_Text(types.TextContent(text(value.text), display_hints(value.annotations), object_text(value.meta)))
    if isinstance(value, (Image, Audio)):
        made = types.MediaContent(
            bytes(value.data), value.mime_type, display_hints(value.annotations), object_text(value.meta)
        )
        return types.Content_Image(made) if isinstance(value, Image) else types.Content_Audio(made)
    if isinstance(value, EmbeddedResource):
        return types.Content_Resource(
            types.EmbeddedResource(contents(value.contents), display_hints(value.annotations), object_text(None))
        )
    return types.Content_ResourceLink(resource_info(value))


def cache(value: Cache | None) -> Any:
    if value is None:
        return None
    return types.CacheHint(int(value.seconds * 1000), types.CacheScope[value.scope.upper()])


def input_required(asked: InputRequired) -> Any:
    requests = []
    for question in asked.questions:
        params = question.params
        kind: Any
        if question.kind == "form":
            kind = types.InputKind_Form(types.FormRequest(text(params["message"]), kinds.dumps(params["schema"]), None))
        elif question.kind == "url":
            kind = types.InputKind_Url(types.UrlRequest(text(params["message"]), params["url"], None))
        elif question.kind == "sample":
            kind = types.InputKind_Sample(kinds.dumps(params))
        else:
            kind = types.InputKind_Roots()
        requests.append(types.InputRequest(question.key, kind))
    return types.InputRequired(requests, asked.state)


_KINDS = {
    errors.NotFound: types.CallError_NotFound,
    errors.InvalidArguments: types.CallError_InvalidArguments,
    errors.Denied: types.CallError_Denied,
    errors.Unavailable: types.CallError_Unavailable,
}


def call_error(error: errors.ToolError) -> Err[Any]:
    if isinstance(error, errors.Cancelled):
        return Err(types.CallError_Cancelled())
    for kind, case in _KINDS.items():
        if isinstance(error, kind):
            return Err(case(text(str(error))))
    return Err(types.CallError_Other(text(str(error))))


# From the contract to the SDK.


def continuation(value: Any) -> Continuation | None:
    if value is None:
        return None
    return Continuation({response.key: _reply(response.answer) for response in value.responses}, value.state)


def _reply(answer: Any) -> Reply:
    if isinstance(answer, types.InputAnswer_Form):
        form = answer.value
        if isinstance(form, types.FormAnswer_Accept):
            return Reply("accept", None if form.value is None else json.loads(form.value))
        return Reply("decline" if isinstance(form, types.FormAnswer_Decline) else "cancel")
    if isinstance(answer, types.InputAnswer_Sample):
        return Reply("sample", json.loads(answer.value))
    if isinstance(answer, types.InputAnswer_Roots):
        return Reply("roots", [{"uri": root.uri, "name": root.name} for root in answer.value])
    return Reply("failed", answer.value)


def _meta_from(value: str | None) -> Any:
    return None if value is None else json.loads(value)


def _annotations_from(value: Any) -> Annotations | None:
    if value is None:
        return None
    return Annotations([role.name.lower() for role in value.audience], value.priority, value.last_modified)


def content_from(value: Any) -> Any:
    """Content that another tool answered with."""
    inner = value.value
    if isinstance(value, types.Content_Text):
        return Text(inner.text, _annotations_from(inner.annotations), _meta_from(inner.meta))
    if isinstance(value, (types.Content_Image, types.Content_Audio)):
        made = Image if isinstance(value, types.Content_Image) else Audio
        return made(inner.data, inner.mime_type, _annotations_from(inner.annotations), _meta_from(inner.meta))
    if isinstance(value, types.Content_Resource):
        found = inner.contents
        body = ResourceContents(found.uri, found.body.value, found.mime_type, _meta_from(found.meta))
        return EmbeddedResource(body, _annotations_from(inner.annotations))
    icons = [
        Icon(one.src, one.mime_type, one.sizes, one.theme.name.lower() if one.theme else None) for one in inner.icons
    ]
    return ResourceInfo(
        uri=inner.uri,
        name=inner.name,
        title=inner.title,
        description=inner.description,
        mime_type=inner.mime_type,
        size=inner.size,
        annotations=_annotations_from(inner.annotations),
        icons=icons,
        meta=_meta_from(inner.meta),
    )


# The exports.


def _tools(plugin: Plugin) -> type:
    from wit_world.exports import tools as wit

    listed = [
        wit.Tool(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema=tool.input_schema,
            output_schema=tool.output_schema,
            annotations=wit.ToolAnnotations(
                *(tool.hints.get(mark) for mark in ("read_only", "destructive", "idempotent", "open_world"))
            )
            if tool.hints
            else None,
            icons=[icon(one) for one in tool.icons],
            meta=object_text(tool.meta),
        )
        for tool in plugin.tools.values()
    ]
    tool_list = wit.ToolList(listed, cache(plugin.cache))

    # What most tools answer is text alone: one answer serves for all of them, with another text each time. It has been written out
    # before the next call begins.
    plain = types.TextContent("", None, None)
    plain_outcome = wit.ToolOutcome_Complete(types.ToolResult([types.Content_Text(plain)], None, False, None))

    def outcome(tool: Tool, value: Any) -> Any:
        if type(value) is str and not tool.is_structured:
            plain.text = value if value.isascii() else text(value)
            return plain_outcome
        result, structured = tool.write(value)
        return wit.ToolOutcome_Complete(
            types.ToolResult(
                [content(piece) for piece in result.content], maybe(structured), result.is_error, object_text(result.meta)
            )
        )

    class Tools:
        def list_tools(self) -> Any:
            return tool_list

        def call_tool(self, call: Any) -> Any:
            continued = call.continuation and continuation(call.continuation)
            try:
                return plugin.call_tool(call.name, call.arguments, continued, outcome)
            except InputRequired as asked:
                return wit.ToolOutcome_InputRequired(input_required(asked))
            except errors.ToolError as error:
                raise call_error(error) from None

    return Tools


def _resources(plugin: Plugin) -> type:
    from wit_world.exports import resources as wit

    templates = wit.TemplateList(
        [
            wit.ResourceTemplate(
                uri_template=resource.uri,
                name=resource.name,
                title=resource.title,
                description=resource.description,
                mime_type=resource.mime_type,
                annotations=display_hints(resource.annotations),
                icons=[icon(one) for one in resource.icons],
                meta=object_text(resource.meta),
            )
            for resource in plugin.templates()
        ],
        cache(plugin.cache),
    )

    class Resources:
        def list_resources(self) -> Any:
            try:
                return wit.ResourceList([resource_info(one) for one in plugin.listed()], cache(plugin.cache))
            except errors.ToolError as error:
                raise call_error(error) from None

        def list_templates(self) -> Any:
            return templates

        def read_resource(self, read: Any) -> Any:
            try:
                result = plugin.read(read.uri, continuation(read.continuation))
            except InputRequired as asked:
                return wit.ReadOutcome_InputRequired(input_required(asked))
            except errors.ToolError as error:
                raise call_error(error) from None
            return wit.ReadOutcome_Complete(_read_result(result))

    def _read_result(result: ReadResult) -> Any:
        return wit.ReadResult([contents(one) for one in result.contents], cache(result.cache), object_text(result.meta))

    return Resources


def _prompts(plugin: Plugin) -> type:
    from wit_world.exports import prompts as wit

    def argument(prop: kinds.Property) -> Any:
        writing = kinds.Writing(output=False)
        described = prop.schema(writing)
        return wit.PromptArgument(prop.json_name, described.get("title"), described.get("description"), prop.required)

    prompt_list = wit.PromptList(
        [
            wit.Prompt(
                name=prompt.name,
                title=prompt.title,
                description=prompt.description,
                arguments=[argument(prop) for prop in prompt.arguments.properties],
                icons=[icon(one) for one in prompt.icons],
                meta=object_text(prompt.meta),
            )
            for prompt in plugin.prompts.values()
        ],
        cache(plugin.cache),
    )

    class Prompts:
        def list_prompts(self) -> Any:
            return prompt_list

        def get_prompt(self, get: Any) -> Any:
            try:
                result = plugin.get_prompt(get.name, dict(get.arguments), continuation(get.continuation))
                messages = [
                    wit.PromptMessage(types.Role[message.role.upper()], content(block(message.content)))
                    for message in result.messages
                ]
            except InputRequired as asked:
                return wit.PromptOutcome_InputRequired(input_required(asked))
            except errors.ToolError as error:
                raise call_error(error) from None
            return wit.PromptOutcome_Complete(
                wit.PromptResult(maybe(result.description), messages, object_text(result.meta))
            )

    return Prompts


def _completions(plugin: Plugin) -> type:
    from wit_world.exports import completions as wit

    class Completions:
        def complete(self, request: Any) -> Any:
            prompt = isinstance(request.target, wit.CompletionTarget_Prompt)
            target: Target = ("prompt" if prompt else "resource", request.target.value)
            try:
                found = plugin.suggest(target, request.argument, request.value, dict(request.context))
            except errors.ToolError as error:
                raise call_error(error) from None
            return wit.Completion([text(value) for value in found.values], found.total, found.has_more)

    return Completions


_EXPORTS: dict[str, tuple[Callable[[Plugin], Any], Callable[[Plugin], type]]] = {
    "tools": (lambda plugin: plugin.tools, _tools),
    "resources": (lambda plugin: plugin.has_resources, _resources),
    "prompts": (lambda plugin: plugin.prompts, _prompts),
    "completions": (lambda plugin: plugin.completes, _completions),
}


def export(app: ModuleType, world: list[str]) -> dict[str, type]:
    """The classes that a component with this world exports, for the module that is built.

    Args:
        app: The plugin's own module.
        world: The interfaces that the world has, imports and exports.

    Raises:
        RuntimeError: The plugin needs another world; the text names it, for the builder.
    """
    plugin = plugin_of(app)
    exports = [name for name, (offers, _) in _EXPORTS.items() if offers(plugin)]
    if not exports:
        raise RuntimeError(f"{app.__name__}.py offers nothing: put @tool above a function")
    plugin.check()
    needed = sorted([*exports, *_host.wanted])
    if needed != sorted(world):
        raise RuntimeError(f"{MISMATCH} {' '.join(needed)}")
    made = {name.capitalize(): _EXPORTS[name][1](plugin) for name in exports}
    _settle()
    return made


def plugin_of(app: ModuleType) -> Plugin:
    """The `Plugin` that a module has made, or the one that needs no name."""
    from . import default_plugin

    found = {id(value): value for value in vars(app).values() if isinstance(value, Plugin)}
    found.pop(id(default_plugin), None)
    if len(found) > 1:
        raise RuntimeError(f"{app.__name__}.py has {len(found)} plugins; a component is one, so keep one Plugin()")
    return next(iter(found.values()), default_plugin)


def _warm() -> None:
    """Runs a tool of no meaning a few times. The interpreter rewrites code that runs often to a faster form; done here, no call has
    to do it again, nor to copy the memory it is written to.
    """
    from wit_world.exports import tools as wit

    plugin = Plugin()

    @plugin.tool
    def warm(text: str = "") -> str:
        return text

    tools = _tools(plugin)()
    for _ in range(_ROUNDS):
        tools.call_tool(wit.ToolCall("warm", '{"text":"warm"}', None))


_ROUNDS = 100


_ENCODINGS = ("ascii", "latin-1", "cp1252", "iso8859-15", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")

_LATE = {"datetime": "_strptime", "urllib.parse": "unicodedata"}
"""What modules of the standard library import only when they need it, by module."""


def _load_late() -> None:
    """Loads what Python itself would load in the middle of a call, when there is nothing left to load it from."""
    for encoding in _ENCODINGS:
        "".encode(encoding)
    for module, late in _LATE.items():
        if module in sys.modules:
            importlib.import_module(late)


def _settle() -> None:
    """Leaves the memory as every call finds it: everything a call needs is made, and nothing is left to do."""
    _load_late()
    # What is printed reaches the log at once; nothing is written when a cell ends.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    # Tracebacks show the source, which is not there when they are written. Without a time of change the cache is trusted.
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.startswith(("/0/", "/1/")) and not module.__name__.startswith(("toolcell.", "wit_world")):
            lines = linecache.getlines(file)
            linecache.cache[file] = (sum(map(len, lines)), None, lines, file)
    _warm()
    # Objects that were made at build time are never garbage: collecting would only touch their memory, and each page that a
    # call touches has to be copied for it.
    gc.collect()
    gc.freeze()
