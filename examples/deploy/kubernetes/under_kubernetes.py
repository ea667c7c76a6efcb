#!/usr/bin/env python3
"""Tries toolcell.yaml on a cluster: rollouts, probes, the service, the network policy, the disruption budget.

    podman build -f examples/deploy/container/Containerfile -t toolcell .      (in the root of the repository)
    podman build -t client - <<< $'FROM docker.io/library/debian:12\\nRUN apt-get update && apt-get install -y python3-httpx'
    ./under_kubernetes.py --toolcell PATH --image toolcell --client client --public 1.1.1.1

Both images by the names by which the cluster's nodes have them or pull them. The cluster is the one of kubectl's current
context; its network must enforce policies and it must be free for this: the namespaces toolcell, ingress-nginx, monitoring
and elsewhere are made, one with a privileged pod, and deleted. It fails if anything is not as it should be.
"""

import argparse
import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
common = importlib.import_module("try")
expect, until, replaced = common.expect, common.until, common.replaced

MANIFEST = HERE / "toolcell.yaml"
NAMESPACES = ("toolcell", "ingress-nginx", "monitoring", "elsewhere")
SELECTOR = "app.kubernetes.io/name=toolcell"


# What runs in pods: this file is there, beside try.py.

class Client(common.Client):
    """One of the revision without sessions: each call is alone, on a connection of its own."""

    def call_alone(self, tool: str, arguments: dict) -> str:
        meta = {"protocolVersion": "2026-07-28", "clientInfo": common.HELLO["clientInfo"], "clientCapabilities": {}}
        meta = {f"io.modelcontextprotocol/{key}": value for key, value in meta.items()}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments, "_meta": meta}}
        headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": tool}
        return common.httpx.post(self.url, json=message, headers=self.head()[0] | headers, timeout=30).text


def client(url: str, key: str) -> Client:
    it = Client(url, True, False, None)
    it.key = key
    return it


def healthy(admin: str):
    common.is_healthy("pod", admin)


def drive(url: str, key: str):
    """The conversation of try.py."""
    common.refuses_strangers("service", url)
    common.drive("service", client(url, key), "HTTP/1.1")


def tools(url: str, key: str):
    it = client(url, key)
    it.begin()
    answer, _ = it.send("tools/list", {})
    print(*(tool["name"] for tool in answer[-1][1]["result"]["tools"]))


def slow(url: str, key: str, ms: str):
    print(client(url, key).call_alone("test_slow_tool", {"ms": int(ms)}))


def calls(url: str, key: str):
    """Six callers that go on until standard input ends, with calls that are short and calls that take a while."""
    over, answered, failed = threading.Event(), [], []

    def caller(ms: int):
        it = client(url, key)
        while not over.is_set():
            try:
                text = it.call_alone("test_slow_tool", {"ms": ms})
                (answered if f"worked for {ms} ms" in text else failed).append(text)
            except common.httpx.HTTPError as error:
                failed.append(repr(error))
            time.sleep(0.02)

    callers = [threading.Thread(target=caller, args=[ms]) for ms in (1, 1, 1, 1500, 1500, 1500)]
    for it in callers:
        it.start()
    print("begun", flush=True)
    sys.stdin.read()
    over.set()
    for it in callers:
        it.join()
    print(json.dumps({"answered": len(answered), "failed": failed[:5]}))


def reach(host: str, port: str):
    """Whether there is somebody: `no` for a refusal and for silence."""
    try:
        socket.create_connection((host, int(port)), 3).close()
        print("yes")
    except OSError:
        print("no")


def process(uid: str):
    """The server of a pod, as the node counts processes."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder.joinpath("comm").read_text() == "toolcell\n" and uid in folder.joinpath("cgroup").read_text().replace("_", "-"):
                print(folder.name)


def stop(pid: str):
    os.kill(int(pid), signal.SIGSTOP)


IN_PODS = {it.__name__: it for it in (healthy, drive, tools, slow, calls, reach, process, stop)}


# What runs beside kubectl.

def kubectl(*arguments, given: str | None = None) -> str:
    done = subprocess.run(["kubectl", *map(str, arguments)], capture_output=True, text=True, input=given)
    if done.returncode != 0:
        # Not the end of it where `until` waits for it.
        raise OSError(f"kubectl {' '.join(map(str, arguments))}: {done.stderr}{done.stdout}")
    return done.stdout.strip()


def ours(*arguments, given: str | None = None) -> str:
    return kubectl("-n", "toolcell", *arguments, given=given)


def refused(run) -> str:
    """Why it was not done; nothing if it was."""
    try:
        run()
    except OSError as error:
        return str(error)
    return ""


class Pod:
    """A pod of the client image, in a namespace of its own kind."""

    def __init__(self, namespace: str, image: str, privileged: bool = False):
        self.at = ["-n", namespace, "client"]
        volume = {"name": "try", "configMap": {"name": "try"}}
        container = {"name": "client", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["/usr/bin/sleep", "infinity"]}
        container |= {"volumeMounts": [{"name": "try", "mountPath": "/try"}], "securityContext": {"privileged": privileged}}
        spec = {"containers": [container], "volumes": [volume], "hostPID": privileged, "terminationGracePeriodSeconds": 0}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client"}, "spec": spec}
        kubectl("create", "namespace", namespace)
        kubectl("-n", namespace, "create", "configmap", "try", f"--from-file={__file__}", f"--from-file={HERE.parent / 'try.py'}")
        kubectl("apply", "-n", namespace, "-f", "-", given=json.dumps(pod))
        kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/client", "--timeout=120s")

    def command(self, *command, net: str = "") -> list[str]:
        within = ["nsenter", f"--net=/proc/{net}/ns/net"] if net else []
        return ["exec", "-i", *self.at, "--", *within, "python3", f"/try/{Path(__file__).name}", *command]

    def __call__(self, *command, net: str = "") -> str:
        return kubectl(*self.command(*command, net=net))

    def begin(self, *command) -> subprocess.Popen:
        return subprocess.Popen(["kubectl", *self.command(*command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def reaches(self, host: str, port: int, net: str = "") -> bool:
        return self("reach", host, str(port), net=net) == "yes"


def pods() -> list[dict]:
    """Those that do not end."""
    return [it for it in json.loads(ours("get", "pods", "-l", SELECTOR, "-o", "json"))["items"] if "deletionTimestamp" not in it["metadata"]]


def is_ready(pod: dict) -> bool:
    return any(it["type"] == "Ready" and it["status"] == "True" for it in pod["status"].get("conditions", []))


def name(pod: dict) -> str:
    return pod["metadata"]["name"]


def two_ready():
    until("two are ready, and no third is there", lambda: [is_ready(it) for it in pods()] == [True] * 2, 240)


def restarted():
    ours("rollout", "restart", "deployment/toolcell")
    ours("rollout", "status", "deployment/toolcell", "--timeout=240s")


class Trial:
    def __init__(self, options, manifest: str):
        self.manifest, self.public = manifest, options.public
        self.ingress, self.monitoring = Pod("ingress-nginx", options.client), Pod("monitoring", options.client)
        self.elsewhere = Pod("elsewhere", options.client, privileged=True)
        self.service = ours("get", "service", "toolcell", "-o", "jsonpath={.spec.clusterIP}")
        self.to = [f"http://{self.service}/mcp", options.key]

    @contextlib.contextmanager
    def calls(self, what: str):
        """What is done within, is done while calls come through the service."""
        callers = self.ingress.begin("calls", *self.to)
        callers.stdout.readline()
        yield
        seen = json.loads(callers.communicate(timeout=60)[0])
        expect(f"{what}: no call fails", not seen["failed"] and seen["answered"] > 30, seen)

    def process(self, pod: dict) -> str:
        return self.elsewhere("process", pod["metadata"]["uid"])

    def is_confined(self, pod: dict):
        on_node = lambda *command: kubectl("exec", *self.elsewhere.at, "--", *command)
        of = f"/proc/{self.process(pod)}"
        ids = common.is_confined("pod", on_node("cat", f"{of}/status"))
        expect("pod: runs as 65532", ids == ["65532"] * 4, ids)
        mounts = {line.split()[4]: line.split()[5].split(",") for line in on_node("cat", f"{of}/mountinfo").splitlines()}
        expect("pod: its root is read-only", "ro" in mounts["/"], mounts["/"])
        # What a runtime mounts of its own is root's.
        others = ("/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf")
        written = {it for it, flags in mounts.items() if "rw" in flags and not it.startswith(others)}
        expect("pod: it can write to its caches only", written == {"/cache", "/tmp"}, written)
        expect("pod: it has no token of the cluster", not any("serviceaccount" in it for it in mounts))

    def policy(self, first: dict, second: dict):
        at, net = first["status"]["podIP"], self.process(first)
        expect("policy: the ingress reaches clients' port", self.ingress.reaches(at, 8080))
        expect("policy: and not the operators'", not self.ingress.reaches(at, 9090))
        expect("policy: monitoring reaches the operators' port", self.monitoring.reaches(at, 9090))
        expect("policy: and not the clients'", not self.monitoring.reaches(at, 8080))
        for port in (8080, 9090):
            expect(f"policy: nobody else reaches {port}", not self.elsewhere.reaches(at, port))
        out = lambda host, port: self.elsewhere.reaches(host, port, net=net)
        dns = kubectl("get", "endpointslices", "-n", "kube-system", "-l", "kubernetes.io/service-name=kube-dns", "-o", "json")
        dns = json.loads(dns)["items"][0]["endpoints"][0]["addresses"][0]
        api = kubectl("get", "service", "-n", "default", "kubernetes", "-o", "jsonpath={.spec.clusterIP}")
        expect("policy: it reaches names", out(dns, 53))
        expect("policy: it reaches HTTPS of the world", out(self.public, 443))
        expect("policy: and nothing else there", not out(self.public, 80) and self.elsewhere.reaches(self.public, 80))
        expect("policy: it does not reach the cluster's API", not out(api, 443) and self.elsewhere.reaches(api, 443))
        expect("policy: nor another pod", not out(second["status"]["podIP"], 8080))

    def configured(self, pairs: list[tuple[str, str]]):
        ours("apply", "-f", "-", given=replaced(self.manifest, pairs))

    def has_echo(self) -> bool:
        return "echo" in self.ingress("tools", *self.to).split()

    def configurations(self):
        more = ("    [plugins.conformance]", '    [plugins.echo]\n    path = "/usr/local/lib/toolcell/echo.wasm"\n\n    [plugins.conformance]')
        before = {name(it) for it in pods()}
        expect("configuration: there is no echo yet", not self.has_echo())
        with self.calls("a new configuration"):
            self.configured([more])
            until("the kubelet brings the new configuration", self.has_echo, 180)
        expect("a new configuration: is taken without a restart", {name(it) for it in pods()} == before)
        with self.calls("a new configuration and a restart"):
            self.configured([])
            restarted()
            until("the endpoints are the new ones", lambda: not self.has_echo())
        two_ready()
        before = {name(it) for it in pods()}
        with self.calls("a bad configuration"):
            self.configured([("drain-ms", "dain-ms")])
            ours("rollout", "restart", "deployment/toolcell")
            why = refused(lambda: ours("rollout", "status", "deployment/toolcell", "--timeout=45s"))
        expect("a bad configuration: the rollout waits", "timed out" in why)
        expect("a bad configuration: those before serve on", {name(it) for it in pods() if is_ready(it)} == before)
        broken = next(name(it) for it in pods() if name(it) not in before)
        expect("a bad configuration: the log names the key", "dain-ms" in ours("logs", broken))
        self.configured([])
        ours("rollout", "status", "deployment/toolcell", "--timeout=240s")
        two_ready()

    def deletion(self):
        pod = pods()[0]
        address = f"http://{pod['status']['podIP']}:8080/mcp"
        code = "jsonpath={.status.containerStatuses[0].state.terminated.exitCode} "
        watch = subprocess.Popen(["kubectl", "-n", "toolcell", "get", "pod", name(pod), "--watch", "-o", code], stdout=subprocess.PIPE, text=True)
        call = self.ingress.begin("slow", address, self.to[1], "12000")
        time.sleep(2)
        with self.calls("a deleted pod"):
            ours("delete", "pod", name(pod))
            two_ready()
        expect("a deleted pod: ends the call it has", "worked for 12000 ms" in call.communicate(timeout=60)[0])
        watch.terminate()
        expect("a deleted pod: ends with 0", watch.communicate()[0].split()[-1:] == ["0"])

    def budget(self):
        def evict(pod: dict):
            eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name(pod), "namespace": "toolcell"}}
            kubectl("create", "--raw", f"/api/v1/namespaces/toolcell/pods/{name(pod)}/eviction", "-f", "-", given=json.dumps(eviction))
        first, second = pods()
        with self.calls("an evicted pod"):
            expect("budget: one may be evicted", not refused(lambda: evict(first)))
            expect("budget: and not both", "disruption budget" in refused(lambda: evict(second)))
            two_ready()

    def liveness(self):
        pod = pods()[0]
        restarts = lambda: json.loads(ours("get", "pod", name(pod), "-o", "json"))["status"]["containerStatuses"][0]["restartCount"]
        self.elsewhere("stop", self.process(pod))
        until("a server that hangs is not ready", lambda: name(pod) not in {name(it) for it in pods() if is_ready(it)}, 60)
        until("the endpoints are without it", lambda: "worked" in self.ingress("slow", *self.to, "1"), 60)
        with self.calls("a server that hangs"):
            until("a server that hangs is started again", lambda: restarts() == 1, 240)
        two_ready()
        expect("a server that hangs: serves again", {name(it) for it in pods()} >= {name(pod)})

    def run(self):
        first, second = pods()
        print(self.monitoring("healthy", f"http://{first['status']['podIP']}:9090"), flush=True)
        self.is_confined(first)
        print(self.ingress("drive", *self.to), flush=True)
        self.policy(first, second)
        with self.calls("a restart"):
            restarted()
        two_ready()
        expect("a restart: both are others", not {name(it) for it in pods()} & {name(first), name(second)})
        self.configurations()
        self.deletion()
        self.budget()
        self.liveness()


def applied(options, manifest: str):
    """As the first lines of the manifest say."""
    kubectl("create", "namespace", "toolcell")
    kubectl("label", "namespace", "toolcell", "pod-security.kubernetes.io/enforce=restricted")
    dry = lambda text: ours("apply", "--dry-run=server", "--validate=strict", "-f", "-", given=text)
    expect("the cluster takes the example as it is", "networkpolicy" in dry(MANIFEST.read_text()))
    misspelt = replaced(manifest, [("readOnlyRootFilesystem", "readOnlyRootFileSystem")])
    expect("and not with a misspelt key", "unknown field" in refused(lambda: dry(misspelt)))
    with tempfile.TemporaryDirectory(prefix="toolcell-keys-") as folder:
        file = f"{folder}/keys.json"
        made = [options.toolcell, "key", "new", "someone", "--group", "people", "--file", file]
        options.key = subprocess.run(made, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        ours("create", "secret", "generic", "toolcell-keys", f"--from-file={file}")
    ours("apply", "-f", "-", given=manifest)
    ours("rollout", "status", "deployment/toolcell", "--timeout=240s")
    two_ready()
    expect("both are ready", len(pods()) == 2)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--toolcell", type=Path, required=True)
    arguments.add_argument("--image", required=True, help="the one of container/Containerfile")
    arguments.add_argument("--client", required=True, help="an image with python3, httpx and nsenter")
    arguments.add_argument("--public", required=True, help="an address outside, not private, that answers on 80 and 443")
    options = arguments.parse_args()
    manifest = replaced(MANIFEST.read_text(), [
        ("registry.example.com/toolcell:0.1.0", options.image),
        ("[plugins.time]", "[plugins.conformance]"), ("toolcell/time.wasm", "toolcell/conformance.wasm"),
        # So that three fit where the cluster is one small machine.
        ('cpu: "1"', "cpu: 100m"),
    ])
    if there := set(NAMESPACES) & set(kubectl("get", "namespaces", "-o", "jsonpath={.items[*].metadata.name}").split()):
        sys.exit(f"not a cluster that is free for this: it has {', '.join(there)}")
    try:
        applied(options, manifest)
        Trial(options, manifest).run()
    finally:
        kubectl("delete", "namespace", "--ignore-not-found", *NAMESPACES)
    print("all of it is as it should be")


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in IN_PODS:
        IN_PODS[sys.argv[1]](*sys.argv[2:])
    else:
        main()
