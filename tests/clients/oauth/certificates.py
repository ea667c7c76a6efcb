"""PyPI `mcp` with a client certificate, in both eras.

`certificates.py PLAN`: { url, ca, cert, key, principal, tools }.
"""

import json
import ssl
import sys
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

DEADLINE_S = 60


async def run(plan: dict[str, Any], mode: str) -> None:
    context = ssl.create_default_context(cafile=plan["ca"])
    context.load_cert_chain(plan["cert"], plan["key"])
    async with (
        httpx2.AsyncClient(verify=context) as http,
        Client(streamable_http_client(plan["url"], http_client=http), mode=mode) as client,
    ):
        tools = [tool.name for tool in (await client.list_tools()).tools]
        assert tools == plan["tools"], tools
        result = await client.call_tool("context_peek", {})
        assert plan["principal"] in result.content[0].text, result


async def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text())
    with anyio.fail_after(DEADLINE_S):
        for mode in ["auto", "legacy"]:
            await run(plan, mode)
    print("done", flush=True)


if __name__ == "__main__":
    anyio.run(main)
