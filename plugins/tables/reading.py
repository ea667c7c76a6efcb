"""Tables from files and texts: CSV, TSV, JSON and JSON Lines, row by row where the format allows it."""

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TextIO

from toolcell import ToolError

Format = Literal["auto", "csv", "tsv", "json", "jsonl"]
Row = dict[str, Any]

FOLDER = "/data"

MOST_JSON = 16 << 20
"""A JSON document is read whole, so its size is bounded; the other formats are read line by line."""

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?\Z")
_ENDINGS: dict[str, Format] = {".csv": "csv", ".tsv": "tsv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_DELIMITERS = ",;\t|"

csv.field_size_limit(1 << 20)


@dataclass
class Table:
    """A table that is read as its rows are asked for."""

    columns: list[str]
    rows: Iterator[Row]


def read(file: str | None, text: str | None, format: Format) -> Table:
    """The table in a file or in a text.

    Raises:
        ToolError: There is none, or not exactly one was named.
    """
    if (file is None) == (text is None):
        raise ToolError("name a file or give a text: one of the two")
    if text is not None:
        return _table(io.StringIO(text, newline=""), _guess(text) if format == "auto" else format)
    ending = os.path.splitext(file)[1].lower()
    if format == "auto" and ending not in _ENDINGS and ending not in ("", ".txt"):
        raise ToolError(f"{file}: what format is {ending}? say it in `format`: csv, tsv, json or jsonl")
    stream = _open(file)
    if format == "auto":
        start = stream.read(4096)
        stream.seek(0)
        format = _ENDINGS.get(ending) or _guess(start)
    return _table(stream, format)


def files() -> list[tuple[str, int]]:
    """The files there are, with their sizes."""
    found = []
    for folder, folders, names in os.walk(FOLDER, onerror=_no_folder):
        folders.sort()
        for name in sorted(names):
            if os.path.splitext(name)[1].lower() in _ENDINGS:
                path = os.path.join(folder, name)
                found.append((os.path.relpath(path, FOLDER), os.path.getsize(path)))
    return found


def typed(text: str) -> Any:
    """A cell as the value it shows: a number, true or false, nothing, or else the text.

    What would not come back the same, such as 007 or 1e999, stays text.
    """
    if text == "":
        return None
    if _NUMBER.match(text):
        number = float(text) if any(sign in text for sign in ".eE") else int(text)
        return number if number not in (float("inf"), float("-inf")) else text
    return {"true": True, "false": False}.get(text, text)


def _open(file: str) -> TextIO:
    path = os.path.normpath(os.path.join(FOLDER, file))
    try:
        return open(path, encoding="utf-8-sig", errors="replace", newline="")
    except OSError as error:
        if not os.path.isdir(FOLDER):
            _no_folder(error)
        raise ToolError(f"{file} cannot be read ({error.strerror}); list_files says what there is") from None


def _no_folder(error: OSError) -> None:
    raise ToolError(
        f"no files can be read: the operator has to grant a directory as {FOLDER}, with "
        f'`dirs = [{{ host = "…", guest = "{FOLDER}", access = "read-only" }}]`; a table can also be given in `text`'
    ) from error


def _guess(start: str) -> Format:
    head = start.lstrip()[:1]
    if head == "[":
        return "json"
    if head == "{":
        # One object a line, or one object over all lines.
        first = start.strip().split("\n", 1)[0].strip()
        return "jsonl" if first.endswith("}") and "\n" in start.strip() else "json"
    return "csv"


def _table(stream: TextIO, format: Format) -> Table:
    if format == "json":
        return _json(stream)
    if format == "jsonl":
        return _of_objects(_lines(stream))
    return _csv(stream, "\t" if format == "tsv" else None)


def _csv(stream: TextIO, delimiter: str | None) -> Table:
    if delimiter is None:
        first = stream.readline()
        stream.seek(0)
        delimiter = max(_DELIMITERS, key=lambda candidate: (first.count(candidate), -_DELIMITERS.index(candidate)))
    reader = csv.reader(stream, delimiter=delimiter)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise ToolError(f"line {reader.line_num} is no CSV: {error}") from None
    if not header:
        raise ToolError("the table is empty: its first line has to name the columns")
    columns = _unique(header)

    def rows() -> Iterator[Row]:
        with stream:
            try:
                for cells in reader:
                    if cells:
                        yield dict(zip(columns, map(typed, cells + [""] * (len(columns) - len(cells)))))
            except csv.Error as error:
                raise ToolError(f"line {reader.line_num} is no CSV: {error}") from None

    return Table(columns, rows())


def _unique(header: list[str]) -> list[str]:
    """Names for the columns: none is empty, and none stands twice."""
    names: list[str] = []
    for number, name in enumerate(header, 1):
        name = name.strip() or f"column_{number}"
        taken, base = 2, name
        while name in names:
            name, taken = f"{base}_{taken}", taken + 1
        names.append(name)
    return names


def _json(stream: TextIO) -> Table:
    with stream:
        text = stream.read(MOST_JSON + 1)
    if len(text) > MOST_JSON:
        raise ToolError(f"a JSON document may be {MOST_JSON >> 20} MiB; JSON Lines and CSV may be longer")
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ToolError(f"this is no JSON: {error}") from None
    if isinstance(value, dict):
        lists = [item for item in value.values() if isinstance(item, list)]
        value = lists[0] if len(lists) == 1 else [value]
    if not isinstance(value, list):
        raise ToolError("this JSON is no table; a table is an array of objects")
    return _of_objects(value)


def _lines(stream: TextIO) -> Iterator[Any]:
    with stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise ToolError(f"line {number} is no JSON: {error}") from None


def _of_objects(values: Iterable[Any]) -> Table:
    """A table of objects. Its columns are those of the first rows; what only later rows have is left out."""
    iterator = iter(values)
    first = [value if isinstance(value, dict) else {"value": value} for _, value in zip(range(100), iterator)]
    if not first:
        raise ToolError("the table is empty")
    columns = list(dict.fromkeys(name for row in first for name in row))

    def rows() -> Iterator[Row]:
        yield from first
        for value in iterator:
            yield value if isinstance(value, dict) else {"value": value}

    return Table(columns, rows())
