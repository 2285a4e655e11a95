"""OctoPrint's prompt event → frame at a browser's socket. ``python -m bench.live --help``"""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.measure import Child, answering, circumstances, keep, milliseconds

SETTLE = 3.0  # seconds in which everything connects and the first looks are over
AFTER = 1.5  # seconds for the last event to arrive


class Cell:
    """One number of machines and viewers: the printers, the lab, and what is measured against them."""

    def __init__(self, stack: ExitStack, machines: int, viewers: int, folder: Path) -> None:
        self.viewers = viewers
        self.folder = folder
        self.env = {
            "FABLAB_VAR": str(folder),
            "DJANGO_SETTINGS_MODULE": "fablab.settings",
            "LOG_LEVEL": "WARNING",
        }
        self.printers = stack.enter_context(Child(["-m", "bench.live.printers", str(machines)]))
        self.ports = [str(port) for port in self.printers.hear()["ports"]]
        self.env["MACHINE_NETWORKS"] = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        with Child(
            ["-m", "bench.live.seed", str(viewers), *self.ports], env=self.env, log=folder / "seed.log"
        ) as seed:
            self.lab = seed.hear()

    def server(self, what: str) -> Child:
        """Start what is measured; it tells its port by ``port_of``."""
        log = self.folder / f"{what}.log"
        if what == "relay":
            return Child(["-m", "bench.live.relay", *self.ports], log=log)
        if what == "hub":
            machines, jobs = json.dumps(self.lab["machines"]), json.dumps(self.lab["jobs"])
            arguments = ["-m", "bench.live.hub_alone", self.lab["site"], machines, jobs, *self.ports]
            return Child(arguments, env=self.env, log=log)
        return Child(["manage.py", "serve", "--port", "0"], env=self.env, log=log)

    def measure(self, what: str, seconds: float, per_second: float, seed: int) -> dict[str, Any]:
        """Run one server under the viewers' eyes while people pause and resume prints."""
        topics = [
            [f"board:{self.lab['site']}", f"job:{self.lab['jobs'][number % len(self.lab['jobs'])]}"]
            if what != "relay"
            else []
            for number in range(self.viewers)
        ]
        self.printers.say(reset=True)
        self.printers.hear()
        with (
            self.server(what) as server,
            Child(["-m", "bench.live.viewers"], log=self.folder / "viewers.log") as viewers,
        ):
            viewers.say(
                port=port_of(server),
                path="/ws/v1/live/",
                cookies=self.lab["cookies"],
                subscribe=topics,
                machines={pk: number for number, pk in enumerate(self.lab["machines"])},
                jobs={pk: number for number, pk in enumerate(self.lab["jobs"])},
            )
            opening = time.monotonic()
            viewers.hear()
            opened = time.monotonic() - opening
            time.sleep(SETTLE)
            viewers.say(count=True)
            viewers.hear()
            began = time.monotonic()
            cpu = [child.cpu_seconds() for child in (server, viewers)]
            self.printers.say(seconds=seconds, per_second=per_second, seed=seed)
            happened = self.printers.hear()["happened"]
            cpu = [child.cpu_seconds() - was for child, was in zip((server, viewers), cpu, strict=True)]
            took = time.monotonic() - began
            time.sleep(AFTER)
            viewers.say(result=True)
            heard = viewers.hear()
            resident = server.resident_mb()
        counted = took + AFTER
        return {
            **arrivals(
                happened, heard["seen"], self.viewers, len(self.lab["jobs"]), with_jobs=what != "relay"
            ),
            "bytes_per_second_and_viewer": round(heard["bytes"] / counted / self.viewers),
            "frames_per_second_and_viewer": round(heard["frames"] / counted / self.viewers, 2),
            "server_cpu_percent": round(cpu[0] / took * 100, 1),
            "viewers_cpu_percent": round(cpu[1] / took * 100, 1),
            "server_mb": round(resident, 1),
            "opened_in_s": round(opened, 2),
            "gaps": heard["gaps"],
            "new_snapshots": heard["snapshots"],
            "closed": heard["closed"],
        }


def port_of(server: Child) -> int:
    """Return the port from a server's first JSON line, or from the address that ``serve`` prints."""
    line = ""
    while not line.startswith(("{", "http://")):
        line = server.line()
    port = json.loads(line)["port"] if line.startswith("{") else line.split()[0].rpartition(":")[2]
    answering(int(port))
    return int(port)


def arrivals(
    happened: list[Any], seen: list[Any], viewers: int, jobs: int, *, with_jobs: bool
) -> dict[str, Any]:
    """Match each event with the frames that told it: the first word of its kind, before the machine's next event."""
    times: dict[tuple[int, str, str], list[float]] = defaultdict(list)
    for number, word, on, at in seen:
        times[number, word, on].append(at)
    following: dict[int, float] = {}
    found: dict[str, list[float]] = {"board": [], "job": []}
    expected = {"board": 0, "job": 0}
    for number, word, at in reversed(happened):
        until = following.get(number, float("inf"))
        following[number] = at
        for on in ("board", "job") if with_jobs else ("board",):
            watching = viewers if on == "board" else sum(1 for one in range(viewers) if one % jobs == number)
            expected[on] += watching
            delays = [when - at for when in times[number, word, on] if at <= when < until]
            found[on] += sorted(delays)[:watching]
    return {
        "events": len(happened),
        "board_ms": milliseconds(found["board"]),
        "board_missed": expected["board"] - len(found["board"]),
        **(
            {"job_ms": milliseconds(found["job"]), "job_missed": expected["job"] - len(found["job"])}
            if with_jobs
            else {}
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.live", description=__doc__)
    parser.add_argument("--machines", default="2,50", help="numbers of machines (2,50; at most 50)")
    parser.add_argument("--viewers", default="20,500", help="numbers of viewers (20,500; at most 500)")
    parser.add_argument("--what", default="relay,hub,path", help="relay, hub (alone), path (manage.py serve)")
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="for which events happen (20; at most 120)"
    )
    parser.add_argument("--per-second", type=float, default=4.0, help="events of all machines together (4)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--logs", type=Path, help="a folder that keeps what the processes say")
    arguments = parser.parse_args()
    result: dict[str, Any] = {**circumstances(), "seed": arguments.seed, "cells": []}
    for machines in (min(50, int(number)) for number in arguments.machines.split(",")):
        for viewers in (min(500, int(number)) for number in arguments.viewers.split(",")):
            with ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fablab-bench-")))
                if arguments.logs:
                    folder = arguments.logs / f"{machines}-{viewers}"
                    folder.mkdir(parents=True)
                cell = Cell(stack, machines, viewers, folder)
                row: dict[str, Any] = {"machines": machines, "viewers": viewers}
                for what in arguments.what.split(","):
                    seconds = min(120.0, arguments.seconds)
                    row[what] = cell.measure(what, seconds, arguments.per_second, arguments.seed)
                    print(machines, "machines,", viewers, "viewers,", what, json.dumps(row[what]), flush=True)
                add_ratios(row)
                result["cells"].append(row)
    print(keep("live", result))


def add_ratios(row: dict[str, Any]) -> None:
    """Say each figure as a ratio to the bare relay of the same run."""
    bare = row.get("relay", {}).get("board_ms", {})
    for what in ("hub", "path"):
        if what in row and bare:
            row[what]["times_the_relay"] = {
                name: round(row[what]["board_ms"][name] / bare[name], 2)
                for name in ("p50", "p99")
                if row[what]["board_ms"][name] and bare[name]
            }


if __name__ == "__main__":
    main()
