"""Echo on the official Python SDK, as its documentation has it: JSON answers, no sessions, uvicorn without an access log."""

import socket
import sys

import uvicorn
from mcp.server import MCPServer

server = MCPServer("echo")


@server.tool(structured_output=False)
async def echo(message: str) -> str:
    """Says back the message, unchanged."""
    return message


# Named as TCP, because asyncio turns Nagle's algorithm off for such sockets alone: without it every answer waits 40 ms.
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", 0))
listener.listen(128)
print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}/mcp", file=sys.stderr, flush=True)
app = server.streamable_http_app(json_response=True, stateless_http=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
