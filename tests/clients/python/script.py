"""What every client does, whatever its SDK, over an adapter: this file tells all about tools, rounds.py the rest."""

import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import anyio

DEADLINE_S = 60.0
"""How long any one thing may take before the script fails. It is for a machine under load, not an expectation."""

Json = dict[str, Any]
"""Results and pages are compared as the JSON they were on the wire."""


class Adapter(Protocol):
    """One connected client."""

    def version(self) -> str: ...

    async def page(self, cursor: str | None) -> Json: ...

    async def call(self, tool: str, arguments: Json, on_progress: Callable[[float], None] | None = None) -> Json: ...

    async def cancel(self) -> None:
        """Says that the call in flight is given up, if dropping it does not say so already."""

    def subscribed(self, changed: Callable[[], None]) -> AbstractAsyncContextManager[None]:
        """Calls `changed` for every list_changed while it is entered."""


def main(connect: Callable[[Json], AbstractAsyncContextManager[Adapter]]) -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)

    from rounds import rounds

    async def start() -> None:
        async with connect(plan) as client:
            assert client.version() == plan["version"], f"the revision is {client.version()}"
            await (rounds(plan["rounds"], client) if "rounds" in plan else run(plan, client))

    try:
        anyio.run(start)
    except BaseException as why:
        for leaf in leaves(why):
            traceback.print_exception(leaf, limit=-3, file=sys.stderr)
        sys.exit(1)
    print("done")


def leaves(why: BaseException) -> list[BaseException]:
    """What really went wrong, without the groups of groups that task groups make of it."""
    inner = getattr(why, "exceptions", None)
    return [leaf for part in inner for leaf in leaves(part)] if inner else [why]


async def run(plan: Json, client: Adapter) -> None:
    listed = await list_all(client, plan["pageSize"])
    own = sorted(name for name in listed if not name.startswith(plan["ignore"]))
    assert own == plan["tools"], f"the tools are {own}"
    assert await list_all(client, plan["pageSize"]) == listed, "the same list in the same order again"
    print(f"ok {len(listed)} tools", flush=True)

    for index, case in enumerate(plan["cases"]):
        with anyio.fail_after(DEADLINE_S):
            result = await client.call(case["tool"], case["arguments"])
        try:
            check(case["expect"], result)
        except AssertionError as why:
            raise AssertionError(f"case {index}, {case['tool']} {json.dumps(case['arguments'])}: {why}") from why
    print(f"ok {len(plan['cases'])} calls", flush=True)

    await progress(plan["progress"], client)
    await cancel(plan["cancel"], client)
    await swap(plan["swap"], client)


async def list_all(client: Adapter, page_size: int | None = None) -> list[str]:
    names: list[str] = []
    cursor: str | None = None
    seen = 0
    while True:
        with anyio.fail_after(DEADLINE_S):
            page = await client.page(cursor)
        names += [tool["name"] for tool in page["tools"]]
        cursor = page.get("nextCursor")
        seen += 1
        assert seen <= 100, "the pages never end"
        if cursor is None:
            break
    assert page_size is None or seen == -(-len(names) // page_size), f"there are {seen} pages"
    return names


def check(expect: Json, result: Json) -> None:
    blocks = result.get("content") or []
    text = "\n".join(block["text"] for block in blocks if block["type"] == "text")
    said = f"\nthe result was {json.dumps(result)}"
    assert result.get("isError", False) == expect.get("error", False), f"isError{said}"
    if "text" in expect:
        assert text == expect["text"], f"the text is not {json.dumps(expect['text'])}{said}"
    for part in expect.get("contains", []):
        assert part in text, f"the text lacks {json.dumps(part)}{said}"
    if "structured" in expect:
        assert result.get("structuredContent") == expect["structured"], f"the structured content{said}"
    if "blocks" in expect:
        assert [block["type"] for block in blocks] == expect["blocks"], f"the blocks{said}"


async def progress(plan: Json, client: Adapter) -> None:
    seen: list[float] = []
    with anyio.fail_after(DEADLINE_S):
        await client.call(plan["tool"], plan["arguments"], seen.append)
    # An SDK may drop a report that arrives together with the result, and the host may thin them out; none comes
    # twice, out of order or from nowhere.
    assert seen and seen == [step for step in plan["steps"] if step in seen], f"the progress reported is {seen}"
    print("ok progress", flush=True)


async def cancel(plan: Json, client: Adapter) -> None:
    """The tool reports progress once and then never ends: when the report is here, it runs."""
    running = anyio.Event()
    unexpected: list[Json] = []

    async def call() -> None:
        unexpected.append(await client.call(plan["tool"], plan["arguments"], lambda _: running.set()))
        running.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        with anyio.fail_after(DEADLINE_S):
            await running.wait()
        await client.cancel()
        tasks.cancel_scope.cancel()
    assert not unexpected, f"a cancelled call must not have a result: {unexpected}"
    after = plan["after"]
    with anyio.fail_after(DEADLINE_S):
        check(after["expect"], await client.call(after["tool"], after["arguments"]))
    print("ok cancel", flush=True)


async def swap(plan: Json, client: Adapter) -> None:
    changed = anyio.Event()
    with anyio.fail_after(DEADLINE_S):
        async with client.subscribed(changed.set):
            assert plan["before"] in await list_all(client), f"{plan['before']} is there before the swap"
            part = plan["to"] + ".part"
            shutil.copyfile(plan["from"], part)
            os.rename(part, plan["to"])
            await changed.wait()
            now = await list_all(client)
            assert plan["after"] in now and plan["before"] not in now, f"after the swap the tools are {now}"
    print("ok list_changed", flush=True)
