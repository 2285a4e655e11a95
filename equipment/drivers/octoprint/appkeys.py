"""Getting a key without copying secrets: OctoPrint's Application Keys workflow.

A person opens `KeyRequest.dialog_url` in a browser, logs in to OctoPrint and agrees. Meanwhile we ask
every second: after five seconds without a question OctoPrint drops the request. The key acts as the
person who agreed, so that should be the account made for this system.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote

from equipment.drivers.base import Code, Connection, DriverError
from equipment.drivers.web import Limits, Lookup, Web

ASK_EVERY = 1.0  # seconds
WAIT_AT_MOST = 300.0  # seconds a person gets to agree

_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,100}")
_KEY = re.compile(r"[\x21-\x7e]{8,200}")


class Decision(StrEnum):
    WAITING = "waiting"
    GRANTED = "granted"
    GONE = "gone"  # refused, expired, or handed out before: OctoPrint does not tell which


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A request that waits for a person. The token lets its holder take the key: keep it on the server."""

    token: str = field(repr=False)
    dialog_url: str


@dataclass(frozen=True, slots=True)
class Poll:
    """One answer. The key comes once; asking again says `gone`."""

    decision: Decision
    key: str | None = field(default=None, repr=False)


class KeyDesk:
    """The workflow with one OctoPrint. Use it as `async with KeyDesk(connection) as desk`; no key is needed."""

    def __init__(
        self, connection: Connection, *, limits: Limits | None = None, lookup: Lookup | None = None
    ) -> None:
        # Without a key, whatever the connection holds: these requests are made as nobody.
        self._web = Web(connection, headers={}, limits=limits, lookup=lookup)

    async def __aenter__(self) -> "KeyDesk":
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self._web.close()

    async def is_offered(self) -> bool:
        """Whether this server offers the workflow. Raises DriverError when nobody answers."""
        return (await self._web.request("GET", "/plugin/appkeys/probe")).status == 204

    async def request(self, app: str, user: str | None = None) -> KeyRequest:
        """Ask for a key in the name of `app`. Raises `too_many_requests` (3 a minute, 10 an hour)."""
        command = {"app": app} if user is None else {"app": app, "user": user}
        answer = await self._web.request("POST", "/plugin/appkeys/request", command=command)
        if answer.status == 429:
            raise DriverError(Code.TOO_MANY_REQUESTS)
        if answer.status != 201:
            raise DriverError(Code.NOT_OCTOPRINT, status=answer.status)
        token = answer.json_object().get("app_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise DriverError(Code.ANSWER_UNREADABLE, status=201)
        # Built here and not taken from the answer: a person will click on it.
        suffix = "" if user is None else f"?user={quote(user, safe='')}"
        return KeyRequest(token, f"{self._web.target.base}/plugin/appkeys/auth/{token}{suffix}")

    async def poll(self, request: KeyRequest) -> Poll:
        """Ask once whether the person decided."""
        answer = await self._web.request("GET", f"/plugin/appkeys/request/{request.token}")
        if answer.status == 202:
            return Poll(Decision.WAITING)
        if answer.status == 404:
            return Poll(Decision.GONE)
        if answer.status != 200:
            raise DriverError(Code.SERVER_FAILED, status=answer.status)
        key = answer.json_object().get("api_key")
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise DriverError(Code.ANSWER_UNREADABLE, status=200)
        return Poll(Decision.GRANTED, key)

    async def wait(
        self,
        request: KeyRequest,
        *,
        every: float = ASK_EVERY,
        at_most: float = WAIT_AT_MOST,
        on_wait: Callable[[], None] | None = None,
    ) -> str:
        """Ask until the person decided, and return the key.

        Raises `key_refused` when the request is gone, `key_request_expired` after `at_most` seconds. A
        question whose answer is lost is asked again: OctoPrint forgives four missed ones.
        """
        try:
            async with asyncio.timeout(at_most):
                while True:
                    answer = await self._poll_or_wait(request)
                    if answer.key is not None:
                        return answer.key
                    if answer.decision is Decision.GONE:
                        raise DriverError(Code.KEY_REFUSED)
                    if on_wait is not None:
                        on_wait()
                    await asyncio.sleep(every)
        except TimeoutError as problem:
            raise DriverError(Code.KEY_REQUEST_EXPIRED) from problem

    async def _poll_or_wait(self, request: KeyRequest) -> Poll:
        try:
            return await self.poll(request)
        except DriverError as problem:
            if problem.code in (Code.ANSWER_LOST, Code.TIMED_OUT, Code.CONNECTION_REFUSED):
                return Poll(Decision.WAITING)
            raise
