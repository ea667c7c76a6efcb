import datetime
import enum
import json
import unittest
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypedDict, Union

from toolcell import Field, InvalidArguments, Plugin, ToolResult
from toolcell import hints, kinds


def schema(hint: Any, *, output: bool = False) -> dict[str, Any]:
    return kinds.schema(hints.kind(hint), output=output)


class Color(enum.Enum):
    """What it is painted in."""

    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Node:
    """A node.

    Attributes:
        name: What it is called.
    """

    name: str
    children: "list[Node]" = field(default_factory=list)


@dataclass
class Tree:
    root: Node


class Point(NamedTuple):
    x: float
    y: float = 0.0


class Movie(TypedDict):
    title: str
    year: int


class Partial(TypedDict, total=False):
    note: str


UserId = NewType("UserId", int)


@dataclass
class Circle:
    radius: float
    kind: Literal["circle"] = "circle"


@dataclass
class Square:
    side: float
    kind: Literal["square"] = "square"


class Schemas(unittest.TestCase):
    def test_types_have_a_schema(self) -> None:
        cases: list[tuple[Any, dict[str, Any]]] = [
            (str, {"type": "string"}),
            (int, {"type": "integer"}),
            (float, {"type": "number"}),
            (bool, {"type": "boolean"}),
            (None, {"type": "null"}),
            (Any, {}),
            (bytes, {"type": "string", "contentEncoding": "base64"}),
            (datetime.datetime, {"type": "string", "format": "date-time"}),
            (datetime.date, {"type": "string", "format": "date"}),
            (Optional[str], {"type": ["string", "null"]}),
            (Union[int, str], {"type": ["integer", "string"]}),
            (int | None, {"type": ["integer", "null"]}),
            (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
            (Literal["a", 1], {"type": ["string", "integer"], "enum": ["a", 1]}),
            (Optional[Literal["a"]], {"type": ["string", "null"], "enum": ["a", None]}),
            (Color, {"type": "string", "enum": ["red", "blue"], "description": "What it is painted in."}),
            (Level, {"type": "integer", "enum": [1, 2]}),
            (list, {"type": "array"}),
            (list[int], {"type": "array", "items": {"type": "integer"}}),
            (set[str], {"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
            (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
            (
                tuple[int, str],
                {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2},
            ),
            (dict, {"type": "object"}),
            (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
            (UserId, {"type": "integer"}),
            (Annotated[str, "A name."], {"type": "string", "description": "A name."}),
            (
                Annotated[int, Field("How many.", ge=1, lt=10, multiple_of=2)],
                {"type": "integer", "description": "How many.", "minimum": 1, "exclusiveMaximum": 10, "multipleOf": 2},
            ),
            (
                Annotated[str, Field(min_length=1, pattern="^[a-z]+$", examples=["abc"])],
                {"type": "string", "minLength": 1, "pattern": "^[a-z]+$", "examples": ["abc"]},
            ),
            (Annotated[list[str], Field(max_length=3)], {"type": "array", "items": {"type": "string"}, "maxItems": 3}),
        ]
        for hint, expected in cases:
            self.assertEqual(schema(hint), expected, hint)

    def test_objects_are_written_where_they_are_used(self) -> None:
        self.assertEqual(
            schema(Point),
            {
                "type": "object",
                "properties": {"x": {"type": "number"}, "y": {"type": "number", "default": 0.0}},
                "required": ["x"],
                "additionalProperties": False,
            },
        )
        self.assertEqual(schema(Movie)["required"], ["title", "year"])
        self.assertNotIn("required", schema(Partial))
        self.assertEqual([one["properties"]["kind"]["enum"] for one in schema(Circle | Square)["anyOf"]], [["circle"], ["square"]])

    def test_only_a_type_that_holds_itself_is_referred_to(self) -> None:
        tree = schema(Tree)
        self.assertEqual(tree["properties"]["root"], {"$ref": "#/$defs/Node"})
        node = tree["$defs"]["Node"]
        self.assertEqual(node["properties"]["children"]["items"], {"$ref": "#/$defs/Node"})
        self.assertEqual(node["properties"]["name"]["description"], "What it is called.")
        self.assertEqual(schema(Node)["type"], "object")

    def test_what_is_written_has_every_field(self) -> None:
        written = schema(Point, output=True)
        self.assertEqual(written["required"], ["x", "y"])
        self.assertNotIn("default", written["properties"]["y"])
        self.assertNotIn("additionalProperties", written)
        self.assertNotIn("required", schema(Partial, output=True))

    def test_what_json_has_nothing_for_is_refused_with_a_remedy(self) -> None:
        for hint, expected in ((complex, "dataclass"), (dict[int, str], "dict[str, …]"), (type("X", (), {}), "dataclass")):
            with self.assertRaises(TypeError) as refused:
                hints.kind(hint)
            self.assertIn(expected, str(refused.exception))


class Values(unittest.TestCase):
    def test_values_come_in_and_go_out(self) -> None:
        moment = datetime.datetime(2026, 7, 28, 12, tzinfo=datetime.timezone.utc)
        cases: list[tuple[Any, Any, Any]] = [
            (int, 3.0, 3),
            (float, 1, 1.0),
            (Color, "red", Color.RED),
            (Level, 2, Level.HIGH),
            (set[int], [1, 2], {1, 2}),
            (tuple[int, str], [1, "a"], (1, "a")),
            (Point, {"x": 1.0, "y": 2.0}, Point(1.0, 2.0)),
            (Movie, {"title": "M", "year": 1931}, {"title": "M", "year": 1931}),
            (Circle | Square, {"side": 2.0, "kind": "square"}, Square(2.0)),
            (Optional[Color], None, None),
            (bytes, "aGk=", b"hi"),
            (datetime.datetime, "2026-07-28T12:00:00Z", moment),
            (Tree, {"root": {"name": "a", "children": [{"name": "b", "children": []}]}}, Tree(Node("a", [Node("b")]))),
        ]
        for hint, wire, value in cases:
            kind = hints.kind(hint)
            loaded = kind.load(wire, "value")
            self.assertEqual(loaded, value)
            self.assertIs(type(loaded), type(value))
            self.assertEqual(kind.load(json.loads(kinds.dumps(kind.dump(loaded))), "value"), value)

    def test_errors_name_the_place_and_what_is_right(self) -> None:
        cases: list[tuple[Any, Any, str]] = [
            (str, 1, "`value` must be text, not 1"),
            (int, True, "`value` must be an integer, not true"),
            (int, 1.5, "an integer"),
            (int, 1e400, "an integer"),
            (list[int], [1, "x"], '`value[1]` must be an integer, not "x"'),
            (Color, "green", '`value` must be one of "red", "blue"'),
            (Literal[1], True, "one of 1"),
            (Tree, {"root": {}}, "`value.root.name` is missing"),
            (Movie, {"title": "M", "year": 1, "stars": 5}, "there is no `value.stars`; what can be said is: title, year"),
            (tuple[int, str], [1], "a list of 2"),
            (bytes, "?", "base64"),
            (datetime.date, "tomorrow", "such as 2026-07-28"),
            (Union[int, None], "x", "an integer"),
            (Annotated[int, Field(ge=1, le=5)], 9, "`value` must be at most 5, not 9"),
            (Annotated[str, Field(min_length=1)], "", "at least 1 characters long"),
            (Annotated[str, Field(pattern="^a")], "b", "text that matches ^a"),
        ]
        for hint, wire, expected in cases:
            with self.assertRaises(InvalidArguments) as refused:
                hints.kind(hint).load(wire, "value")
            self.assertIn(expected, str(refused.exception))

    def test_prompts_and_uris_have_only_text(self) -> None:
        cases = [(int, "3", 3), (bool, "true", True), (str, "3", "3"), (Color, "red", Color.RED), (list[int], "[1]", [1])]
        for hint, text, value in cases:
            self.assertEqual(hints.kind(hint).parse(text, "value"), value)


class Functions(unittest.TestCase):
    def test_parameters_and_docstring_make_a_tool(self) -> None:
        plugin = Plugin()

        @plugin.tool
        def import_(from_: str, count: int = 2, note: Optional[str] = None) -> Movie:
            """Imports things.

            All of them.

            Args:
                from_: Where they are,
                    as a URL.
                count (int): How many.

            Returns:
                Nothing the model should read here.
            """
            return {"title": from_, "year": count}

        tool = plugin.tools["import"]
        self.assertEqual(tool.description, "Imports things.\n\nAll of them.")
        self.assertEqual(
            json.loads(tool.input_schema),
            {
                "type": "object",
                "properties": {
                    "from": {"type": "string", "description": "Where they are, as a URL."},
                    "count": {"type": "integer", "description": "How many.", "default": 2},
                    "note": {"type": ["string", "null"]},
                },
                "required": ["from"],
                "additionalProperties": False,
            },
        )
        self.assertEqual(json.loads(tool.output_schema or "")["required"], ["title", "year"])

    def test_what_a_function_returns_may_promise_a_schema(self) -> None:
        plugin = Plugin()
        cases: list[tuple[Any, bool]] = [
            (str, False),
            (None, False),
            (ToolResult, False),
            (Optional[str], False),
            (ToolResult[Movie], True),
            (Movie, True),
            (list[int], True),
            (int, True),
            (dict, True),
        ]
        for number, (returned, promised) in enumerate(cases):

            def function() -> Any: ...

            function.__annotations__["return"] = returned
            plugin.tool(name=f"t{number}")(function)
            self.assertEqual(plugin.tools[f"t{number}"].output_schema is not None, promised, returned)

    def test_functions_that_cannot_be_tools_are_refused(self) -> None:
        plugin = Plugin()

        async def later(x: int) -> int:
            return x

        def untyped(x):  # type: ignore[no-untyped-def]
            return x

        def starred(*x: int) -> None: ...

        def misdescribed(x: int) -> None:
            """Does.

            Args:
                y: Nothing.
            """

        cases = [(later, "drop `async`"), (untyped, "`x: str`"), (starred, "drop the *"), (misdescribed, "describes `y`")]
        for function, expected in cases:
            with self.assertRaises(TypeError) as refused:
                plugin.tool(function)
            self.assertIn(expected, str(refused.exception))
        plugin.tool(name="one")(lambda: None)
        with self.assertRaises(ValueError):
            plugin.tool(name="one")(Functions.test_functions_that_cannot_be_tools_are_refused.__get__(self))


if __name__ == "__main__":
    unittest.main()
