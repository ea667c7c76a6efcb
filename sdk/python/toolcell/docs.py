"""Docstrings: what a function is for, and what its parameters mean (Google style)."""

from __future__ import annotations

import inspect
import re

_SECTION = re.compile(r"(Args|Arguments|Parameters|Attributes|Returns|Return|Raises|Yields|Example|Examples|Note|Notes):\s*$")
_NAMED = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_PARAMETERS = ("Args", "Arguments", "Parameters", "Attributes")
_FOR_MODELS = ("Example", "Examples", "Note", "Notes")


def read(doc: str | None) -> tuple[str | None, dict[str, str]]:
    """The description in a docstring and the descriptions of parameters.

    Examples and notes stay in the description; what is said about the result and about exceptions is for readers of the
    source.
    """
    if not doc:
        return None, {}
    kept: list[str] = []
    named: dict[str, list[str]] = {}
    section, name, depth = None, None, 0
    for line in inspect.cleandoc(doc).splitlines():
        indent = len(line) - len(line.lstrip())
        heading = _SECTION.match(line) if indent == 0 else None
        if heading:
            section, name = heading[1], None
            if section in _FOR_MODELS:
                kept.append(line)
        elif indent == 0 and line and section is not None:
            section = None
            kept.append(line)
        elif section is None or section in _FOR_MODELS:
            kept.append(line)
        elif section in _PARAMETERS and line:
            found = _NAMED.match(line.strip())
            if found and (name is None or indent <= depth):
                name, depth = found[1], indent
                named[name] = [found[2]]
            elif name is not None:
                named[name].append(line.strip())
    description = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return description or None, {name: " ".join(lines).strip() for name, lines in named.items()}
