#!/usr/bin/env python3
"""Tries the unit and the socket under systemd itself, as process 1 of a container.

    podman build -t systemd - <<< $'FROM docker.io/library/debian:12\\nRUN apt-get update && apt-get install -y systemd-sysv dbus curl'
    ./under_systemd.py --base systemd --toolcell PATH --plugin time.wasm

Runs as root, because systemd wants to. It fails if anything is not as it should be.
"""

import argparse
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
common = importlib.import_module("try")
expect, until = common.expect, common.until

CONTAINERFILE = """
FROM {base}
COPY toolcell /usr/local/bin/toolcell
COPY time.wasm /usr/local/lib/toolcell/time.wasm
COPY toolcell.service toolcell.socket /etc/systemd/system/
COPY toolcell.toml /etc/toolcell/toolcell.toml
RUN chmod 755 /usr/local/bin/toolcell && systemctl enable toolcell.socket toolcell.service
CMD ["/sbin/init"]
"""


def run(*command) -> str:
    done = subprocess.run([str(it) for it in command], capture_output=True, text=True)
    if done.returncode != 0:
        # Not the end of it where `until` waits for it.
        raise OSError(f"{' '.join(map(str, command))}: {done.stderr}{done.stdout}")
    return done.stdout.strip()


class Inside:
    """What runs in the container."""

    def __init__(self, name: str):
        self.name = name

    def __call__(self, *command) -> str:
        return run("podman", "exec", self.name, *command)

    def of_unit(self, key: str) -> str:
        return self("systemctl", "show", "--property", key, "--value", "toolcell.service")

    def is_active(self) -> bool:
        return self.of_unit("ActiveState") == "active"

    def status(self, path: str) -> str:
        return self("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:9090{path}")

    def begin(self) -> dict:
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": common.HELLO}
        headers = [f"host: {common.NAME}", "accept: application/json, text/event-stream", "content-type: application/json"]
        shown = [it for header in headers for it in ("-H", header)]
        return json.loads(self("curl", "-s", "--max-time", "20", *shown, "-d", json.dumps(message), "http://127.0.0.1:8080/mcp"))


def trial(inside: Inside):
    until("the unit is active", inside.is_active, 60)
    expect("/readyz is 200", inside.status("/readyz") == "200")
    expect("a client is served by the socket", inside.begin()["result"]["serverInfo"]["name"] == "toolcell")

    first = inside.of_unit("MainPID")
    ids = common.is_confined("the server", inside("cat", f"/proc/{first}/status"))
    user = ids[0]
    expect("a user of its own", 61184 <= int(user) <= 65519 and ids == [user] * 4, user)
    users = [line.split()[0] for line in inside("cat", f"/proc/{first}/uid_map").splitlines()]
    expect("it sees root and itself as users, nobody else", users == ["0", user], users)
    for folder in ("/var/lib/private/toolcell", "/var/cache/private/toolcell"):
        expect(f"{folder} is its alone", inside("stat", "-c", "%u %a", folder) == f"{user} 700")
    mounts = inside("cat", f"/proc/{first}/mountinfo").splitlines()
    root = next(line for line in mounts if line.split()[4] == "/")
    expect("its root is read-only", "ro" in root.split()[5].split(","), root.split()[5])

    inside("systemctl", "reload", "toolcell.service")
    until("a reload loads again", lambda: "loading again" in inside("journalctl", "-u", "toolcell.service", "-o", "cat"))
    expect("a reload does not end it", inside.of_unit("MainPID") == first)
    inside("systemctl", "restart", "toolcell.service")
    expect("a restart is another process", inside.of_unit("MainPID") not in ("0", first) and inside.is_active())
    inside("systemctl", "stop", "toolcell.service")
    expect("it ends with 0", (inside.of_unit("Result"), inside.of_unit("ExecMainStatus")) == ("success", "0"))
    expect("a client starts it", inside.begin()["result"]["serverInfo"]["name"] == "toolcell" and inside.is_active())
    inside("sh", "-c", "kill -KILL $(systemctl show --property MainPID --value toolcell.service)")
    until("a crash starts it again", lambda: inside.is_active() and inside.of_unit("NRestarts") == "1")
    expect("and it serves", inside.begin()["result"]["serverInfo"]["name"] == "toolcell")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--base", required=True, help="an image with systemd and curl")
    arguments.add_argument("--toolcell", type=Path, required=True)
    arguments.add_argument("--plugin", type=Path, required=True, help="the component of plugins/time")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="toolcell-systemd-") as scratch:
        folder = Path(scratch)
        (folder / "Containerfile").write_text(CONTAINERFILE.format(base=options.base))
        shutil.copy(options.toolcell, folder / "toolcell")
        shutil.copy(options.plugin, folder / "time.wasm")
        for name in ("toolcell.service", "toolcell.socket", "toolcell.toml"):
            shutil.copy(HERE / name, folder / name)
        image = run("podman", "build", "-q", folder).splitlines()[-1]
        name = run("podman", "run", "-d", "--systemd=always", "--privileged", "--network=none", image)
        try:
            trial(Inside(name))
        finally:
            subprocess.run(["podman", "rm", "-f", "-t", "0", name], capture_output=True)
            subprocess.run(["podman", "rmi", "-f", image], capture_output=True)
    print("all of it is as it should be")


if __name__ == "__main__":
    main()
