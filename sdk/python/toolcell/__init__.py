"""Tools, resources and prompts for Model Context Protocol clients, as WebAssembly components that run in Toolcell.

    from toolcell import tool

    @tool
    def echo(message: str) -> str:
        '''Says back the message.'''
        return message

What the host offers a running tool are modules of their own, so that a component imports only what it uses:
`from toolcell import changes, context, http, key_value, log, peers, progress`.
"""

from . import ask
from .content import (
    Annotations,
    Audio,
    Cache,
    Completion,
    Content,
    EmbeddedResource,
    Icon,
    Image,
    Message,
    PromptResult,
    ReadResult,
    ResourceContents,
    ResourceInfo,
    Root,
    Sampled,
    Text,
    ToolResult,
)
from .errors import Cancelled, Denied, InvalidArguments, NotFound, ToolError, Unavailable
from .field import Field
from .plugin import Plugin

__version__ = "0.1.0"

__all__ = [
    "Annotations",
    "Audio",
    "Cache",
    "Cancelled",
    "Completion",
    "Content",
    "Denied",
    "EmbeddedResource",
    "Field",
    "Icon",
    "Image",
    "InvalidArguments",
    "Message",
    "NotFound",
    "Plugin",
    "PromptResult",
    "ReadResult",
    "ResourceContents",
    "ResourceInfo",
    "Root",
    "Sampled",
    "Text",
    "ToolError",
    "ToolResult",
    "Unavailable",
    "ask",
    "complete",
    "default_plugin",
    "list_resources",
    "prompt",
    "resource",
    "tool",
]

default_plugin = Plugin()
"""The plugin that `tool`, `resource`, `prompt`, `complete` and `list_resources` of this module belong to."""

tool = default_plugin.tool
resource = default_plugin.resource
prompt = default_plugin.prompt
complete = default_plugin.complete
list_resources = default_plugin.list_resources

_HOST = ("changes", "context", "http", "key_value", "log", "peers", "progress")


def __getattr__(name: str) -> object:
    if name in _HOST:
        raise AttributeError(f"toolcell.{name} is a module of its own: write `from toolcell import {name}`")
    raise AttributeError(f"module 'toolcell' has no attribute {name!r}")
