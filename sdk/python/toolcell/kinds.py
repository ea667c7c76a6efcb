"""Python types as JSON: their JSON Schema (2020-12), and values there and back.

A kind is made once for each type hint, when the plugin is built; a call only uses it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from .errors import InvalidArguments
from .field import Field


class Writing:
    """A schema while it is written. Types are written where they are used; only one that holds itself is referred to."""

    def __init__(self, *, output: bool) -> None:
        self.output = output
        self.open: list[Kind] = []
        self.referred: set[int] = set()
        self.defs: dict[str, Any] = {}


class Kind:
    """A type. This one is `Any`."""

    def schema(self, writing: Writing) -> dict[str, Any]:
        """Its JSON Schema."""
        return {}

    def load(self, value: Any, at: str) -> Any:
        """The Python value of a JSON value that stands at `at`.

        Raises:
            InvalidArguments: It is no such value.
        """
        return value

    def dump(self, value: Any) -> Any:
        """The JSON value of a Python value."""
        return value

    def parse(self, text: str, at: str) -> Any:
        """The Python value of what a person typed."""
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        return self.load(value, at)

    def choices(self) -> list[str]:
        """What a person can choose from, if that is known."""
        return []

    def described(self) -> bool:
        """Whether the type hint says what the value means; that counts for more than the docstring."""
        return False


def wrong(at: str, expected: str, value: Any) -> InvalidArguments:
    """The error for a value that is not what was expected."""
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return InvalidArguments(f"`{at}` must be {expected}, not {shown if len(shown) <= 60 else shown[:60] + '…'}")


class Simple(Kind):
    """Text, a number, a boolean or nothing."""

    def __init__(self, json_type: str, expected: str, load: Callable[[Any], Any]) -> None:
        self._type = json_type
        self._expected = expected
        self._load = load

    def schema(self, writing: Writing) -> dict[str, Any]:
        return {"type": self._type}

    def load(self, value: Any, at: str) -> Any:
        try:
            return self._load(value)
        except (ValueError, OverflowError):
            raise wrong(at, self._expected, value) from None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ValueError


def _integer(value: Any) -> int:
    # JSON Schema takes 3.0 for an integer, too.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise ValueError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError
    return float(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError


def _nothing(value: Any) -> None:
    if value is not None:
        raise ValueError


class TextKind(Simple):
    """`str`."""

    def __init__(self) -> None:
        super().__init__("string", "text", _text)

    def load(self, value: Any, at: str) -> str:
        if isinstance(value, str):
            return value
        raise wrong(at, self._expected, value)

    def parse(self, text: str, at: str) -> str:
        return text


ANY = Kind()
TEXT = TextKind()
INTEGER = Simple("integer", "an integer", _integer)
NUMBER = Simple("number", "a number", _number)
BOOLEAN = Simple("boolean", "true or false", _boolean)
NOTHING = Simple("null", "null", _nothing)
BOOLEAN.choices = lambda: ["true", "false"]  # type: ignore[method-assign]


class Formatted(Kind):
    """A type that JSON writes as text: dates, times, bytes."""

    def __init__(
        self, keywords: dict[str, Any], expected: str, load: Callable[[str], Any], dump: Callable[[Any], str]
    ) -> None:
        self._keywords = keywords
        self._expected = expected
        self._load = load
        self._dump = dump

    def schema(self, writing: Writing) -> dict[str, Any]:
        return {"type": "string", **self._keywords}

    def load(self, value: Any, at: str) -> Any:
        try:
            return self._load(_text(value))
        except ValueError:
            raise wrong(at, self._expected, value) from None

    def dump(self, value: Any) -> str:
        return self._dump(value)

    def parse(self, text: str, at: str) -> Any:
        return self.load(text, at)


def moment(kind: type, name: str, expected: str) -> Formatted:
    """`datetime`, `date` or `time`."""

    def load(text: str) -> Any:
        # Python before 3.11 does not know what `Z` means.
        return kind.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)  # type: ignore[attr-defined]

    return Formatted({"format": name}, expected, load, lambda value: value.isoformat())


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError from error


BYTES = Formatted(
    {"contentEncoding": "base64"}, "base64", _from_base64, lambda value: base64.b64encode(value).decode("ascii")
)


class Choice(Kind):
    """`Literal` and `Enum`: one of a few values."""

    def __init__(self, members: list[tuple[Any, Any]], description: str | None = None) -> None:
        self._members = members
        self._description = description
        self._values = [value for value, _ in members]

    def schema(self, writing: Writing) -> dict[str, Any]:
        names = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
        types = list(dict.fromkeys(names[type(value)] for value in self._values))
        written: dict[str, Any] = {"type": types[0] if len(types) == 1 else types, "enum": self._values}
        return written | ({"description": self._description} if self._description else {})

    def load(self, value: Any, at: str) -> Any:
        for known, member in self._members:
            if known == value and isinstance(known, bool) == isinstance(value, bool):
                return member
        raise wrong(at, "one of " + ", ".join(json.dumps(known) for known in self._values), value)

    def dump(self, value: Any) -> Any:
        return next((known for known, member in self._members if member == value), value)

    def parse(self, text: str, at: str) -> Any:
        return self.load(text, at) if text in self._values else super().parse(text, at)

    def choices(self) -> list[str]:
        return [value if isinstance(value, str) else json.dumps(value) for value in self._values]


class Bounded(Kind):
    """A type with a `Field`."""

    def __init__(self, inner: Kind, field: Field) -> None:
        self._inner = inner
        self._field = field
        self._checks = field.bounds

    def schema(self, writing: Writing) -> dict[str, Any]:
        schema = self._inner.schema(writing)
        return schema | self._field.keywords(schema.get("type"))

    def load(self, value: Any, at: str) -> Any:
        loaded = self._inner.load(value, at)
        if self._checks and (expected := self._field.wrong(value)):
            raise wrong(at, expected, value)
        return loaded

    def dump(self, value: Any) -> Any:
        return self._inner.dump(value)

    def parse(self, text: str, at: str) -> Any:
        value = self._inner.parse(text, at)
        if self._checks and (expected := self._field.wrong(self._inner.dump(value))):
            raise wrong(at, expected, text)
        return value

    def choices(self) -> list[str]:
        return self._inner.choices()

    def described(self) -> bool:
        return self._field.description is not None


class Union(Kind):
    """`A | B`: the first alternative that takes the value."""

    def __init__(self, alternatives: list[tuple[Kind, Callable[[Any], bool]]]) -> None:
        self._alternatives = alternatives
        self._kinds = [kind for kind, _ in alternatives]

    def schema(self, writing: Writing) -> dict[str, Any]:
        schemas = [kind.schema(writing) for kind in self._kinds]
        if len(schemas) == 2 and schemas[1] == {"type": "null"} and isinstance(schemas[0].get("type"), str):
            both = {**schemas[0], "type": [schemas[0]["type"], "null"]}
            return both | ({"enum": [*both["enum"], None]} if "enum" in both else {})
        if all(list(schema) == ["type"] and isinstance(schema["type"], str) for schema in schemas):
            return {"type": [schema["type"] for schema in schemas]}
        return {"anyOf": schemas}

    def load(self, value: Any, at: str) -> Any:
        return self._first(lambda kind: kind.load(value, at), at, value)

    def _first(self, attempt: Callable[[Kind], Any], at: str, value: Any) -> Any:
        refusals: list[str] = []
        for kind in self._kinds:
            try:
                return attempt(kind)
            except InvalidArguments as refusal:
                refusals.append(str(refusal))
        # What is said of an alternative that fits at the root is of more use than that none fits.
        inside = [refusal for refusal in refusals if not refusal.startswith(f"`{at}` must")]
        raise InvalidArguments(inside[0] if inside else "; or ".join(dict.fromkeys(refusals)))

    def dump(self, value: Any) -> Any:
        for kind, fits in self._alternatives:
            if fits(value):
                return kind.dump(value)
        return value

    def parse(self, text: str, at: str) -> Any:
        return self._first(lambda kind: kind.parse(text, at), at, text)

    def choices(self) -> list[str]:
        return [choice for kind in self._kinds for choice in kind.choices()]


class Items(Kind):
    """`list[T]`, `set[T]`, `tuple[T, ...]`."""

    def __init__(self, item: Kind, make: Callable[[list[Any]], Any], *, unique: bool = False) -> None:
        self._item = item
        self._make = make
        self._unique = unique

    def schema(self, writing: Writing) -> dict[str, Any]:
        item = self._item.schema(writing)
        schema: dict[str, Any] = {"type": "array"} | ({"items": item} if item else {})
        return schema | ({"uniqueItems": True} if self._unique else {})

    def load(self, value: Any, at: str) -> Any:
        if not isinstance(value, list):
            raise wrong(at, "a list", value)
        return self._make([self._item.load(item, f"{at}[{index}]") for index, item in enumerate(value)])

    def dump(self, value: Any) -> list[Any]:
        return [self._item.dump(item) for item in value]


class Tuple(Kind):
    """`tuple[A, B]`."""

    def __init__(self, items: list[Kind]) -> None:
        self._items = items

    def schema(self, writing: Writing) -> dict[str, Any]:
        size = len(self._items)
        items = [item.schema(writing) for item in self._items]
        return {"type": "array", "prefixItems": items, "minItems": size, "maxItems": size}

    def load(self, value: Any, at: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) != len(self._items):
            raise wrong(at, f"a list of {len(self._items)}", value)
        return tuple(kind.load(item, f"{at}[{index}]") for index, (kind, item) in enumerate(zip(self._items, value)))

    def dump(self, value: Any) -> list[Any]:
        return [kind.dump(item) for kind, item in zip(self._items, value)]


class Entries(Kind):
    """`dict[str, T]`."""

    def __init__(self, value: Kind) -> None:
        self._value = value

    def schema(self, writing: Writing) -> dict[str, Any]:
        value = self._value.schema(writing)
        return {"type": "object"} | ({"additionalProperties": value} if value else {})

    def load(self, value: Any, at: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise wrong(at, "an object", value)
        return {key: self._value.load(item, f"{at}.{key}") for key, item in value.items()}

    def dump(self, value: Any) -> dict[str, Any]:
        return {key: self._value.dump(item) for key, item in value.items()}


class Property:
    """One field of an object, one parameter of a function."""

    __slots__ = ("default", "description", "json_name", "kind", "name", "required", "written")

    def __init__(
        self,
        name: str,
        kind: Kind,
        *,
        required: bool,
        default: Any = None,
        description: str | None = None,
        written: bool = True,
    ) -> None:
        self.name = name
        # A name that is a word of Python has an underscore behind it: `from_`, `class_`.
        self.json_name = name[:-1] if name.endswith("_") and not name.endswith("__") else name
        self.kind = kind
        self.required = required
        self.default = default
        self.description = description
        # Whether a value always has it, although it need not be given.
        self.written = written

    def schema(self, writing: Writing) -> dict[str, Any]:
        """Its JSON Schema, with what is said of it here."""
        schema = dict(self.kind.schema(writing))
        if self.description and not self.kind.described():
            schema["description"] = self.description
        if not writing.output and not self.required and self.default is not None:
            schema["default"] = self.kind.dump(self.default)
        return schema


class Object(Kind):
    """A dataclass, a `TypedDict`, a `NamedTuple`, or the parameters of a function."""

    def __init__(
        self,
        name: str,
        make: Callable[[dict[str, Any]], Any] | None,
        take: Callable[[Any, str], Any],
        description: str | None = None,
    ) -> None:
        """`make` makes the value of what its properties are; none if that is the value."""
        self.name = name
        self.properties: list[Property] = []
        self._known: dict[str, Property] = {}
        self._make = make
        self._take = take
        self._description = description

    def fill(self, properties: list[Property]) -> Object:
        """Sets its properties; they may refer to the object itself."""
        self.properties = properties
        self._known = {prop.json_name: prop for prop in properties}
        return self

    def schema(self, writing: Writing) -> dict[str, Any]:
        if self in writing.open:
            writing.referred.add(id(self))
            return {"$ref": f"#/$defs/{self.name}"}
        writing.open.append(self)
        schema: dict[str, Any] = {"type": "object"}
        if self._description:
            schema["description"] = self._description
        schema["properties"] = {prop.json_name: prop.schema(writing) for prop in self.properties}
        required = [prop.json_name for prop in self.properties if prop.required or (writing.output and prop.written)]
        if required:
            schema["required"] = required
        if not writing.output:
            schema["additionalProperties"] = False
        writing.open.pop()
        if id(self) in writing.referred:
            writing.defs[self.name] = schema
            return {"$ref": f"#/$defs/{self.name}"}
        return schema

    def load(self, value: Any, at: str) -> Any:
        if not isinstance(value, dict):
            raise wrong(at or "arguments", "an object", value)
        inside = f"{at}." if at else ""
        loaded = {}
        for prop in self.properties:
            if prop.json_name in value:
                loaded[prop.name] = prop.kind.load(value[prop.json_name], inside + prop.json_name)
            elif prop.required:
                raise InvalidArguments(f"`{inside}{prop.json_name}` is missing")
        if len(loaded) < len(value):
            unknown = next(name for name in value if name not in self._known)
            known = ", ".join(self._known) or "nothing"
            raise InvalidArguments(f"there is no `{inside}{unknown}`; what can be said is: {known}")
        return self._make(loaded) if self._make else loaded

    def dump(self, value: Any) -> dict[str, Any]:
        dumped = {}
        for prop in self.properties:
            item = self._take(value, prop.name)
            if item is not MISSING:
                dumped[prop.json_name] = prop.kind.dump(item)
        return dumped


MISSING = object()


def schema(kind: Kind, *, output: bool = False) -> dict[str, Any]:
    """The whole JSON Schema of a type: what is taken for it, or what is written of it (`output`).

    What is taken has no properties but its own, as a call of a Python function has no parameters but its own. What is written
    may have more later.
    """
    writing = Writing(output=output)
    written = kind.schema(writing)
    if not writing.defs:
        return written
    if list(written) == ["$ref"] and isinstance(kind, Object):
        written = writing.defs[kind.name]
    return {**written, "$defs": writing.defs}


def default(value: Any) -> Any:
    """What `json.dumps` makes of values it does not know, where no type hint says it."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if isinstance(value, (bytes, bytearray)):
        return BYTES.dump(value)
    if hasattr(value, "_value_"):
        return value.value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON; return a dataclass, a dict, a list or text")


_scan = json.JSONDecoder().scan_once


def read(text: str) -> Any:
    """The value of the text of a JSON object that the host has read before. Faster than `json.loads`, which looks for blanks at its
    ends each time.
    """
    try:
        return _scan(text, 0)[0]
    except StopIteration:
        return json.loads(text)


def dumps(value: Any) -> str:
    """The text of a JSON value."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=default)
