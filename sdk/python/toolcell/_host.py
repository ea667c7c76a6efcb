"""The host's side: its interfaces inside a component, a `toolcell.testing.Cell` in a test."""

from __future__ import annotations

import importlib
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .testing import Cell

wanted: set[str] = set()
"""The interfaces that the modules loaded so far need. A component imports these and no others."""

in_component = "componentize_py_runtime" in sys.modules

testing: ContextVar[Cell] = ContextVar("toolcell_cell")


def interface(name: str, module: str | None = None) -> Any:
    """The bindings of an interface of the host; none outside of a component.

    Args:
        name: The interface, as the builder of components knows it.
        module: The module of its bindings, if it is not called like the interface.
    """
    wanted.add(name)
    try:
        return importlib.import_module(f"wit_world.imports.{module or name.replace('-', '_')}")
    except ImportError:
        return None


def cell() -> Cell:
    """The cell of the test that runs.

    Raises:
        RuntimeError: There is none.
    """
    found = testing.get(None)
    if found is None:
        raise RuntimeError("the host is not here; in a test, call the tool through toolcell.testing.Cell")
    return found
