"""The least that can hold the same sockets: reads what printers push and throws it away; begins anew when one closes.

    python -m bench.fleet.bare PORT[=KEY]...        says {"ready": true}

With a key it logs in as OctoPrint demands; without one the crowd lets anybody in.
"""

import asyncio
import json
import sys

import aiohttp
import uvloop

RETRY = 5.0


async def hold(session: aiohttp.ClientSession, port: str, key: str) -> None:
    url = f"http://127.0.0.1:{port}"
    while True:
        try:
            async with session.ws_connect(f"{url}/sockjs/websocket") as channel:
                ticket = {"name": "lab", "session": "bench"}
                if key:
                    async with session.post(
                        f"{url}/api/login", json={"passive": True}, headers={"X-Api-Key": key}
                    ) as answer:
                        ticket = await answer.json()
                await channel.send_str(json.dumps({"throttle": 4}))
                await channel.send_str(json.dumps({"auth": f"{ticket['name']}:{ticket['session']}"}))
                async for _ in channel:
                    continue
        except (aiohttp.ClientError, OSError, TimeoutError):
            await asyncio.sleep(RETRY)


async def main(places: list[str]) -> None:
    line = aiohttp.TCPConnector(limit=0)  # one socket for each printer, however many
    async with aiohttp.ClientSession(connector=line, timeout=aiohttp.ClientTimeout(total=10)) as session:
        tasks = [asyncio.create_task(hold(session, *place.split("=", 1))) for place in places]
        print(json.dumps({"ready": True}), flush=True)
        await asyncio.gather(*tasks)


if __name__ == "__main__":
    uvloop.run(main([place if "=" in place else f"{place}=" for place in sys.argv[1:]]))
