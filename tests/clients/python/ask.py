"""PyPI `mcp` 1.x, told what to call line by line: `ask.py URL`. Each line of input is a call, as JSON with `tool` and
`arguments`; each line of output is the result's text, as a JSON string. The session stays open between them."""

import json
import sys

import anyio
from anyio import to_thread
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client


async def main() -> None:
    async with streamable_http_client(sys.argv[1]) as (read, write, _), ClientSession(read, write) as session:
        await session.initialize()
        while line := await to_thread.run_sync(sys.stdin.readline):
            call = json.loads(line)
            result = await session.call_tool(call["tool"], call["arguments"])
            text = "\n".join(block.text for block in result.content if block.type == "text")
            print(json.dumps(text), flush=True)


anyio.run(main)
