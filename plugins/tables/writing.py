"""Tables as text."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from typing import Any, Literal

from reading import Row

Output = Literal["markdown", "csv", "tsv", "json", "jsonl"]


def written(columns: list[str], rows: Iterable[Row], output: Output) -> str:
    """Rows in a format."""
    return _WRITERS[output](columns, rows)


def _csv(columns: list[str], rows: Iterable[Row], delimiter: str = ",") -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return stream.getvalue()


def _json(columns: list[str], rows: Iterable[Row]) -> str:
    return "[\n" + ",\n".join(_object(columns, row) for row in rows) + "\n]"


def _jsonl(columns: list[str], rows: Iterable[Row]) -> str:
    return "".join(_object(columns, row) + "\n" for row in rows)


def _object(columns: list[str], row: Row) -> str:
    return json.dumps({name: row.get(name) for name in columns}, ensure_ascii=False)


def _markdown(columns: list[str], rows: Iterable[Row]) -> str:
    lines = [_line(columns), _line(["---"] * len(columns))]
    lines.extend(_line([_cell(row.get(name)) for name in columns]) for row in rows)
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    shown = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(shown)} |"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (bool, list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


_WRITERS: dict[str, Callable[[list[str], Iterable[Row]], str]] = {
    "markdown": _markdown,
    "csv": _csv,
    "tsv": lambda columns, rows: _csv(columns, rows, "\t"),
    "json": _json,
    "jsonl": _jsonl,
}
