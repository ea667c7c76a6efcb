"""URI templates (RFC 6570, levels 1 to 3), read backwards: from a URI to the variables it was made of."""

from __future__ import annotations

import re

_EXPRESSION = re.compile(r"\{([+#./;?&]?)([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")

# What an expression begins with, stands between its values, and may hold, by operator.
_SHAPES = {
    "": ("", ",", r"[^/?#,;]*"),
    "+": ("", ",", r"[^,]*"),
    "#": ("#", ",", r"[^,]*"),
    ".": (".", ".", r"[^/?#;.]*"),
    "/": ("/", "/", r"[^/?#;]*"),
}


class Template:
    """A URI template."""

    def __init__(self, text: str) -> None:
        """Reads it.

        Raises:
            ValueError: It is none; the text says why.
        """
        self.text = text
        self.names: list[str] = []
        self.optional: set[str] = set()
        self._pairs: dict[str, tuple[str, list[str]]] = {}
        pattern, end = "", 0
        for expression in _EXPRESSION.finditer(text):
            pattern += re.escape(text[end : expression.start()]) + self._expression(expression[1], expression[2])
            end = expression.end()
        rest = text[end:]
        literal = _EXPRESSION.sub("", text)
        if "{" in literal or "}" in literal or not self.names:
            raise ValueError(f"{text!r} is no URI template: write its variables as {{name}}")
        self._regex = re.compile(pattern + re.escape(rest) + r"\Z", re.DOTALL)

    def _expression(self, operator: str, inside: str) -> str:
        names = inside.split(",")
        for name in names:
            if not _NAME.match(name) or name in self.names:
                raise ValueError(f"{self.text!r} is no URI template: {name!r} cannot be the name of a variable here")
            self.names.append(name)
        if operator in "?&;" and operator:
            self.optional.update(names)
            group = f"pairs{len(self._pairs)}"
            self._pairs[group] = (";" if operator == ";" else "&", names)
            stop = r"[^/?#]*" if operator == ";" else r"[^#]*"
            return rf"(?:{re.escape(operator)}(?P<{group}>{stop}))?"
        first, between, allowed = _SHAPES[operator]
        if operator in ("+", "#") and len(names) == 1:
            allowed = r".*"
        values = re.escape(between).join(f"(?P<{name}>{allowed})" for name in names)
        if not first:
            return values
        self.optional.update(names)
        return f"(?:{re.escape(first)}{values})?"

    def variables(self, uri: str) -> dict[str, str] | None:
        """The variables of `uri`, decoded; none if the template does not lead to it."""
        found = self._regex.match(uri)
        if found is None:
            return None
        values: dict[str, str] = {}
        for name, value in found.groupdict().items():
            if value is None:
                continue
            if name not in self._pairs:
                values[name] = decode(value)
                continue
            separator, names = self._pairs[name]
            for pair in filter(None, value.split(separator)):
                key, _, said = pair.partition("=")
                if key not in names:
                    return None
                values[key] = decode(said)
        return values


def decode(text: str) -> str:
    """Percent-encoded text as it is meant (RFC 3986, section 2.1)."""
    if "%" not in text:
        return text
    raw = _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), text.encode())
    return raw.decode(errors="replace")
