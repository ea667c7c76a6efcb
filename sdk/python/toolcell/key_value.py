"""Small values that outlive a call, private to this plugin. Granted by the operator with `key-value = true`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from . import _host, kinds
from .errors import ToolError

_wit = _host.interface("key-value")


class StoreError(ToolError):
    """Why the store did not do it."""


class NotGranted(StoreError):
    """The operator granted no store; the text is the line that would."""


class LimitReached(StoreError):
    """Key, value or store would be larger than allowed; the text says which limit."""


class Conflict(StoreError):
    """`compare_and_set` met another value."""

    def __init__(self, current: bytes | None) -> None:
        super().__init__("the value was changed by another call in the meantime; try again")
        self.current = current
        """What is there now."""


def get(key: str) -> bytes | None:
    """The value of a key, or none."""
    return _do("get", key)


def set(key: str, value: bytes | str) -> None:
    """Sets a key. It is durable when this returns."""
    _do("set", key, _raw(value))


def delete(key: str) -> None:
    """Removes a key; one that is not there is no error."""
    _do("delete", key)


def compare_and_set(key: str, expected: bytes | str | None, value: bytes | str | None) -> None:
    """Sets a key (or removes it, with none) if its value is still `expected`, in one step.

    Raises:
        Conflict: It is not.
    """
    _do("compare_and_set", key, _raw(expected), _raw(value))


def keys(prefix: str = "") -> Iterator[str]:
    """The keys that begin with `prefix`, in order."""
    cursor: str | None = None
    while True:
        page = _do("list_keys", prefix, cursor)
        yield from page.keys
        cursor = page.next
        if cursor is None:
            return


def get_json(key: str, default: Any = None) -> Any:
    """The JSON value of a key, or `default`."""
    value = get(key)
    return default if value is None else json.loads(value)


def set_json(key: str, value: Any) -> None:
    """Sets a key to a JSON value."""
    set(key, kinds.dumps(value))


def update(key: str, change: Callable[[bytes | None], bytes | str | None]) -> bytes | None:
    """Sets a key to what `change` makes of its value, and returns that; parallel updates wait for each other.

    `change` runs again if another call changed the value meanwhile, so it must do nothing else.
    """
    old = get(key)
    while True:
        new = _raw(change(old))
        try:
            compare_and_set(key, old, new)
        except Conflict as conflict:
            old = conflict.current
        else:
            return new


def _raw(value: bytes | str | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _do(what: str, *args: Any) -> Any:
    if not _wit:
        return getattr(_host.cell().key_value, what)(*args)
    try:
        return getattr(_wit, what)(*args)
    except _types.Err as refusal:
        raise _error(refusal.value) from None


if _wit:
    import componentize_py_types as _types

    def _error(error: Any) -> StoreError:
        if isinstance(error, _wit.StoreError_Denied):
            return NotGranted(error.value)
        if isinstance(error, _wit.StoreError_Limit):
            return LimitReached(error.value)
        if isinstance(error, _wit.StoreError_Conflict):
            return Conflict(error.value)
        return StoreError(error.value)
