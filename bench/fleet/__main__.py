"""Processor time and memory of watching a whole fleet, and how soon a lost printer is back.

``python -m bench.fleet --help``
"""

import argparse
import hashlib
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.live.__main__ import port_of
from bench.live.printers import path_of
from bench.measure import Child, circumstances, keep
from tests.fixtures.octoprint import OctoPrint, gcode_lasting, running

SETTLE = 15.0  # seconds in which everything connects, and time-outs of the dead come into their rhythm
PRINT_LASTS = 1800.0
MOST_SECONDS = 120.0


class Fleet:
    """One fleet: live printers (real ones among them), dead ones, all idle or all printing."""

    def __init__(
        self, stack: ExitStack, count: int, dead: int, state: str, real: list[OctoPrint], folder: Path
    ) -> None:
        self.folder = folder
        self.live = max(1, count - dead - len(real))
        self.crowd = stack.enter_context(Child(["-m", "bench.fleet.crowd", str(self.live), str(dead), state]))
        ports = [str(port) for port in self.crowd.hear()["ports"]]
        live, gone = ports[: self.live], ports[self.live :]
        sha1 = [begin(server, self.live + at, state) for at, server in enumerate(real)]
        keyed = [f"{one.port}={one.operator_key}={digest}" for one, digest in zip(real, sha1, strict=True)]
        self.held = [*live, *(f"{one.port}={one.operator_key}" for one in real), *gone]
        self.env = {
            "FABLAB_VAR": str(folder),
            "DJANGO_SETTINGS_MODULE": "fablab.settings",
            "LOG_LEVEL": "ERROR",
            "MACHINE_NETWORKS": ",".join(
                f"127.0.0.1:{port}" for port in [*ports, *(one.port for one in real)]
            ),
        }
        at_work = self.live + len(real) if state == "printing" else 0
        places = [*live, *keyed, *gone]
        with Child(
            ["-m", "bench.fleet.seed", str(at_work), *places], env=self.env, log=folder / "seed.log"
        ) as seed:
            seed.hear()

    @contextmanager
    def watched_by(self, what: str) -> Iterator[Child]:
        """Start what is measured, and wait until it has its rhythm."""
        log = self.folder / f"{what}.log"
        if what == "bare":
            with Child(["-m", "bench.fleet.bare", *self.held], log=log) as client:
                client.hear()
                time.sleep(SETTLE)
                yield client
            return
        with Child(["manage.py", "serve", "--port", "0"], env=self.env, log=log) as lab:
            port_of(lab)
            time.sleep(SETTLE)
            yield lab

    def measure(self, what: str, seconds: float, trials: int, seed: int) -> dict[str, Any]:
        chance = random.Random(seed)
        with self.watched_by(what) as client:
            began, cpu, most = time.monotonic(), client.cpu_seconds(), 0.0
            while time.monotonic() - began < seconds:
                time.sleep(1.0)
                most = max(most, client.resident_mb())
            took = time.monotonic() - began
            used = client.cpu_seconds() - cpu
            backs = []
            for _ in range(trials):
                self.crowd.say(cut=chance.randrange(self.live))
                backs.append(self.crowd.hear()["back_s"])
                time.sleep(chance.uniform(0.2, 1.5))
        back = [one for one in backs if one is not None]
        return {
            "cpu_s_per_minute": round(used / took * 60, 2),
            "resident_mb": round(most, 1),
            "back_s": {
                "trials": trials,
                "median": round(statistics.median(back), 3) if back else None,
                "worst": round(max(back), 3) if back else None,
                "never": trials - len(back),
            },
        }


def begin(server: OctoPrint, number: int, state: str) -> str:
    """Have a real server print the file of this number; return the file's SHA-1."""
    server.free()
    content = gcode_lasting(PRINT_LASTS)
    if state == "printing":
        folder, name = path_of(number).split("/")
        server.upload(name, content, folder=folder)
        server.ask(f"/api/files/local/{path_of(number)}", {"command": "select", "print": True})
        server.await_state("Printing")
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.fleet", description=__doc__)
    parser.add_argument("--machines", default="10,50,200", help="sizes of the fleet (10,50,200; at most 200)")
    parser.add_argument("--states", default="idle,printing", help="what all live machines do (idle,printing)")
    parser.add_argument("--dead", default="0,90", help="percent of the fleet that is dead (0,90)")
    parser.add_argument("--real", type=int, default=3, help="real OctoPrint servers among the live (3)")
    parser.add_argument("--seconds", type=float, default=60.0, help="that are measured (60; at most 120)")
    parser.add_argument("--trials", type=int, default=20, help="sockets that are closed (20)")
    parser.add_argument("--what", default="bare,lab", help="bare (sockets only), lab (manage.py serve)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--logs", type=Path, help="a folder that keeps what the processes say")
    arguments = parser.parse_args()
    result: dict[str, Any] = {**circumstances(), "seed": arguments.seed, "cells": []}
    with ExitStack() as all_of_it:
        real = all_of_it.enter_context(running(arguments.real))[0] if arguments.real else []
        for count in (min(200, int(number)) for number in arguments.machines.split(",")):
            for state in arguments.states.split(","):
                for percent in (int(one) for one in arguments.dead.split(",")):
                    row = cell(arguments, count, state, count * percent // 100, real)
                    result["cells"].append(row)
    print(keep("fleet", result))


def cell(
    arguments: argparse.Namespace, count: int, state: str, dead: int, real: list[OctoPrint]
) -> dict[str, Any]:
    """Measure one size, state and share of dead machines."""
    # One of the crowd is always alive: it is its socket that is closed.
    real = real[: max(0, count - dead - 1)]
    row: dict[str, Any] = {"machines": count, "state": state, "dead": dead, "real": len(real)}
    for what in arguments.what.split(","):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fablab-bench-")))
            if arguments.logs:
                folder = arguments.logs / f"{count}-{state}-{dead}-{what}"
                folder.mkdir(parents=True)
            fleet = Fleet(stack, count, dead, state, real, folder)
            seconds = min(MOST_SECONDS, arguments.seconds)
            row[what] = fleet.measure(what, seconds, arguments.trials, arguments.seed)
            print(
                json.dumps(
                    {**{key: row[key] for key in ("machines", "state", "dead", "real")}, what: row[what]}
                ),
                flush=True,
            )
    return row


if __name__ == "__main__":
    main()
