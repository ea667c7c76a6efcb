#!/usr/bin/env python3
"""Tries the image, and what of kubernetes/toolcell.yaml runs without a cluster: its deployment and its configuration.

    pip install 'httpx[http2]'
    podman build -f examples/deploy/container/Containerfile -t toolcell .      (in the root of the repository)
    examples/deploy/container/under_podman.py --image toolcell

Runs as root, to see the state of processes. It fails if anything is not as it should be.
"""

import argparse
import importlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

DEPLOY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(DEPLOY))
common = importlib.import_module("try")
expect, replaced, NAME, Client = common.expect, common.replaced, common.NAME, common.Client

CONFIG = f"""
[server]
http = "0.0.0.0:8080"
allowed-hosts = ["{NAME}"]
admin = "0.0.0.0:9090"
admin-unauthenticated = "anyone"
drain-ms = 20000

[auth]
keys = "/etc/toolcell/keys.json"

[[allow]]
groups = ["people"]
tools = ["*"]

[plugins.conformance]
path = "/usr/local/lib/toolcell/conformance.wasm"
"""
IMAGE_OF_THE_EXAMPLE = "registry.example.com/toolcell:0.1.0"


def podman(*arguments, check: bool = True) -> str:
    done = subprocess.run(["podman", *map(str, arguments)], capture_output=True, text=True)
    if check and done.returncode != 0:
        sys.exit(f"podman {' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout.strip()


def inspect(container: str) -> dict:
    return json.loads(podman("container", "inspect", container))[0]


def is_confined(what: str, container: str):
    ids = common.is_confined(what, Path(f"/proc/{inspect(container)['State']['Pid']}/status").read_text())
    expect(f"{what}: runs as 65532", ids == ["65532"] * 4, ids)
    expect(f"{what}: its root is read-only", inspect(container)["HostConfig"]["ReadonlyRootfs"])


def container(image: str, folder: Path):
    http, admin = common.free_port(), common.free_port()
    flags = ["--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--tmpfs", "/cache:mode=0700,U"]
    documented = (DEPLOY / "container/Containerfile").read_text()
    for flag in flags:
        expect(f"documented: {flag}", flag in documented)
    name = podman("run", "-d", *flags, "--stop-timeout=30", "-v", f"{folder}:/etc/toolcell:ro", "-p", f"127.0.0.1:{http}:8080",
                  "-p", f"127.0.0.1:{admin}:9090", image)
    try:
        common.is_healthy("container", f"http://127.0.0.1:{admin}")
        is_confined("container", name)
        common.refuses_strangers("container", f"http://127.0.0.1:{http}/mcp")
        common.drive("container", Client(f"http://127.0.0.1:{http}/mcp", True, False, None), "HTTP/1.1")
        shell = subprocess.run(["podman", "exec", name, "sh", "-c", "true"], capture_output=True)
        expect("container: there is no shell", shell.returncode != 0)
        # Mount points are made, files are not.
        changed = {line.split(" ", 1)[1] for line in podman("diff", name).splitlines()}
        stray = {it for it in changed if not it.startswith(("/etc", "/cache", "/run", "/dev", "/proc", "/sys", "/tmp"))}
        expect("container: nothing was written beside the caches", not stray, stray or "")
        podman("stop", name)
        expect("container: SIGTERM ends it with 0", inspect(name)["State"]["ExitCode"] == 0)
    finally:
        podman("rm", "-f", "-t", "0", name, check=False)


def pod(image: str, folder: Path):
    """The objects that podman knows, as they are but for the plugin, and the keys: podman 4.3 crashes on secrets as volumes."""
    config_map, deployment, *_ = re.split(r"(?m)^---\n", (DEPLOY / "kubernetes/toolcell.yaml").read_text())
    expect("pod: the example has what podman plays", "kind: ConfigMap" in config_map and "kind: Deployment" in deployment)
    config_map = replaced(config_map, [("[plugins.time]", "[plugins.conformance]"), ("toolcell/time.wasm", "toolcell/conformance.wasm")])
    keys = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "toolcell-keys"}}
    keys["data"] = {"keys.json": (folder / "keys.json").read_text()}
    # One of them, on ports of this machine: podman has no services.
    http, admin = common.free_port(), common.free_port()
    deployment = replaced(deployment, [
        ("secret: { secretName: toolcell-keys, defaultMode: 0440 }", "configMap: { name: toolcell-keys }"),
        ("replicas: 2", "replicas: 1"),
        ("containerPort: 8080 }", f"containerPort: 8080, hostPort: {http}, hostIP: 127.0.0.1 }}"),
        ("containerPort: 9090 }", f"containerPort: 9090, hostPort: {admin}, hostIP: 127.0.0.1 }}"),
    ])
    manifest = folder / "toolcell.yaml"
    manifest.write_text(f"{config_map}---\n{json.dumps(keys)}\n---\n{deployment}")
    podman("tag", image, IMAGE_OF_THE_EXAMPLE)
    podman("kube", "play", manifest)
    try:
        name = next(it for it in podman("ps", "--format", "{{.Names}}").splitlines() if it.endswith("-toolcell"))
        common.is_healthy("pod", f"http://127.0.0.1:{admin}")
        is_confined("pod", name)
        common.refuses_strangers("pod", f"http://127.0.0.1:{http}/mcp")
        common.drive("pod", Client(f"http://127.0.0.1:{http}/mcp", True, False, None), "HTTP/1.1")
    finally:
        podman("kube", "down", manifest, check=False)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--image", default="toolcell")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="toolcell-image-") as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        (folder / "toolcell.toml").write_text(CONFIG)
        made = ["run", "--rm", "--user", "0", "-v", f"{folder}:/etc/toolcell", options.image, "key", "new", "someone"]
        shown = podman(*made, "--group", "people", "--file", "/etc/toolcell/keys.json")
        Client.key = next(word for word in shown.split() if word.startswith("tc"))
        # The server's user reads it; in production a secret's mount does that.
        (folder / "keys.json").chmod(0o644)
        container(options.image, folder)
        pod(options.image, folder)
    print("all of it is as it should be")


if __name__ == "__main__":
    main()
