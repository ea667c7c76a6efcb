"""Who is calling, for how long, and what the client can do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import _host

_wit = _host.interface("context")


@dataclass(frozen=True)
class Caller:
    """The person or program behind the call, as the host authenticated it."""

    principal: str
    """A stable identifier, unique on this host."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """What the operator lets plugins see of it."""


@dataclass(frozen=True)
class Client:
    """What the client says of itself. Not verified; for display only."""

    name: str
    version: str


@dataclass(frozen=True)
class Abilities:
    """What may be asked of the client, see `toolcell.ask`."""

    form: bool = False
    url: bool = False
    sample: bool = False
    sample_tools: bool = False
    roots: bool = False
    apps: bool = False
    """It shows MCP Apps (`ui://` resources)."""


@dataclass(frozen=True)
class Trace:
    """Where the call belongs in a distributed trace (W3C Trace Context)."""

    traceparent: str
    tracestate: str | None = None
    baggage: str | None = None


@dataclass(frozen=True)
class Context:
    """All there is to know about the call."""

    caller: Caller | None = None
    """None where the host authenticates nobody."""
    client: Client | None = None
    abilities: Abilities = Abilities()
    remaining_ms: int = 30_000
    """Milliseconds until the host ends the call, at the time of asking."""
    trace: Trace | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    """The request's `_meta`."""


def current() -> Context:
    """The context of the call that is being served."""
    if not _wit:
        return _host.cell().context
    now = _wit.current()
    flags = _wit.ClientAbilities
    return Context(
        caller=now.caller and Caller(now.caller.principal, json.loads(now.caller.claims or "{}")),
        client=now.client and Client(now.client.name, now.client.version),
        abilities=Abilities(
            form=flags.FORM in now.abilities,
            url=flags.URL in now.abilities,
            sample=flags.SAMPLE in now.abilities,
            sample_tools=flags.SAMPLE_TOOLS in now.abilities,
            roots=flags.ROOTS in now.abilities,
            apps=flags.APPS in now.abilities,
        ),
        remaining_ms=now.remaining_ms,
        trace=now.trace and Trace(now.trace.traceparent, now.trace.tracestate, now.trace.baggage),
        meta=json.loads(now.meta or "{}"),
    )


def is_cancelled() -> bool:
    """Whether nobody waits any more. Work of long duration should look now and then."""
    return _wit.is_cancelled() if _wit else _host.cell().cancelled
