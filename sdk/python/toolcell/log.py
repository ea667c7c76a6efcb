"""Messages for the operator's log, and for the client where it asked for them.

What is printed goes to the operator's log too, and never to the client.
"""

from __future__ import annotations

from typing import Any, Literal

from . import _host, kinds

Level = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]

_wit = _host.interface("log")
_LEVELS: Any = {level.name.lower(): level for level in _wit.Level} if _wit else {}


def is_enabled(level: Level) -> bool:
    """Whether a message of this level reaches anyone."""
    return _wit.is_enabled(_LEVELS[level]) if _wit else True


def write(level: Level, data: Any, *, logger: str | None = None) -> None:
    """Writes one message.

    Args:
        level: How grave it is (RFC 5424).
        data: Text, or anything JSON can say.
        logger: The part of the plugin that speaks.
    """
    if _wit:
        _wit.write(_LEVELS[level], logger, kinds.dumps(data))
    else:
        _host.cell().logs.append((level, logger, data))


def debug(data: Any, *, logger: str | None = None) -> None:
    """Writes detail for whoever hunts a fault."""
    write("debug", data, logger=logger)


def info(data: Any, *, logger: str | None = None) -> None:
    """Writes an ordinary step."""
    write("info", data, logger=logger)


def notice(data: Any, *, logger: str | None = None) -> None:
    """Writes what is ordinary, but worth a look."""
    write("notice", data, logger=logger)


def warning(data: Any, *, logger: str | None = None) -> None:
    """Writes that something may be wrong."""
    write("warning", data, logger=logger)


def error(data: Any, *, logger: str | None = None) -> None:
    """Writes that something went wrong."""
    write("error", data, logger=logger)
