"""PyPI `mcp` 1.x: the handshake era."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import httpx
import mcp.types as types
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from script import Json, main


class Client:
    def __init__(self) -> None:
        self.session: ClientSession
        self.initialized: types.InitializeResult
        self.listening = anyio.Event()
        self.on_changed: Callable[[], None] = lambda: None
        self.in_flight: int | str | None = None

    async def on_message(self, message: Any) -> None:
        if isinstance(message, types.ServerNotification) and isinstance(
            message.root, types.ToolListChangedNotification
        ):
            self.on_changed()

    async def on_response(self, response: httpx.Response) -> None:
        # The SDK does not say when the stream for notifications is open; its response does.
        if response.request.method == "GET" and response.is_success:
            self.listening.set()

    def version(self) -> str:
        return str(self.initialized.protocolVersion)

    async def page(self, cursor: str | None) -> Json:
        params = types.PaginatedRequestParams(cursor=cursor) if cursor is not None else None
        return wire(await self.session.list_tools(params=params))

    async def call(self, tool: str, arguments: Json, on_progress: Callable[[float], None] | None = None) -> Json:
        async def report(step: float, _total: float | None, _message: str | None) -> None:
            if on_progress is not None:
                on_progress(step)

        # 1.x has no way to cancel, nor does it tell the id it is about to use.
        self.in_flight = self.session._request_id
        callback = None if on_progress is None else report
        return wire(await self.session.call_tool(tool, arguments, progress_callback=callback))

    async def cancel(self) -> None:
        assert self.in_flight is not None
        params = types.CancelledNotificationParams(requestId=self.in_flight, reason="the test has seen enough")
        await self.session.send_notification(
            types.ClientNotification(types.CancelledNotification(method="notifications/cancelled", params=params))
        )

    @asynccontextmanager
    async def subscribed(self, changed: Callable[[], None]) -> AsyncIterator[None]:
        await self.listening.wait()
        self.on_changed = changed
        yield


def wire(result: Any) -> Json:
    return result.model_dump(by_alias=True, mode="json", exclude_none=True)


@asynccontextmanager
async def connect(plan: Json) -> AsyncIterator[Client]:
    client = Client()
    async with AsyncExitStack() as stack:
        if "command" in plan:
            program, *arguments = plan["command"]
            parameters = StdioServerParameters(command=program, args=arguments)
            read, write = await stack.enter_async_context(stdio_client(parameters, errlog=sys.stderr))
            client.listening.set()
        else:
            http = create_mcp_http_client()
            http.event_hooks["response"].append(client.on_response)
            await stack.enter_async_context(http)
            read, write, _ = await stack.enter_async_context(streamable_http_client(plan["url"], http_client=http))
        client.session = await stack.enter_async_context(
            ClientSession(read, write, message_handler=client.on_message)
        )
        client.initialized = await client.session.initialize()
        yield client


if __name__ == "__main__":
    main(connect)
