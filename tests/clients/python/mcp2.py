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

from script import Json, main

MODERN = "2026-07-28"


class Client:
    def __init__(self, modern: bool) -> None:
        self.modern = modern
        self.sdk: SdkClient
        self.listening = anyio.Event()
        self.on_changed: Callable[[], None] = lambda: None

    async def on_message(self, message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self.on_changed()

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


def wire(result: Any) -> Json:
    return result.model_dump(by_alias=True, mode="json", exclude_none=True)


@asynccontextmanager
async def connect(plan: Json) -> AsyncIterator[Client]:
    modern = plan["version"] == MODERN
    client = Client(modern)
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
        mode = "auto" if modern else "legacy"
        client.sdk = await stack.enter_async_context(SdkClient(server, mode=mode, message_handler=client.on_message))
        yield client


if __name__ == "__main__":
    main(connect)
