"""Run as a script in a fresh process: lays limits on itself, then becomes the program it was given.

Usage: python -I -S confine.py '{"memory": bytes, ...}' PROGRAM ARGUMENT...

It stands alone (standard library, no package import) because it must be small, quick and free of the caller's
threads: setting limits between fork and exec inside a threaded server can deadlock. What the kernel does not
allow is left out and told to the program in the environment variable CONFINED, a list of words:
`no-network`, `read-only`.
"""

import ctypes
import json
import os
import resource
import signal
import struct
import sys

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
# Landlock: the same three system call numbers on every architecture.
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
LANDLOCK_RULE_PATH_BENEATH = 1
# write file, remove dir, remove file, make char, dir, reg, sock, fifo, block, sym (all known to the first ABI)
LANDLOCK_WRITES = 0b1111111110010


def no_network(libc: ctypes.CDLL) -> bool:
    """An empty network of its own. Works without privileges where user namespaces are allowed."""
    return bool(libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)


def read_only_but(folder: str, libc: ctypes.CDLL) -> bool:
    """No writing anywhere but in `folder`, by Landlock (Linux 5.13 and later)."""
    ruleset = libc.syscall(LANDLOCK_CREATE_RULESET, struct.pack("Q", LANDLOCK_WRITES), ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    where = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    rule = struct.pack("=Qi", LANDLOCK_WRITES, where)
    added = libc.syscall(LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, rule, 0)
    null = os.open(os.devnull, os.O_PATH)
    libc.syscall(LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, struct.pack("=Qi", 0b10, null), 0)
    return bool(added == 0 and libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0)


def main() -> None:
    asked = json.loads(sys.argv[1])
    program = sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != asked["parent"]:
        sys.exit("the parent is gone")
    for what, value in (
        (resource.RLIMIT_AS, asked["memory"]),
        (resource.RLIMIT_CPU, asked["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, asked["file_bytes"]),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (ceiling, ceiling))
    done = []
    if no_network(libc):
        done.append("no-network")
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if read_only_but(".", libc):
        done.append("read-only")
    os.umask(0o077)
    os.execve(program[0], program, {**os.environ, "CONFINED": " ".join(done)})  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main()
