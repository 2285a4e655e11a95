"""One upload by our driver, in a process of its own so that its memory can be watched.

    python -m bench.send.carrier FILE URL KEY

Waits for a line, then sends; says ``{"ready": true}``, then ``{"seconds", "before_mb", "most_mb"}``.
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

from equipment.drivers.addresses import parse_allowed
from equipment.drivers.base import Connection
from equipment.drivers.octoprint.driver import OctoPrintDriver


def most_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main(file: str, url: str, key: str) -> None:
    allowed = parse_allowed([url.removeprefix("http://")])
    driver = OctoPrintDriver(Connection(url, key, allowed))
    await driver.probe()
    print(json.dumps({"ready": True}), flush=True)
    name = json.loads(await asyncio.to_thread(sys.stdin.readline))["name"]
    before, began = most_mb(), time.monotonic()
    sent = await driver.send(Path(file), "fl", name, {"bench": 1})
    took = time.monotonic() - began
    print(json.dumps({"seconds": took, "before_mb": before, "most_mb": most_mb()}), flush=True)
    await driver.delete(sent.path)
    await driver.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
