from typing import Annotated

from toolcell import tool


@tool(title="Greet", read_only=True, idempotent=True, open_world=False)
def greet(name: Annotated[str, "Whom to greet."]) -> str:
    """Greets someone by name."""
    return f"Hello, {name}!"
