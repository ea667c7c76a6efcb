"""What a plugin offers, each made once from a function."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import docs, hints, kinds, results
from .content import Annotations, Cache, Icon
from .kinds import Object
from .uri import Template

Function = Callable[..., Any]

TASK = "io.toolcell/task"
PAGE = "text/html;profile=mcp-app"


@dataclass
class Tool:
    """A function the model can call."""

    name: str
    function: Function
    arguments: Object
    write: Callable[[Any], Any]
    is_structured: bool
    """Whether it promises a structured result."""
    input_schema: str
    output_schema: str | None
    title: str | None
    description: str | None
    hints: Mapping[str, bool]
    """`read_only`, `destructive`, `idempotent`, `open_world`, as far as said."""
    icons: Sequence[Icon]
    meta: Mapping[str, Any] | None


@dataclass
class Resource:
    """Data a client can read, under one URI or under all that a template leads to."""

    uri: str
    function: Function
    arguments: Object
    template: Template | None
    name: str
    title: str | None
    description: str | None
    mime_type: str | None
    size: int | None
    annotations: Annotations | None
    icons: Sequence[Icon]
    meta: Mapping[str, Any] | None
    cache: Cache | None


@dataclass
class Prompt:
    """Messages a person can choose."""

    name: str
    function: Function
    arguments: Object
    title: str | None
    description: str | None
    icons: Sequence[Icon]
    meta: Mapping[str, Any] | None


def tool(
    function: Function,
    *,
    name: str | None,
    title: str | None,
    description: str | None,
    marks: Mapping[str, bool | None],
    icons: Sequence[Icon],
    meta: Mapping[str, Any] | None,
    task: str | None,
    ui: str | None,
) -> Tool:
    """Makes a tool of a function."""
    said, arguments = _read(function)
    try:
        kind = results.output(typing.get_type_hints(function, include_extras=True).get("return"))
    except TypeError as error:
        raise TypeError(f"{function.__name__}: what it returns: {error}") from None
    schema = kinds.schema(arguments)
    all_meta = dict(meta or {})
    if task is not None:
        if task not in ("optional", "required", "forbidden"):
            raise ValueError(f"{function.__name__}: task is 'optional', 'required' or 'forbidden', not {task!r}")
        all_meta[TASK] = task
    if ui is not None:
        all_meta["ui"] = {**all_meta.get("ui", {}), "resourceUri": ui}
    return Tool(
        name=name or public_name(function),
        function=function,
        arguments=arguments,
        write=results.writer(kind),
        is_structured=kind is not None,
        input_schema=kinds.dumps(schema),
        output_schema=kinds.dumps(kinds.schema(kind, output=True)) if kind else None,
        title=title,
        description=description or said,
        hints={mark: value for mark, value in marks.items() if value is not None},
        icons=icons,
        meta=all_meta or None,
    )


def resource(function: Function, uri: str, *, name: str | None, description: str | None, **options: Any) -> Resource:
    """Makes a resource, or a template, of a function."""
    said, arguments = _read(function)
    template = Template(uri) if "{" in uri else None
    names = template.names if template else []
    taken = {prop.json_name: prop for prop in arguments.properties}
    if missing := [known for known in names if known not in taken]:
        raise TypeError(f"{function.__name__}: {uri} has a variable `{missing[0]}`, so the function needs that parameter")
    for prop in arguments.properties:
        if prop.json_name not in names:
            raise TypeError(f"{function.__name__}: `{prop.name}` is no variable of {uri}; write it as {{{prop.json_name}}}")
        if template and prop.required and prop.json_name in template.optional:
            raise TypeError(f"{function.__name__}: `{prop.name}` may be missing from the URI, so give it a default")
    if uri.startswith("ui://"):
        options["mime_type"] = options["mime_type"] or PAGE
    return Resource(
        uri=uri,
        function=function,
        arguments=arguments,
        template=template,
        name=name or public_name(function),
        description=description or said,
        **options,
    )


def prompt(function: Function, *, name: str | None, description: str | None, **options: Any) -> Prompt:
    """Makes a prompt of a function."""
    said, arguments = _read(function)
    return Prompt(
        name=name or public_name(function),
        function=function,
        arguments=arguments,
        description=description or said,
        **options,
    )


def public_name(function: Function) -> str:
    """The function's name; one that is a word of Python has an underscore behind it: `import_`."""
    name = function.__name__
    return name[:-1] if name.endswith("_") and not name.endswith("__") else name


def _read(function: Function) -> tuple[str | None, Object]:
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            f"{function.__name__} is async, which gains nothing here: every call has a cell of its own, so blocking holds up "
            "nobody; drop `async`"
        )
    description, described = docs.read(function.__doc__)
    return description, hints.parameters(function, described)
