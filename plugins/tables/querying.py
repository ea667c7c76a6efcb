"""Questions about a table: conditions, groups, order, and a description of its columns."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from reading import Row, Table
from toolcell import ToolError

MOST_DISTINCT = 10_000
"""More different values of one column than these are not counted, so that memory stays bounded."""

Scalar = str | float | bool | None


@dataclass
class Condition:
    """What a row must be like."""

    column: str
    op: Literal["=", "!=", "<", "<=", ">", ">=", "contains", "starts_with", "in", "is_empty", "not_empty"]
    value: Annotated[Scalar | list[Scalar], "What to compare with; a list for `in`, nothing for `is_empty`."] = None


@dataclass
class Aggregate:
    """One number about each group."""

    function: Literal["count", "sum", "mean", "min", "max", "distinct"]
    column: Annotated[str | None, "Of which column; none counts rows."] = None
    name: Annotated[str | None, "What the result is called; default is `function_column`."] = None

    @property
    def title(self) -> str:
        """What the result is called."""
        return self.name or (f"{self.function}_{self.column}" if self.column else self.function)


@dataclass
class Order:
    """By what the result is ordered."""

    column: str
    descending: bool = False


def check(columns: Iterable[str], named: Iterable[str]) -> None:
    """Whether these columns exist.

    Raises:
        ToolError: One does not; the text names those that do.
    """
    known = list(columns)
    for name in named:
        if name not in known:
            raise ToolError(f"there is no column {name}; there are: {', '.join(known)}")


def filtered(table: Table, conditions: Iterable[Condition]) -> Iterator[Row]:
    """The rows for which every condition holds."""
    conditions = list(conditions)
    check(table.columns, (condition.column for condition in conditions))
    tests = [(condition.column, _test(condition)) for condition in conditions]
    return (row for row in table.rows if all(test(row.get(column)) for column, test in tests))


def ordered(rows: Iterable[Row], order: list[Order], most: int) -> list[Row]:
    """The first rows in this order; without one, the first as they come."""
    if not order:
        return [row for _, row in zip(range(most), rows)]
    return heapq.nsmallest(most, rows, key=lambda row: tuple(_Place(row.get(by.column), by.descending) for by in order))


def grouped(rows: Iterable[Row], by: list[str], aggregates: list[Aggregate]) -> list[Row]:
    """One row for each group, in the order in which groups appear."""
    groups: dict[tuple[Any, ...], list[_Sum]] = {}
    for row in rows:
        key = tuple(_hashable(row.get(column)) for column in by)
        sums = groups.get(key)
        if sums is None:
            if len(groups) >= MOST_DISTINCT:
                raise ToolError(f"there are more than {MOST_DISTINCT} groups; group by fewer columns, or filter first")
            sums = groups[key] = [_Sum(one.function) for one in aggregates]
        for aggregate, total in zip(aggregates, sums):
            total.add(row.get(aggregate.column) if aggregate.column else True)
    if not groups and not by:
        groups[()] = [_Sum(one.function) for one in aggregates]
    return [
        dict(zip(by, key)) | {one.title: total.result(one.function) for one, total in zip(aggregates, sums)}
        for key, sums in groups.items()
    ]


@dataclass
class Column:
    """What one column holds."""

    name: str
    type: Literal["number", "text", "boolean", "mixed", "empty"]
    empty: Annotated[int, "Rows without a value."]
    distinct: Annotated[int, "Different values; 10000 means that many or more."]
    minimum: str | float | None = None
    maximum: str | float | None = None
    mean: float | None = None
    examples: list[Scalar] = field(default_factory=list)


def described(table: Table) -> tuple[int, list[Column]]:
    """How many rows there are, and what each column holds."""
    sums = {name: _Sum() for name in table.columns}
    count = 0
    for row in table.rows:
        count += 1
        for name, total in sums.items():
            total.add(row.get(name))
    return count, [total.column(name, count) for name, total in sums.items()]


class _Sum:
    """What is known of the values of a column so far."""

    def __init__(self, function: str | None = None) -> None:
        """All of it, or only what one function needs: a large table has many values."""
        self.compares = function in (None, "min", "max")
        self.collects = function in (None, "distinct")
        self.filled = 0
        self.numbers = 0
        self.total = 0.0
        self.least: Any = None
        self.most: Any = None
        self.distinct: dict[Any, None] = {}
        self.types: set[str] = set()

    def add(self, value: Any) -> None:
        if value is None:
            return
        self.filled += 1
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            self.numbers += 1
            self.total += value
        if self.compares:
            value = _hashable(value)
            self.types.add(_type(value))
            if self.least is None or _Place(value) < _Place(self.least):
                self.least = value
            if self.most is None or _Place(self.most) < _Place(value):
                self.most = value
        if self.collects and len(self.distinct) < MOST_DISTINCT:
            self.distinct[_hashable(value)] = None

    def result(self, function: str) -> Any:
        results = {
            "count": self.filled,
            "sum": _plain(self.total),
            "mean": self.total / self.numbers if self.numbers else None,
            "min": self.least,
            "max": self.most,
            "distinct": len(self.distinct),
        }
        return results[function]

    def column(self, name: str, rows: int) -> Column:
        types = self.types
        kind: Any = "empty" if not types else types.copy().pop() if len(types) == 1 else "mixed"
        comparable = kind in ("number", "text")
        return Column(
            name=name,
            type=kind,
            empty=rows - self.filled,
            distinct=len(self.distinct),
            minimum=self.least if comparable else None,
            maximum=self.most if comparable else None,
            mean=self.total / self.numbers if kind == "number" else None,
            examples=[value for _, value in zip(range(3), self.distinct)],
        )


class _Place:
    """A value's place in an order of all values: numbers, then text, then true and false, and what is empty last."""

    __slots__ = ("descending", "rank", "value")

    def __init__(self, value: Any, descending: bool = False) -> None:
        self.value = _hashable(value)
        self.rank = {"number": 0, "text": 1, "boolean": 2, "empty": 3}[_type(self.value)]
        self.descending = descending

    def __lt__(self, other: "_Place") -> bool:
        if self.rank != other.rank:
            # Empty is last in both directions.
            return (self.rank < other.rank) != (self.descending and 3 not in (self.rank, other.rank))
        if self.value is None or self.value == other.value:
            return False
        return (self.value < other.value) != self.descending

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Place) and (self.rank, self.value) == (other.rank, other.value)


def _type(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, (int, float)) else "text"


def _hashable(value: Any) -> Any:
    """A value that can be compared: what JSON nests counts as text."""
    return str(value) if isinstance(value, (list, dict)) else value


def _plain(number: float) -> float:
    return int(number) if number.is_integer() and abs(number) < 1 << 53 else number


def _test(condition: Condition) -> Callable[[Any], bool]:
    op, wanted = condition.op, condition.value
    if op in ("is_empty", "not_empty"):
        return lambda value: (value is None) == (op == "is_empty")
    if op == "in":
        if not isinstance(wanted, list):
            raise ToolError("`in` needs a list as its value")
        equal = [_equal(item) for item in wanted]
        return lambda value: any(test(value) for test in equal)
    if isinstance(wanted, list):
        raise ToolError(f"`{op}` needs one value, not a list")
    if op in ("=", "!="):
        test = _equal(wanted)
        return test if op == "=" else lambda value: not test(value)
    if wanted is None:
        raise ToolError(f"`{op}` needs a value")
    if op in ("contains", "starts_with"):
        part = str(wanted).lower()
        if op == "contains":
            return lambda value: value is not None and part in str(value).lower()
        return lambda value: value is not None and str(value).lower().startswith(part)
    return _compared(op, wanted)


def _equal(wanted: Any) -> Callable[[Any], bool]:
    # A number may be asked for as text, and text that looks like a number as a number.
    return lambda value: value == wanted or (value is not None and wanted is not None and _said(value) == _said(wanted))


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(_plain(float(value))) if isinstance(value, (int, float)) else str(value)


def _compared(op: str, wanted: Any) -> Callable[[Any], bool]:
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
    test = tests[op]
    if isinstance(wanted, str):
        try:
            number = float(wanted)
        except ValueError:
            return lambda value: isinstance(value, str) and test(value, wanted)
        return lambda value: test(value, number) if _type(value) == "number" else isinstance(value, str) and test(value, wanted)
    return lambda value: _type(value) == "number" and test(value, wanted)
