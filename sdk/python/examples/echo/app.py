"""The smallest plugin: it says back what it is told."""

from typing import Annotated

from toolcell import tool


@tool(title="Echo", read_only=True, idempotent=True, open_world=False)
def echo(message: Annotated[str, "What to say back."]) -> str:
    """Says back the message, unchanged."""
    return message
