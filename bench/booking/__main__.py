"""Bookings a second, one slot wanted by many, the week of 110 machines, next free times. ``python -m bench.booking``"""

import argparse
import json
import random
import tempfile
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.booking.servers import postgres, redis, serving
from bench.measure import Child, circumstances, keep, milliseconds

CONNECTIONS = 50
SLOT_ROUNDS = 10
WARM_UP = 100
PROCESSES = {"sqlite": 1, "postgresql": 2}  # serve refuses a second process beside SQLite


class Bench:
    """One database: the process beside the servers, the clients, and what the lab holds."""

    def __init__(
        self, database: str, env: dict[str, str], folder: Path, at: datetime, stack: ExitStack
    ) -> None:
        self.database = database
        self.env = env
        self.folder = folder
        self.at = at
        self.inside = stack.enter_context(
            Child(["-m", "bench.booking.inside"], env=env, log=folder / "inside.log")
        )
        self.clients = stack.enter_context(Child(["-m", "bench.booking.clients"], log=folder / "clients.log"))
        self.lab = self.ask(do="make")

    def ask(self, **command: Any) -> Any:
        self.inside.say(at=self.at.isoformat(), **command)
        return self.inside.hear()

    def post(self, ports: list[int], requests: list[Any], **command: Any) -> Any:
        self.clients.say(
            **{"ports": ports, "connections": CONNECTIONS, "requests": requests, "seconds": 60, **command}
        )
        return self.clients.hear()

    def measure(self, count: int, seconds: float, seed: int) -> dict[str, Any]:
        """Measure everything with so many bookings in the database."""
        row: dict[str, Any] = {"bookings": self.ask(do="grow", count=count, seed=seed)["bookings"]}
        row["bare_inserts"] = self.ask(do="bare_inserts", count=1000)
        row.update(self.ask(do="reads"))
        wishes = self.wishes(random.Random(seed))
        with serving(PROCESSES[self.database], self.env, self.folder) as (servers, ports):
            self.post(ports, [wishes.pop() for _ in range(WARM_UP)])
            row["many_slots"] = self.many(servers, ports, wishes, seconds)
            row["trivial_get"] = self.trivial(ports, seconds / 2)
            row["one_slot"] = self.one_slot(ports, [wishes.pop() for _ in range(SLOT_ROUNDS)])
        row["after"] = self.ask(do="booked")
        accepted = WARM_UP + row["many_slots"]["accepted"] + row["one_slot"]["accepted"]
        if row["after"] != {"live": accepted, "overlaps": 0}:
            raise RuntimeError(f"answers and rows disagree: {accepted} accepted, {row['after']}")
        many = row["many_slots"]
        many["share_of_bare_inserts"] = round(many["per_second"] / row["bare_inserts"]["per_second"], 3)
        many["share_of_trivial_gets"] = round(many["per_second"] / row["trivial_get"]["per_second"], 3)
        return row

    def wishes(self, chance: random.Random) -> list[Any]:
        """Return requests for every free hour of every machine, in an order of chance; nobody is in two places."""
        found = []
        for hour_number, hour in enumerate(self.lab["hours"]):
            end = (datetime.fromisoformat(hour) + timedelta(hours=1)).isoformat()
            for number, machine in enumerate(self.lab["machines"]):
                token = self.lab["tokens"][(number + 110 * hour_number) % len(self.lab["tokens"])]
                found.append([token, {"machine": machine, "start": hour, "end": end}])
        chance.shuffle(found)
        return found

    def many(
        self, servers: list[Child], ports: list[int], wishes: list[Any], seconds: float
    ) -> dict[str, Any]:
        """Book many hours of many machines for so long."""
        cpu = [server.cpu_seconds() for server in servers]
        told = self.post(ports, wishes, seconds=seconds)
        used = sum(server.cpu_seconds() for server in servers) - sum(cpu)
        del wishes[: len(told["answers"])]
        statuses = Counter(answer[0] for answer in told["answers"])
        if set(statuses) != {201}:
            raise RuntimeError(f"free hours were refused: {statuses} {told['answers'][:3]}")
        return {
            "accepted": statuses[201],
            "per_second": round(statuses[201] / told["took"], 1),
            **milliseconds([answer[1] for answer in told["answers"]]),
            "server_cpu_ms_each": round(1000 * used / statuses[201], 2),
        }

    def trivial(self, ports: list[int], seconds: float) -> dict[str, Any]:
        """Read a person's notices: signed in by token too, and one short query."""
        tokens = [[token, None] for token in self.lab["tokens"]] * 30
        told = self.post(ports, tokens, seconds=seconds, get="/api/v1/notices/")
        return {
            "per_second": round(len(told["answers"]) / told["took"], 1),
            **milliseconds([answer[1] for answer in told["answers"]]),
        }

    def one_slot(self, ports: list[int], slots: list[Any]) -> dict[str, Any]:
        """Have 50 people ask for the same hour at once, several times over."""
        accepted, refused, seconds = [], Counter[str](), []
        offered = []
        for _, body in slots:
            # Of those who book nothing else at that hour.
            first = 110 * (self.lab["hours"].index(body["start"]) + 1)
            tokens = self.lab["tokens"]
            people = [tokens[(first + number) % len(tokens)] for number in range(CONNECTIONS)]
            answers = self.post(ports, [[token, body] for token in people], together=True)["answers"]
            accepted.append(sum(answer[0] == 201 for answer in answers))
            refused.update(f"{a[0]} {'+'.join(a[2])}" for a in answers if a[0] != 201)
            offered += [a[3] for a in answers if a[0] != 201]
            seconds += [answer[1] for answer in answers]
        return {
            "rounds": len(slots),
            "accepted": sum(accepted),
            "accepted_each": sorted(set(accepted)),
            "refused": dict(refused),
            "fewest_alternatives": min(offered),
            **milliseconds(seconds),
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.booking", description=__doc__)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--bookings", default="1000,10000,100000", help="in the database (at most 100000)")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="of booking, for each figure (10; at most 12)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--logs", type=Path, help="a folder that keeps what the processes say")
    arguments = parser.parse_args()
    at = datetime.now(UTC).replace(microsecond=0)
    result: dict[str, Any] = {**circumstances(), "seed": arguments.seed, "cells": []}
    print(f"seed {arguments.seed}, load before {result['load_before']}")
    for database in arguments.databases.split(","):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fablab-bench-")))
            logs = arguments.logs or folder
            logs.mkdir(parents=True, exist_ok=True)
            env = {
                "FABLAB_VAR": str(folder),
                "DJANGO_SETTINGS_MODULE": "fablab.settings",
                "LOG_LEVEL": "WARNING",
            }
            if database == "postgresql":
                env["DATABASE_URL"] = stack.enter_context(postgres(logs / "postgres.log"))
                env["REDIS_URL"] = stack.enter_context(redis(folder))
            bench = Bench(database, env, logs, at, stack)
            for count in (min(100_000, int(number)) for number in arguments.bookings.split(",")):
                row = {
                    "database": database,
                    "server_processes": PROCESSES[database],
                    **bench.measure(count, min(12.0, arguments.seconds), arguments.seed),
                }
                print(json.dumps(row), flush=True)
                result["cells"].append(row)
    print(table(result["cells"]))
    print(keep("booking", result))


def table(rows: list[dict[str, Any]]) -> str:
    """Return what the README shows, ready to be laid there."""
    heads = (
        "database", "bookings", "booked/s", "p50, p99 ms", "share of bare INSERTs", "one slot: taken, p99 ms",
        "week: queries, ms", "next offers: queries, ms", "first offers", "next free",
    )  # fmt: skip
    lines = [heads, ("---",) * len(heads)]
    for row in rows:
        many, one = row["many_slots"], row["one_slot"]
        lines.append(
            (
                f"{row['database']} × {row['server_processes']}",
                f"{row['bookings']:,}",
                str(round(many["per_second"])),
                f"{many['p50']:.0f}, {many['p99']:.0f}",
                str(many["share_of_bare_inserts"]),
                f"{one['accepted']} in {one['rounds']} rounds, {one['p99']:.0f}",
                *(
                    f"{row[name]['queries']}, {row[name]['ms']:.0f}"
                    for name in ("week_page", "next_offers", "first_offers", "next_free")
                ),
            )
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
