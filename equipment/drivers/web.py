"""One machine's web interface, reached with care: for every driver that speaks HTTP.

Each request opens a connection of its own. A name is looked up once for each connection, the
connection goes to the address that was checked, and no answer may redirect it. Answers are limited
in size and time. Whatever goes wrong becomes a `DriverError` that says whether the request may have
reached the machine.
"""

import asyncio
import errno
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from equipment.drivers.addresses import AllowedAddress, Target, check_address, check_literal, parse_target
from equipment.drivers.base import Code, Connection, DriverError
from equipment.drivers.foreign import read_json
from equipment.drivers.leaving import demand_leave

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
Lookup = Callable[[str, int], Awaitable[Sequence[tuple[int, str]]]]
"""Name and port to (family, address) pairs: what the system's resolver answers."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes. No call waits longer, none keeps more."""

    connect: float = 3.0
    answer: float = 10.0  # the whole of a request that is not an upload
    body: int = 1024 * 1024
    frame: int = 1024 * 1024
    frames_a_second: int = 200
    push_reply: float = 5.0  # until the push channel has let us in
    push_silence: float = 60.0  # without a report; pings tell of a dead peer sooner, a busy one may be silent
    ping: float = 10.0  # half of it is the time a dead peer gets to answer a ping
    upload_stall: float = 30.0  # without any byte taken
    upload_slowest: int = 32 * 1024  # bytes a second: the whole upload is limited by it, plus a minute


class AddressForbidden(OSError):
    """Raised inside the connector, where only an OSError is passed on as it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EACCES, reason)
        self.reason = reason


class NameUnknown(OSError):
    """The name leads to no address."""


class _Redirected(aiohttp.ClientError):
    """An answer that sends us elsewhere. The status stands in `status`."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def _refuse_redirection(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    # A websocket's handshake follows redirections and cannot be told not to, so they end here for all.
    response = await handler(request)
    if 300 <= response.status < 400:
        response.close()
        raise _Redirected(response.status)
    return response


class _CheckedResolver(AbstractResolver):
    """Looks a name up and hands on only addresses that may be reached."""

    def __init__(self, allowed: tuple[AllowedAddress, ...], lookup: Lookup) -> None:
        self._allowed = allowed
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        refused = "not_listed"
        found: list[ResolveResult] = []
        for kind, address in await self._lookup(host, port):
            refusal = check_address(address, port, self._allowed)
            if refusal is not None:
                refused = refusal.value
                continue
            found.append(
                ResolveResult(
                    hostname=host,
                    host=address,
                    port=port,
                    family=kind,
                    proto=socket.IPPROTO_TCP,
                    flags=socket.AI_NUMERICHOST,
                )
            )
        if not found:
            raise AddressForbidden(refused)
        return found

    async def close(self) -> None:
        """Nothing is kept between look-ups."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, of any status but a redirection."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises `answer_unreadable`: HTML, broken, too deep, numbers that are none."""
        try:
            return read_json(self.body)
        except ValueError as problem:
            raise DriverError(Code.ANSWER_UNREADABLE, status=self.status) from problem

    def json_object(self) -> Mapping[str, Any]:
        """As `json`, and an object: anything else is unreadable too."""
        content = self.json()
        if not isinstance(content, dict):
            raise DriverError(Code.ANSWER_UNREADABLE, status=self.status)
        return content


_opened_here: ContextVar[list[socket.socket] | None] = ContextVar("_opened_here", default=None)
"""The sockets that the request of this task has opened."""


def _abandon(opened: list[socket.socket]) -> None:
    """Cut what a failed request left open: a peer that takes nothing would hold the line for minutes."""
    for made in opened:
        with suppress(OSError):  # closed already
            made.shutdown(socket.SHUT_RDWR)


class Web:
    """Requests to one machine. Made anywhere, used from one event loop, closed at the end."""

    def __init__(
        self,
        connection: Connection,
        *,
        headers: Mapping[str, str],
        limits: Limits | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._connection = connection
        self._headers = dict(headers)
        self._lookup = lookup or self._look_up
        self._session: aiohttp.ClientSession | None = None
        self._names: ThreadPoolExecutor | None = None
        self._closed = False

    @property
    def target(self) -> Target:
        """Where we go. Raises `address_invalid`."""
        try:
            return parse_target(self._connection.address)
        except ValueError as problem:
            raise DriverError(Code.ADDRESS_INVALID, reason=str(problem)) from problem

    def place(self) -> str:
        """See `base.Driver.place`."""
        target = self.target
        try:
            self._check_literal(target)
        except AddressForbidden as problem:
            raise translate(problem, sent=False, harmless=True) from problem
        return target.base

    async def request(
        self,
        method: str,
        path: str,
        *,
        command: Mapping[str, object] | None = None,
        content: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
        sink: Callable[[bytes], None] | None = None,
        most: int | None = None,
    ) -> Answer:
        """One request; a POST is sent at most once, a question may be asked again.

        `path` is already escaped and begins with a slash.
        `sink` takes the body of a 200 piece by piece instead of the answer; `most` bytes, else the usual limit.

        Raises DriverError; its `certain` is False once the head of a request that is not a GET went out.
        """
        target = self.target
        trace = SimpleNamespace(sent=False)
        sent_headers = {**self._headers, **(headers or {})}
        body: bytes | AsyncIterator[bytes] | None = content
        if command is not None:
            body = json.dumps(command).encode()
            sent_headers["Content-Type"] = "application/json"
        limit = self.limits.answer if seconds is None else seconds
        opened: list[socket.socket] = []
        _opened_here.set(opened)
        completed = False
        try:
            # Ours besides aiohttp's own: a look-up that hangs in the system counts as well.
            async with asyncio.timeout(limit):
                self._check_literal(target)
                async with self._opened().request(
                    method,
                    _url(target.base + path),
                    data=body,
                    headers=sent_headers,
                    allow_redirects=False,
                    trace_request_ctx=trace,
                ) as response:
                    if sink is not None and response.status == 200:
                        await _pour(response, self.limits.body if most is None else most, sink)
                        completed = True
                        return Answer(response.status, b"")
                    parts = bytearray()
                    await _pour(response, self.limits.body, parts.extend)
                    completed = True
                    return Answer(response.status, bytes(parts))
        except DriverError as problem:
            if method == "GET":
                raise
            # An order whose answer was too large was still received.
            raise DriverError(problem.code, certain=not trace.sent, **problem.params) from problem
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as problem:
            raise translate(problem, sent=trace.sent, harmless=method == "GET") from problem
        finally:
            if not completed:
                _abandon(opened)

    async def open_push(self, path: str) -> aiohttp.ClientWebSocketResponse[bool]:
        """A websocket beside the requests: same checks, frames capped, pinged, not compressed.

        It carries no headers of ours: whoever needs a key there sends it in a message.
        """
        target = self.target
        try:
            async with asyncio.timeout(self.limits.answer):
                self._check_literal(target)
                return await self._opened().ws_connect(
                    _url("ws" + target.base.removeprefix("http") + path),
                    max_msg_size=self.limits.frame,
                    heartbeat=self.limits.ping,
                    compress=0,
                    timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
                )
        except aiohttp.WSServerHandshakeError as problem:
            raise DriverError(Code.ANSWER_UNREADABLE, status=problem.status) from problem
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as problem:
            raise translate(problem, sent=True, harmless=True) from problem

    async def close(self) -> None:
        self._closed = True
        session, self._session = self._session, None
        names, self._names = self._names, None
        if names is not None:
            names.shutdown(wait=False, cancel_futures=True)
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._closed:
            raise RuntimeError("this driver was closed")
        if self._session is None:
            watch = aiohttp.TraceConfig()
            watch.on_connection_create_end.append(_look_once_more)
            watch.on_request_headers_sent.append(_note_sent)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=_CheckedResolver(self._connection.allowed, self._lookup),
                    use_dns_cache=False,  # checked at each connection
                    # A kept connection may be dead by the next order, whose outcome would then be unknown.
                    force_close=True,
                    socket_factory=self._checked_socket,
                    limit=8,
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.limits.connect),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                # A small compressed answer can be a large one.
                auto_decompress=False,
                headers={"Accept-Encoding": "identity"},
                trace_configs=[watch],
                middlewares=[_refuse_redirection],
                max_line_size=8190,
                max_field_size=8190,
            )
        return self._session

    def _check_literal(self, target: Target) -> None:
        """Refuse a written address before anything is opened; names are checked when looked up."""
        refusal = check_literal(target.host, target.port, self._connection.allowed)
        if refusal is not None:
            raise AddressForbidden(refusal.value)

    def _checked_socket(self, info: AddressInfo) -> socket.socket:
        """The last look, at the very address the socket will connect to."""
        family, kind, protocol, _, where = info
        refusal = check_address(str(where[0]), int(where[1]), self._connection.allowed)
        if refusal is not None:
            raise AddressForbidden(refusal.value)
        made = socket.socket(family, kind, protocol)
        opened = _opened_here.get()
        if opened is not None:
            opened.append(made)
        return made

    async def _look_up(self, host: str, port: int) -> Sequence[tuple[int, str]]:
        # A thread of its own: names that lead nowhere take seconds, and other machines must not wait.
        if self._names is None:
            self._names = ThreadPoolExecutor(max_workers=1, thread_name_prefix="name")
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                self._names, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            )
        except (socket.gaierror, UnicodeError) as problem:
            raise NameUnknown(errno.ENOENT, "name unknown") from problem
        return [(family, str(where[0])) for family, _, _, _, where in found]


def _url(text: str) -> URL:
    # Already escaped by the caller; escaping it again would change "%2F" in a file's name.
    return URL(text, encoded=True)


async def _look_once_more(
    session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceConnectionCreateEndParams
) -> None:
    """Between the open line and the first byte: connecting may have taken seconds, or have been frozen."""
    demand_leave()


async def _note_sent(
    session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestHeadersSentParams
) -> None:
    if context.trace_request_ctx is not None:
        context.trace_request_ctx.sent = True


async def _pour(response: aiohttp.ClientResponse, most: int, sink: Callable[[bytes], None]) -> None:
    """Read the body, unless it is larger than allowed: then nothing more is read."""
    if (response.content_length or 0) > most:
        raise DriverError(Code.ANSWER_TOO_LARGE)
    total = 0
    async for part in response.content.iter_any():
        total += len(part)
        if total > most:
            raise DriverError(Code.ANSWER_TOO_LARGE)
        sink(part)


_NO_ROUTE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}


def translate(problem: BaseException, *, sent: bool, harmless: bool) -> DriverError:
    """What a failed request means. `sent`: its head went out; `harmless`: asking changes nothing."""
    cause = problem.os_error if isinstance(problem, aiohttp.ClientConnectorError) else problem
    if isinstance(cause, AddressForbidden):
        return DriverError(Code.ADDRESS_FORBIDDEN, reason=cause.reason)
    if isinstance(cause, NameUnknown):
        return DriverError(Code.NAME_UNKNOWN)
    if isinstance(problem, aiohttp.ClientSSLError):
        return DriverError(Code.CERTIFICATE_REFUSED)
    if isinstance(problem, _Redirected):
        return DriverError(Code.REDIRECTED, status=problem.status)
    certain = harmless or not sent
    if isinstance(problem, TimeoutError):  # aiohttp's time-outs are such errors too
        return DriverError(Code.TIMED_OUT, certain=certain)
    if isinstance(problem, aiohttp.ClientConnectorError):
        number = cause.errno if isinstance(cause, OSError) else None
        if number == errno.ETIMEDOUT:
            return DriverError(Code.TIMED_OUT)
        if number in _NO_ROUTE:
            return DriverError(Code.NO_ROUTE)
        return DriverError(Code.CONNECTION_REFUSED)
    if isinstance(problem, aiohttp.InvalidURL):
        return DriverError(Code.ADDRESS_INVALID, reason="not an address")
    if isinstance(problem, aiohttp.ClientResponseError | ValueError):
        # A server that starts up answers something that is not HTTP.
        return DriverError(Code.ANSWER_UNREADABLE, certain=certain)
    if not sent:
        return DriverError(Code.CONNECTION_REFUSED)
    return DriverError(Code.ANSWER_LOST, certain=certain)
