"""PyPI `mcp` 2.x: 2026-07-28, or the handshake if the plan says so."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import httpx2
import mcp_types as types
from mcp import Client as SdkClient
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from rounds import fill
from script import Json, main
from tasks2 import Tasks

MODERN = "2026-07-28"


class Client:
    def __init__(self, plan: Json) -> None:
        self.plan = plan
        self.modern = plan["version"] == MODERN
        self.tasks = Tasks()
        self.sdk: SdkClient
        self.listening = anyio.Event()
        self.on_changed: Callable[[], None] = lambda: None
        self.on_updated: Callable[[str], None] = lambda _: None
        self.on_log: Callable[[Json], None] = lambda _: None

    async def on_message(self, message: Any) -> None:
        match message:
            case types.ToolListChangedNotification():
                self.on_changed()
            case types.ResourceUpdatedNotification(params=params):
                self.on_updated(str(params.uri))

    async def on_log_message(self, params: types.LoggingMessageNotificationParams) -> None:
        self.on_log(wire(params))

    async def elicit(self, _: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        assert isinstance(params, types.ElicitRequestFormParams), f"{params} is no form"
        return types.ElicitResult(action="accept", content=fill(self.plan, params.requested_schema))

    async def sample(self, _: Any, __: types.CreateMessageRequestParams) -> types.CreateMessageResult:
        text = types.TextContent(type="text", text=self.plan["rounds"]["model"])
        return types.CreateMessageResult(role="assistant", model="none", content=text)

    async def on_response(self, response: httpx2.Response) -> None:
        # The SDK does not say when the stream for notifications is open; its response does.
        if response.request.method == "GET" and response.is_success:
            self.listening.set()

    def version(self) -> str:
        return self.sdk.protocol_version

    async def page(self, cursor: str | None) -> Json:
        return wire(await self.sdk.list_tools(cursor=cursor, cache_mode="refresh"))

    async def call(self, tool: str, arguments: Json, on_progress: Callable[[float], None] | None = None) -> Json:
        async def report(step: float, _total: float | None, _message: str | None) -> None:
            if on_progress is not None:
                on_progress(step)

        callback = None if on_progress is None else report
        return wire(await self.sdk.call_tool(tool, arguments, progress_callback=callback))

    async def cancel(self) -> None:
        """The SDK tells the server by itself when a call is dropped."""

    @asynccontextmanager
    async def subscribed(self, changed: Callable[[], None]) -> AsyncIterator[None]:
        if not self.modern:
            await self.listening.wait()
            self.on_changed = changed
            yield
            return
        async with self.sdk.listen(tools_list_changed=True) as subscription, anyio.create_task_group() as tasks:
            assert subscription.honored.tools_list_changed, f"honored is {subscription.honored}"

            async def watch() -> None:
                async for _ in subscription:
                    changed()

            tasks.start_soon(watch)
            yield
            tasks.cancel_scope.cancel()

    @asynccontextmanager
    async def log(self, told: Callable[[Json], None]) -> AsyncIterator[None]:
        self.on_log = told
        if not self.modern:
            await self.sdk.set_logging_level("info")
        yield
        self.on_log = lambda _: None

    async def resources(self) -> Json:
        return wire(await self.sdk.list_resources())

    async def templates(self) -> Json:
        return wire(await self.sdk.list_resource_templates())

    async def read(self, uri: str) -> Json:
        return wire(await self.sdk.read_resource(uri))

    async def prompts(self) -> Json:
        return wire(await self.sdk.list_prompts())

    async def prompt(self, name: str, arguments: dict[str, str]) -> Json:
        return wire(await self.sdk.get_prompt(name, arguments))

    async def complete(self, ref: Json, argument: dict[str, str], context: dict[str, str] | None) -> Json:
        kind = types.PromptReference if ref["type"] == "ref/prompt" else types.ResourceTemplateReference
        return wire(await self.sdk.complete(kind.model_validate(ref), argument, context))

    @asynccontextmanager
    async def watch(self, uri: str, updated: Callable[[str], None]) -> AsyncIterator[None]:
        if not self.modern:
            self.on_updated = updated
            await self.listening.wait()
            await self.sdk.subscribe_resource(uri)
            yield
            await self.sdk.unsubscribe_resource(uri)
            return
        async with self.sdk.listen(resource_subscriptions=[uri]) as subscription, anyio.create_task_group() as tasks:
            honored = subscription.honored.resource_subscriptions
            assert honored == [uri], f"honored is {honored}"

            async def follow() -> None:
                async for event in subscription:
                    updated(event.uri)

            tasks.start_soon(follow)
            yield
            tasks.cancel_scope.cancel()

    def statuses(self) -> list[str] | None:
        return self.tasks.seen if self.modern else None


def wire(result: Any) -> Json:
    return result.model_dump(by_alias=True, mode="json", exclude_none=True)


@asynccontextmanager
async def connect(plan: Json) -> AsyncIterator[Client]:
    client = Client(plan)
    asked = "rounds" in plan
    async with AsyncExitStack() as stack:
        if "command" in plan:
            program, *arguments = plan["command"]
            server: Any = StdioServerParameters(command=program, args=arguments)
            client.listening.set()
        else:
            http = create_mcp_http_client()
            http.event_hooks["response"].append(client.on_response)
            await stack.enter_async_context(http)
            server = streamable_http_client(plan["url"], http_client=http)
        # `auto` asks `server/discover` first, as a client in the wild does.
        mode = "auto" if client.modern else "legacy"
        sdk = SdkClient(
            server,
            mode=mode,
            message_handler=client.on_message,
            logging_callback=client.on_log_message,
            log_level="info" if asked else None,
            elicitation_callback=client.elicit if asked else None,
            sampling_callback=client.sample if asked else None,
            extensions=[client.tasks] if asked else None,
        )
        client.sdk = await stack.enter_async_context(sdk)
        yield client


if __name__ == "__main__":
    main(connect)
