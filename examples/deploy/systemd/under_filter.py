#!/usr/bin/python3
"""Runs the server under the SystemCallFilter= of toolcell.service, where systemd itself does not run.

    apt-get install python3-seccomp
    TOOLCELL=PATH ../try.py --toolcell ./under_filter.py --plugin PATH

What the filter refuses fails with EPERM, as in the unit; the list is systemd's own, by `systemd-analyze syscall-filter`.
"""

import errno
import os
import subprocess
import sys
from pathlib import Path

import seccomp


def calls(name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    text = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True).stdout
    lines = [line.strip() for line in text.splitlines()[1:]]
    return set().union(*(calls(line) for line in lines if line and not line.startswith("#")))


allowed: set[str] = set()
for line in (Path(__file__).parent / "toolcell.service").read_text().splitlines():
    key, _, value = line.partition("=")
    if key == "SystemCallFilter":
        named = set().union(*(calls(name) for name in value.removeprefix("~").split()))
        allowed = allowed - named if value.startswith("~") else allowed | named

command = [os.environ["TOOLCELL"], *sys.argv[1:]]
# It is the same process that takes the socket: LISTEN_PID stays right.
only = seccomp.SyscallFilter(defaction=seccomp.ERRNO(errno.EPERM))
for name in sorted(allowed):
    try:
        only.add_rule(seccomp.ALLOW, name)
    except (RuntimeError, ValueError):
        # Not a call of this architecture.
        pass
only.load()
os.execv(command[0], command)
