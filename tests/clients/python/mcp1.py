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
from pydantic import AnyUrl

from rounds import fill
from script import Json, main


class Client:
    def __init__(self, plan: Json) -> None:
        self.plan = plan
        self.session: ClientSession
        self.initialized: types.InitializeResult
        self.listening = anyio.Event()
        self.on_changed: Callable[[], None] = lambda: None
        self.on_updated: Callable[[str], None] = lambda _: None
        self.on_log: Callable[[Json], None] = lambda _: None
        self.in_flight: int | str | None = None

    async def on_message(self, message: Any) -> None:
        match message.root if isinstance(message, types.ServerNotification) else None:
            case types.ToolListChangedNotification():
                self.on_changed()
            case types.ResourceUpdatedNotification(params=params):
                self.on_updated(str(params.uri))

    async def on_log_message(self, params: types.LoggingMessageNotificationParams) -> None:
        self.on_log(wire(params))

    async def elicit(self, _: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        assert isinstance(params, types.ElicitRequestFormParams), f"{params} is no form"
        return types.ElicitResult(action="accept", content=fill(self.plan, params.requestedSchema))

    async def sample(self, _: Any, __: types.CreateMessageRequestParams) -> types.CreateMessageResult:
        text = types.TextContent(type="text", text=self.plan["rounds"]["model"])
        return types.CreateMessageResult(role="assistant", model="none", content=text)

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

    @asynccontextmanager
    async def log(self, told: Callable[[Json], None]) -> AsyncIterator[None]:
        self.on_log = told
        await self.session.set_logging_level("info")
        yield
        self.on_log = lambda _: None

    async def resources(self) -> Json:
        return wire(await self.session.list_resources())

    async def templates(self) -> Json:
        return wire(await self.session.list_resource_templates())

    async def read(self, uri: str) -> Json:
        return wire(await self.session.read_resource(AnyUrl(uri)))

    async def prompts(self) -> Json:
        return wire(await self.session.list_prompts())

    async def prompt(self, name: str, arguments: dict[str, str]) -> Json:
        return wire(await self.session.get_prompt(name, arguments))

    async def complete(self, ref: Json, argument: dict[str, str], context: dict[str, str] | None) -> Json:
        kind = types.PromptReference if ref["type"] == "ref/prompt" else types.ResourceTemplateReference
        return wire(await self.session.complete(kind.model_validate(ref), argument, context))

    @asynccontextmanager
    async def watch(self, uri: str, updated: Callable[[str], None]) -> AsyncIterator[None]:
        self.on_updated = updated
        await self.listening.wait()
        await self.session.subscribe_resource(AnyUrl(uri))
        yield
        await self.session.unsubscribe_resource(AnyUrl(uri))

    def statuses(self) -> list[str] | None:
        return None


def wire(result: Any) -> Json:
    return result.model_dump(by_alias=True, mode="json", exclude_none=True)


@asynccontextmanager
async def connect(plan: Json) -> AsyncIterator[Client]:
    client = Client(plan)
    asked = "rounds" in plan
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
            ClientSession(
                read,
                write,
                message_handler=client.on_message,
                logging_callback=client.on_log_message,
                elicitation_callback=client.elicit if asked else None,
                sampling_callback=client.sample if asked else None,
            )
        )
        client.initialized = await client.session.initialize()
        yield client


if __name__ == "__main__":
    main(connect)
