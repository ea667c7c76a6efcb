"""Tables: what is in them, answers from them, and the same in another format."""

from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any

import querying
import reading
import writing
from querying import Aggregate, Column, Condition, Order
from reading import Format
from toolcell import Field, ToolError, ToolResult, tool
from writing import Output

File = Annotated[str | None, "A file in the granted directory, as `list_files` names it."]
Text = Annotated[str | None, Field("The table itself, instead of a file.", max_length=4 << 20)]
Read = Annotated[Format, "The table's format; `auto` tells it from the file's ending or from the text."]

MOST_TEXT = 1 << 20
"""How long a result's text may be, in characters."""


@dataclass
class DataFile:
    """A file that can be asked about."""

    name: str
    bytes: int


@dataclass
class Files:
    """The files there are."""

    files: list[DataFile]


@dataclass
class Description:
    """What a table holds."""

    rows: int
    columns: list[Column]


@dataclass
class Answer:
    """A part of a table, or what was computed from it."""

    columns: list[str]
    rows: list[dict[str, Any]]
    more: Annotated[bool, "Whether there are rows behind these; ask for them with `offset`."]


@tool(title="List files", read_only=True, open_world=False)
def list_files() -> ToolResult[Files]:
    """Lists the tables that can be read: CSV, TSV, JSON and JSON Lines files in the granted directory."""
    found = reading.files()
    lines = [f"{name} ({size} bytes)" for name, size in found]
    return ToolResult(
        "\n".join(lines) or "There are no tables in the granted directory.",
        structured=Files([DataFile(name, size) for name, size in found]),
    )


@tool(title="Describe a table", read_only=True, open_world=False)
def describe_table(file: File = None, text: Text = None, format: Read = "auto") -> Description:
    """Says how many rows a table has, and of each column the type, range, mean, number of different values and some of them.

    Use it first: it tells which columns there are and how their values are written.
    """
    rows, columns = querying.described(reading.read(file, text, format))
    return Description(rows, columns)


@tool(title="Query a table", read_only=True, open_world=False)
def query_table(
    file: File = None,
    text: Text = None,
    format: Read = "auto",
    where: Annotated[list[Condition], "Only rows for which all of these hold."] = [],
    group_by: Annotated[list[str], "Columns whose equal values make a group; the result has one row for each."] = [],
    aggregate: Annotated[list[Aggregate], "What to compute of each group, or of all rows without `group_by`."] = [],
    select: Annotated[list[str], "Which columns to show, in this order; all if not said."] = [],
    order_by: Annotated[list[Order], "By which columns to order the result."] = [],
    limit: Annotated[int, Field("How many rows at most.", ge=1, le=1000)] = 50,
    offset: Annotated[int, Field("How many rows to leave out before the first.", ge=0, le=1_000_000)] = 0,
    output: Annotated[Output, "How the rows are written."] = "markdown",
) -> ToolResult[Answer]:
    """Filters, groups, orders and shows the rows of a table.

    Text compares case-sensitively with `=`, and without case in `contains` and `starts_with`.

    Example:
        {"file": "sales.csv", "where": [{"column": "year", "op": ">=", "value": 2024}], "group_by": ["region"],
        "aggregate": [{"function": "sum", "column": "amount"}], "order_by": [{"column": "sum_amount", "descending": true}]}
    """
    table = reading.read(file, text, format)
    rows, columns = querying.filtered(table, where), table.columns
    if group_by or aggregate:
        querying.check(columns, [*group_by, *(one.column for one in aggregate if one.column)])
        aggregates = aggregate or [Aggregate("count")]
        rows = iter(querying.grouped(rows, group_by, aggregates))
        columns = [*group_by, *(one.title for one in aggregates)]
    querying.check(columns, [*select, *(order.column for order in order_by)])
    found = querying.ordered(rows, order_by, offset + limit + 1)[offset:]
    shown, columns = found[:limit], select or columns
    answer = Answer(columns, [{name: row.get(name) for name in columns} for row in shown], len(found) > limit)
    said = bounded(writing.written(columns, shown, output))
    if answer.more:
        said += f"\n\nThere are more rows; the next ones begin at offset {offset + limit}."
    return ToolResult(said, structured=answer)


@tool(title="Convert a table", read_only=True, open_world=False)
def convert_table(
    to: Annotated[Output, "The format it shall have."],
    file: File = None,
    text: Text = None,
    format: Read = "auto",
    limit: Annotated[int, Field("How many rows at most.", ge=1, le=100_000)] = 10_000,
) -> str:
    """Writes a table in another format. Numbers, true and false of a CSV become those of JSON; empty cells become null."""
    table = reading.read(file, text, format)
    return bounded(writing.written(table.columns, islice(table.rows, limit), to))


def bounded(text: str) -> str:
    """The text, if it is not too long for a conversation."""
    if len(text) > MOST_TEXT:
        raise ToolError(f"the result would be {len(text)} characters long; ask for fewer rows with `limit`, or fewer columns")
    return text
