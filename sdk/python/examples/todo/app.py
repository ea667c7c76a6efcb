"""A to-do list that is kept between calls."""

import json
from dataclasses import dataclass
from typing import Annotated, Literal

from toolcell import Field, ToolError, ToolResult, ask, http, key_value, log, progress, tool

Title = Annotated[str, Field("What is to be done.", min_length=1, max_length=200)]


@dataclass
class Item:
    """One thing to do."""

    id: int
    title: str
    done: bool


@dataclass
class Items:
    """The list."""

    items: list[Item]
    open: int
    done: int


@dataclass
class Removed:
    """How many items were removed."""

    removed: int


@dataclass
class Added:
    """How many items were added."""

    added: int


@dataclass
class Confirm:
    """What the person is asked before items are removed."""

    remove: Annotated[bool, Field(title="Remove them")]


@tool
def add(title: Title) -> ToolResult[Item]:
    """Adds an item to the list."""
    item = create(title)
    return ToolResult(f"Added {item.id}: {item.title}", structured=item)


@tool(name="list", read_only=True)
def list_items(
    state: Annotated[Literal["open", "done", "all"], "Which items to list."] = "open",
) -> ToolResult[Items]:
    """Lists the items, oldest first."""
    items = stored()
    done = sum(item.done for item in items)
    shown = [item for item in items if state == "all" or item.done == (state == "done")]
    lines = [f"[{'x' if item.done else ' '}] {item.id}: {item.title}" for item in shown]
    return ToolResult("\n".join(lines) or "Nothing to do.", structured=Items(shown, len(items) - done, done))


@tool
def complete(id: Annotated[int, Field("The item's number, from `list`.", ge=1)]) -> ToolResult[Item]:
    """Marks an item as done."""
    found = key_value.get_json(place(id))
    if found is None:
        raise ToolError(f"there is no item {id}; call list to see what there is")
    item = Item(**found | {"done": True})
    key_value.set_json(place(id), item)
    return ToolResult(f"Done {item.id}: {item.title}", structured=item)


@tool(destructive=True)
def clear() -> ToolResult[Removed]:
    """Removes all items that are done, after asking the person."""
    done = [item for item in stored() if item.done]
    if not done:
        return ToolResult("Nothing to remove.", structured=Removed(0))
    answer = ask.form(f"Remove {len(done)} items that are done?", Confirm, key="confirm")
    if not (answer.accepted and answer.value.remove):
        return ToolResult("Nothing was removed.", structured=Removed(0))
    for count, item in enumerate(done, 1):
        key_value.delete(place(item.id))
        progress.report(count, len(done), f"Removed {item.id}: {item.title}")
    return ToolResult(f"Removed {len(done)} items.", structured=Removed(len(done)))


@tool(name="import", open_world=True)
def import_items(
    url: Annotated[str, "Where the list is: an http or https URL."],
) -> ToolResult[Added]:
    """Adds the items of a list on the web: a JSON array of titles."""
    response = http.get(url)
    if response.status != 200:
        raise ToolError(f"{url} answered {response.status}; check the URL, or ask where the list is now")
    titles = read_titles(response.body)
    if titles is None:
        raise ToolError(f"what {url} answers is no JSON array of titles, each of 1 to 200 characters")
    for count, title in enumerate(titles, 1):
        item = create(title)
        progress.report(count, len(titles), f"Added {item.id}: {item.title}")
    log.info({"imported": len(titles), "url": url}, logger="todo")
    return ToolResult(f"Added {len(titles)} items.", structured=Added(len(titles)))


def read_titles(body: bytes) -> list[str] | None:
    """The titles in what a server answered; none if it is no list of them."""
    try:
        titles = json.loads(body)
    except ValueError:
        return None
    if not isinstance(titles, list):
        return None
    return titles if all(isinstance(title, str) and 1 <= len(title) <= 200 for title in titles) else None


def create(title: str) -> Item:
    """Stores a new item. The number is taken in one step, so that two calls at once never get the same."""
    following = key_value.update("next", lambda old: str(int(old or 1) + 1))
    item = Item(id=int(following or 0) - 1, title=title, done=False)
    key_value.set_json(place(item.id), item)
    return item


def stored() -> list[Item]:
    """All items, oldest first."""
    found = (key_value.get_json(key) for key in key_value.keys("item/"))
    return [Item(**item) for item in found if item is not None]


def place(id: int) -> str:
    """The key of an item; the zeros make the order of keys that of numbers."""
    return f"item/{id:010}"
