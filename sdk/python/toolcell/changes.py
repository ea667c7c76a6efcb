"""Tells the host that something a client may watch has changed."""

from __future__ import annotations

from . import _host

_wit = _host.interface("changes")


def resource_updated(uri: str) -> None:
    """The contents of this resource changed."""
    if _wit:
        _wit.resource_updated(uri)
    else:
        _host.cell().changes.append(uri)


def resources_changed() -> None:
    """The list of resources or of templates changed."""
    _changed("resources")


def prompts_changed() -> None:
    """The list of prompts changed."""
    _changed("prompts")


def tools_changed() -> None:
    """The list of tools changed."""
    _changed("tools")


def _changed(what: str) -> None:
    if _wit:
        getattr(_wit, f"{what}_changed")()
    else:
        _host.cell().changes.append(what)
