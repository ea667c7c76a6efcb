"""From type hints to kinds."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import inspect
import re
import types
import typing
from collections.abc import Callable
from typing import Any

from . import docs, kinds
from .field import Field
from .kinds import Kind, Object, Property

_SIMPLE: dict[Any, Kind] = {
    Any: kinds.ANY,
    object: kinds.ANY,
    str: kinds.TEXT,
    int: kinds.INTEGER,
    float: kinds.NUMBER,
    bool: kinds.BOOLEAN,
    None: kinds.NOTHING,
    type(None): kinds.NOTHING,
    bytes: kinds.BYTES,
    list: kinds.Items(kinds.ANY, list),
    tuple: kinds.Items(kinds.ANY, tuple),
    set: kinds.Items(kinds.ANY, set, unique=True),
    frozenset: kinds.Items(kinds.ANY, frozenset, unique=True),
    dict: kinds.Entries(kinds.ANY),
}

_LISTS: dict[Any, Callable[[list[Any]], Any]] = {
    list: list,
    set: set,
    frozenset: frozenset,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Collection: list,
    collections.abc.Iterable: list,
    collections.abc.Set: set,
    collections.abc.MutableSet: set,
}

_DICTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)

_WRAPPERS = {getattr(typing, name) for name in ("Required", "NotRequired", "ReadOnly", "Final") if hasattr(typing, name)}


class Reader:
    """Makes kinds; a type that was seen before has one already, so that types may hold themselves."""

    def __init__(self) -> None:
        self._objects: dict[Any, Object] = {}

    def kind(self, hint: Any) -> Kind:
        """The kind of a type hint.

        Raises:
            TypeError: JSON has nothing for it.
        """
        try:
            if hint in _SIMPLE:
                return _SIMPLE[hint]
        except TypeError:  # A hint that cannot be hashed, such as `Annotated[int, ["a list"]]`.
            pass
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            return self._annotated(args[0], hint.__metadata__)
        if origin is typing.Literal:
            return kinds.Choice([(value, value) for value in args])
        if origin is typing.Union or origin is types.UnionType:
            return self._union(args)
        if origin in _WRAPPERS:
            return self.kind(args[0])
        if origin is tuple:
            if len(args) == 2 and args[1] is Ellipsis:
                return kinds.Items(self.kind(args[0]), tuple)
            return kinds.Tuple([self.kind(item) for item in args if item != ()])
        if origin in _LISTS or hint in _LISTS:
            make = _LISTS[origin or hint]
            return kinds.Items(self.kind(args[0]) if args else kinds.ANY, make, unique=make in (set, frozenset))
        if origin in _DICTS or hint in _DICTS:
            if args and args[0] is not str:
                raise TypeError(f"{_name(hint)}: the keys of a JSON object are text, so write dict[str, …]")
            return kinds.Entries(self.kind(args[1]) if args else kinds.ANY)
        if hasattr(hint, "__supertype__"):  # NewType
            return self.kind(hint.__supertype__)
        if hasattr(hint, "__value__"):  # type Name = …
            return self.kind(hint.__value__)
        if isinstance(hint, type):
            return self._class(hint)
        raise TypeError(f"{_name(hint)} has no form in JSON; use str, int, float, bool, list, dict, a dataclass or an Enum")

    def _annotated(self, hint: Any, metadata: tuple[Any, ...]) -> Kind:
        kind = self.kind(hint)
        for said in metadata:
            field = Field(said) if isinstance(said, str) else said
            if isinstance(field, Field):
                if field.pattern is not None:
                    _check_pattern(field.pattern)
                kind = kinds.Bounded(kind, field)
        return kind

    def _union(self, hints: tuple[Any, ...]) -> Kind:
        # Null comes last: that is how it reads, and how `X | None` becomes {"type": ["…", "null"]}.
        ordered = sorted(hints, key=lambda hint: hint in (None, type(None)))
        return kinds.Union([(self.kind(hint), _test(hint)) for hint in ordered])

    def _class(self, cls: type) -> Kind:
        if issubclass(cls, enum.Enum):
            own = cls.__dict__.get("__doc__")
            described = None if own in (None, "An enumeration.") else docs.read(own)[0]
            for member in cls:
                if not isinstance(member.value, (str, int, float, bool, type(None))):
                    raise TypeError(f"{cls.__name__}.{member.name} is no text and no number, so JSON has nothing for it")
            return kinds.Choice([(member.value, member) for member in cls], described)
        if dataclasses.is_dataclass(cls):
            return self._object(cls, lambda values: cls(**values), getattr, self._dataclass_fields)
        if typing.is_typeddict(cls):
            return self._object(cls, lambda values: values, _entry, self._typed_dict_fields)
        if issubclass(cls, tuple) and hasattr(cls, "_fields"):
            return self._object(cls, lambda values: cls(**values), getattr, self._named_tuple_fields)
        if cls.__module__ == "datetime" and cls.__name__ in _MOMENTS:
            return kinds.moment(cls, *_MOMENTS[cls.__name__])
        raise TypeError(f"{cls.__name__} has no form in JSON; make it a dataclass, a TypedDict, a NamedTuple or an Enum")

    def _object(
        self,
        cls: type,
        make: Callable[[dict[str, Any]], Any],
        take: Callable[[Any, str], Any],
        fields: Callable[[type, dict[str, str]], list[Property]],
    ) -> Object:
        if cls in self._objects:
            return self._objects[cls]
        # A dataclass without a docstring gets its signature as one.
        own = cls.__dict__.get("__doc__")
        own = None if own and own.startswith(f"{cls.__name__}(") else own
        description, described = docs.read(own)
        made = self._objects[cls] = Object(cls.__name__, make, take, description)
        return made.fill(fields(cls, described))

    def _dataclass_fields(self, cls: type, described: dict[str, str]) -> list[Property]:
        hints = typing.get_type_hints(cls, include_extras=True)
        properties = []
        for field in dataclasses.fields(cls):
            if not field.init:
                continue
            required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            properties.append(
                Property(
                    field.name,
                    self.kind(hints[field.name]),
                    required=required,
                    default=None if field.default is dataclasses.MISSING else field.default,
                    description=field.metadata.get("description") or described.get(field.name),
                )
            )
        return properties

    def _typed_dict_fields(self, cls: type, described: dict[str, str]) -> list[Property]:
        hints = typing.get_type_hints(cls, include_extras=True)
        required = cls.__required_keys__  # type: ignore[attr-defined]
        return [
            Property(name, self.kind(hint), required=name in required, description=described.get(name), written=False)
            for name, hint in hints.items()
        ]

    def _named_tuple_fields(self, cls: type, described: dict[str, str]) -> list[Property]:
        hints = typing.get_type_hints(cls, include_extras=True)
        defaults = cls._field_defaults  # type: ignore[attr-defined]
        return [
            Property(
                name,
                self.kind(hints.get(name, Any)),
                required=name not in defaults,
                default=defaults.get(name),
                description=described.get(name),
            )
            for name in cls._fields  # type: ignore[attr-defined]
        ]


_MOMENTS = {
    "datetime": ("date-time", "a date and time such as 2026-07-28T12:00:00Z"),
    "date": ("date", "a date such as 2026-07-28"),
    "time": ("time", "a time such as 12:00:00"),
}


def parameters(function: Callable[..., Any], described: dict[str, str]) -> Object:
    """The parameters of a function, as one object.

    Raises:
        TypeError: One of them has no type hint, or one that JSON has nothing for.
    """
    reader = Reader()
    name = function.__name__
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(f"{name}: {error}; what a type hint names must be there when the function is decorated") from None
    made = Object(name, None, getattr)
    properties = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            raise TypeError(f"{name}: **{parameter.name} tells the model nothing; name each parameter")
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            raise TypeError(f"{name}: `{parameter.name}` cannot be given by name, as every argument is; drop the * or the /")
        if parameter.name not in hints:
            raise TypeError(f"{name}: say what `{parameter.name}` is, such as `{parameter.name}: str`")
        try:
            kind = reader.kind(hints[parameter.name])
        except TypeError as error:
            raise TypeError(f"{name}: parameter `{parameter.name}`: {error}") from None
        properties.append(
            Property(
                parameter.name,
                kind,
                required=parameter.default is parameter.empty,
                default=None if parameter.default is parameter.empty else parameter.default,
                description=described.get(parameter.name),
            )
        )
    if unknown := described.keys() - {prop.name for prop in properties}:
        raise TypeError(f"{name}: the docstring describes `{sorted(unknown)[0]}`, which is no parameter of it")
    return made.fill(properties)


def kind(hint: Any) -> Kind:
    """The kind of a type hint."""
    return Reader().kind(hint)


def _entry(value: Any, name: str) -> Any:
    return value.get(name, kinds.MISSING)


def _test(hint: Any) -> Callable[[Any], bool]:
    """Whether a value is of this type, as far as that decides how it is written."""
    while typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    origin = typing.get_origin(hint)
    if hint in (None, type(None)):
        return lambda value: value is None
    if origin is typing.Literal:
        values = typing.get_args(hint)
        return lambda value: value in values
    if typing.is_typeddict(hint) or origin in _DICTS:
        return lambda value: isinstance(value, dict)
    if isinstance(origin or hint, type):
        cls = origin or hint
        return lambda value: isinstance(value, cls)
    return lambda _: True


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise TypeError(f"the pattern {pattern!r} is no regular expression: {error}") from None


def _name(hint: Any) -> str:
    return getattr(hint, "__name__", None) or str(hint)
