"""Pages while uploads and downloads trickle, beside the same pages alone. ``python -m bench.front --help``"""

import argparse
import http.client
import json
import random
import socket
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.measure import Child, answering, circumstances, keep, milliseconds

BODY = 2_000_000  # bytes that each upload says it will send
PIECE = 512  # bytes at a time
EVERY = 0.1  # seconds between two pieces
SETTLE = 1.0  # seconds until everything only trickles
TURNS = 4


def open_upload(port: int, token: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    head = (
        "POST /bench/upload/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {token}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {BODY}\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.stl"\r\n\r\n'
    )
    client.sendall(head.encode() + b"x" * 100_000)
    return client


def open_download(port: int) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # or the kernel would take it all at once
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    client.sendall(b"GET /bench/download/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return client


class Trickle(threading.Thread):
    """Sends and takes a little of everything again and again until told to end."""

    def __init__(self, uploads: list[socket.socket], downloads: list[socket.socket]) -> None:
        super().__init__(daemon=True)
        self.ending = threading.Event()
        self._uploads = uploads
        self._downloads = downloads
        self.moved = 0

    def run(self) -> None:
        while not self.ending.wait(EVERY):
            for client in self._uploads:
                client.sendall(b"x" * PIECE)
            for client in self._downloads:
                self.moved += len(client.recv(PIECE))


def ask(port: int, count: int, per_second: float, seed: int) -> list[float]:
    """Ask for a page ``count`` times, at moments of chance, on a connection that is kept; return the times."""
    chance = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    took = []
    for _ in range(count):
        time.sleep(chance.uniform(0.5, 1.5) / per_second)
        began = time.perf_counter()
        connection.request("GET", "/bench/page/")
        answer = connection.getresponse()
        answer.read()
        took.append(time.perf_counter() - began)
        if answer.status != 200:
            raise RuntimeError(f"the page answered {answer.status}")
    connection.close()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.front", description=__doc__)
    parser.add_argument("--slow", type=int, default=50, help="trickling uploads, and as many downloads (50)")
    parser.add_argument("--pages", type=int, default=800, help="pages asked for in all, in each state (800)")
    parser.add_argument("--per-second", type=float, default=25.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    slow = min(100, arguments.slow)
    result: dict[str, Any] = {**circumstances(), "seed": arguments.seed, "slow_each_way": slow}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fablab-bench-")))
        (folder / "static").mkdir()
        env = {"FABLAB_VAR": str(folder), "DJANGO_SETTINGS_MODULE": "fablab.settings", "LOG_LEVEL": "WARNING"}
        server = stack.enter_context(Child(["-m", "bench.front.server"], env=env, log=folder / "server.log"))
        said = server.hear()
        port = int(said["port"])
        answering(port)
        with ThreadPoolExecutor(16) as crowd:  # every page thread has made its first page, which costs more
            list(crowd.map(lambda seed: ask(port, 20, 100, seed), range(16)))
        parts: dict[str, list[float]] = {"idle": [], "busy": []}
        for turn in range(TURNS):  # idle, busy, idle, busy: a machine that others use drifts
            parts["idle"] += ask(port, arguments.pages // TURNS, arguments.per_second, arguments.seed + turn)
            with ExitStack() as opened:
                uploads = [opened.enter_context(open_upload(port, said["token"])) for _ in range(slow)]
                downloads = [opened.enter_context(open_download(port)) for _ in range(slow)]
                trickle = Trickle(uploads, downloads)
                trickle.start()
                time.sleep(SETTLE)
                parts["busy"] += ask(
                    port, arguments.pages // TURNS, arguments.per_second, arguments.seed + turn
                )
                trickle.ending.set()
                trickle.join()
                if not trickle.moved:
                    raise RuntimeError("the downloads did not move")
        for name, took in parts.items():
            result[name] = milliseconds(took)
        result["times_idle"] = {
            name: round(result["busy"][name] / result["idle"][name], 2) for name in ("p50", "p95", "p99")
        }
        result["server_mb"] = round(server.resident_mb(), 1)
    print(json.dumps({name: result[name] for name in ("idle", "busy", "times_idle", "server_mb")}))
    print(keep("front", result))


if __name__ == "__main__":
    main()
