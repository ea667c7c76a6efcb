"""What a server asks back and offers besides tools: forms, the client's model, resources, prompts, tasks."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import anyio

from script import DEADLINE_S, Json


class Adapter(Protocol):
    """One connected client. Results are the JSON they were on the wire."""

    async def call(
        self,
        tool: str,
        arguments: Json,
        on_progress: Callable[[float], None] | None = None,
    ) -> Json: ...

    def log(self, told: Callable[[Json], None]) -> AbstractAsyncContextManager[None]:
        """Calls `told` for every log message from level info on while it is entered."""

    async def resources(self) -> Json: ...

    async def templates(self) -> Json: ...

    async def read(self, uri: str) -> Json: ...

    async def prompts(self) -> Json: ...

    async def prompt(self, name: str, arguments: dict[str, str]) -> Json: ...

    async def complete(self, ref: Json, argument: dict[str, str], context: dict[str, str] | None) -> Json: ...

    def watch(self, uri: str, updated: Callable[[str], None]) -> AbstractAsyncContextManager[None]:
        """Calls `updated` for every change of the resource while it is entered."""

    def statuses(self) -> list[str] | None:
        """What the last task went through; None if this client has no tasks."""


def fill(plan: Json, schema: Json) -> dict[str, Any]:
    """Fills in a form with the plan's answers: every field it has must have one."""
    return {name: plan["rounds"]["answers"][name] for name in schema["properties"]}


async def rounds(plan: Json, client: Adapter) -> None:
    for case in plan["calls"]:
        await call(client, case["tool"], case["arguments"], case["text"])
    print(f"ok {len(plan['calls'])} calls that ask back", flush=True)
    await said(plan, client)
    await resources(plan["resources"], client)
    await prompts(plan["prompts"], client)
    await watch(plan["watch"], client)
    await task(plan["task"], client)


async def call(client: Adapter, tool: str, arguments: Json, text: str) -> None:
    with anyio.fail_after(DEADLINE_S):
        result = await client.call(tool, arguments)
    assert not result.get("isError", False), f"{tool}: {result}"
    assert "\n".join(block["text"] for block in result["content"]) == text, f"{tool}: {result}"


async def said(plan: Json, client: Adapter) -> None:
    seen: list[float] = []
    with anyio.fail_after(DEADLINE_S):
        await client.call(plan["progress"]["tool"], {}, seen.append)
    assert seen and seen == [step for step in plan["progress"]["steps"] if step in seen], f"the progress is {seen}"
    messages: list[Json] = []
    told = anyio.Event()

    def tell(message: Json) -> None:
        messages.append(message)
        told.set()

    with anyio.fail_after(DEADLINE_S):
        async with client.log(tell):
            await client.call(plan["log"]["tool"], {})
            await told.wait()
    assert messages[0]["level"] == "info" and messages[0]["data"], f"the log message is {messages[0]}"
    print("ok progress and log", flush=True)


async def resources(plan: Json, client: Adapter) -> None:
    with anyio.fail_after(DEADLINE_S):
        uris = [resource["uri"] for resource in (await client.resources())["resources"]]
        templates = [template["uriTemplate"] for template in (await client.templates())["resourceTemplates"]]
        contents = (await client.read(plan["uri"]))["contents"]
    assert plan["listed"] in uris, f"{plan['listed']} is not in {uris}"
    assert plan["template"] in templates, f"{plan['template']} is not in {templates}"
    assert [(content["uri"], content["text"]) for content in contents] == [(plan["uri"], plan["text"])], contents
    print("ok resources", flush=True)


async def prompts(plan: Json, client: Adapter) -> None:
    with anyio.fail_after(DEADLINE_S):
        names = [prompt["name"] for prompt in (await client.prompts())["prompts"]]
    assert plan["name"] in names, f"{plan['name']} is not in {names}"
    for case in plan["cases"]:
        with anyio.fail_after(DEADLINE_S):
            messages = (await client.prompt(plan["name"], case["arguments"]))["messages"]
        assert [message["content"]["text"] for message in messages] == [case["text"]], messages
    for case in plan["completions"]:
        context = case.get("context", {}).get("arguments")
        with anyio.fail_after(DEADLINE_S):
            result = await client.complete(case["ref"], case["argument"], context)
        assert result["completion"]["values"] == case["values"], f"{case}: {result}"
    print("ok prompts and completions", flush=True)


async def watch(plan: Json, client: Adapter) -> None:
    """While one note is watched, only its changes are told; after that, none of them are."""
    first, second = plan["first"], plan["second"]
    seen: list[str] = []
    told = anyio.Event()

    def updated(uri: str) -> None:
        seen.append(uri)
        told.set()

    with anyio.fail_after(DEADLINE_S):
        async with client.watch(first["uri"], updated):
            await call(client, plan["tool"], {"id": first["id"]}, first["text"])
            await told.wait()
    assert seen == [first["uri"]], f"told of {seen}"
    seen.clear()
    told = anyio.Event()
    with anyio.fail_after(DEADLINE_S):
        async with client.watch(second["uri"], updated):
            await call(client, plan["tool"], {"id": first["id"]}, first["text"])
            await call(client, plan["tool"], {"id": second["id"]}, second["text"])
            await told.wait()
    assert seen == [second["uri"]], f"told of {seen}, though only {second['uri']} is still subscribed to"
    print("ok subscription", flush=True)


async def task(plan: Json, client: Adapter) -> None:
    """In the handshake era it is a call that asks back over the session's stream, from 2026-07-28 on a task."""
    await call(client, plan["tool"], plan["arguments"], plan["text"])
    statuses = client.statuses()
    for status in plan["statuses"] if statuses is not None else []:
        assert status in statuses, f"the task was {statuses}, never {status}"
    print("ok task", flush=True)
