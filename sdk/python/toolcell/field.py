"""What a type hint alone cannot say about a value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """Description and bounds of a parameter or a field, for `Annotated[int, Field("How many.", ge=1, le=10)]`.

    Where only the description is to be said, a text does: `Annotated[int, "How many."]`.
    """

    description: str | None = None
    """What it means, for the model."""
    title: str | None = None
    """Name for people."""
    ge: float | None = None
    """It is at least this."""
    gt: float | None = None
    """It is more than this."""
    le: float | None = None
    """It is at most this."""
    lt: float | None = None
    """It is less than this."""
    multiple_of: float | None = None
    """It is a multiple of this."""
    min_length: int | None = None
    """So many characters, items or entries at least."""
    max_length: int | None = None
    """So many characters, items or entries at most."""
    pattern: str | None = None
    """A regular expression that is found in it. Use what Python and ECMAScript have in common."""
    format: str | None = None
    """A format of JSON Schema: `email`, `uri`, `date`."""
    examples: Sequence[Any] = ()
    """Values as they could be."""
    extra: Mapping[str, Any] | None = None
    """Further keywords of JSON Schema, as they are."""

    def keywords(self, base: Any) -> dict[str, Any]:
        """The JSON Schema keywords; `base` is the `type` of the value."""
        types = base if isinstance(base, list) else [base]
        unit = "Items" if "array" in types else "Properties" if "object" in types else "Length"
        named = {
            "title": self.title,
            "description": self.description,
            "minimum": self.ge,
            "exclusiveMinimum": self.gt,
            "maximum": self.le,
            "exclusiveMaximum": self.lt,
            "multipleOf": self.multiple_of,
            f"min{unit}": self.min_length,
            f"max{unit}": self.max_length,
            "pattern": self.pattern,
            "format": self.format,
            "examples": list(self.examples) or None,
        }
        return {name: value for name, value in named.items() if value is not None} | dict(self.extra or {})

    @property
    def bounds(self) -> bool:
        """Whether there is anything to check."""
        checked = (self.ge, self.gt, self.le, self.lt, self.multiple_of, self.min_length, self.max_length, self.pattern)
        return any(bound is not None for bound in checked)

    def wrong(self, value: Any) -> str | None:
        """What a value should be instead; none if it is within the bounds."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if self.ge is not None and value < self.ge:
                return f"at least {self.ge}"
            if self.gt is not None and value <= self.gt:
                return f"more than {self.gt}"
            if self.le is not None and value > self.le:
                return f"at most {self.le}"
            if self.lt is not None and value >= self.lt:
                return f"less than {self.lt}"
            if self.multiple_of is not None and value % self.multiple_of:
                return f"a multiple of {self.multiple_of}"
        elif isinstance(value, (str, list, dict)):
            unit = "characters" if isinstance(value, str) else "items"
            if self.min_length is not None and len(value) < self.min_length:
                return f"at least {self.min_length} {unit} long"
            if self.max_length is not None and len(value) > self.max_length:
                return f"at most {self.max_length} {unit} long"
            if self.pattern is not None and isinstance(value, str) and not re.search(self.pattern, value):
                return f"text that matches {self.pattern}"
        return None
