"""The shortest client of a printer's push channel, for the relay and for the hub alone."""

import json
from collections.abc import Awaitable, Callable

import aiohttp

Take = Callable[[int, str], Awaitable[None]]


async def listen_to(number: int, port: int, take: Take) -> None:
    """Give every text of printer ``number`` to ``take``, until cancelled or the printer ends."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{port}/sockjs/websocket") as socket,
    ):
        await socket.send_str(json.dumps({"auth": "lab:bench"}))
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await take(number, message.data)
