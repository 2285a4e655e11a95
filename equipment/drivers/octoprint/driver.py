"""The OctoPrint driver: which calls are made, and what each answer means."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from equipment.drivers.base import (
    Capabilities,
    Code,
    Connection,
    DriverError,
    Observation,
    Probe,
    Push,
    RemoteFile,
)
from equipment.drivers.foreign import text_of
from equipment.drivers.octoprint import push, upload, wire
from equipment.drivers.web import Answer, Limits, Lookup, Web

CAPABILITIES = Capabilities(
    address=True,
    key=True,
    send=True,
    start=True,
    pause=True,
    resume=True,
    stop=True,
    observe=True,
    push=True,
    temperatures=True,
)
KNOWN_HASHES = 200  # kept at most
LOOKS = 3  # at most, until job and flags tell of the same state


def _now() -> datetime:
    return datetime.now(UTC)


class OctoPrintDriver:
    """One OctoPrint server. Keeps the promises of `base.Driver`; its pitfalls are in QUALITY.md."""

    def __init__(
        self,
        connection: Connection,
        *,
        limits: Limits | None = None,
        lookup: Lookup | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._web = Web(connection, headers={"X-Api-Key": connection.key}, limits=limits, lookup=lookup)
        self._clock = clock
        self._hashes: dict[tuple[str, int | None, float | None], str] = {}
        self._told: wire.ToldError | None = None  # while the machine is away for it

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def place(self) -> str:
        return self._web.place()

    async def probe(self) -> Probe:
        """As promised; `not_octoprint` for anything else, `bad_key` when nobody is behind the key."""
        version = await self._web.request("GET", "/api/version")
        if version.status not in (200, 403):
            raise _failed(version) if version.status >= 500 else DriverError(Code.NOT_OCTOPRINT)
        try:
            user = (await self._web.request("GET", "/api/currentuser")).json_object()
            content = version.json_object()
        except DriverError as problem:
            if problem.code is Code.ANSWER_UNREADABLE:
                raise DriverError(Code.NOT_OCTOPRINT) from problem
            raise
        account = text_of(user.get("name"), wire.LONGEST_NAME)
        said = text_of(content.get("text"), wire.LONGEST_NAME)
        if version.status == 200 and not (said or "").startswith("OctoPrint"):
            raise DriverError(Code.NOT_OCTOPRINT)
        if account is None:
            # There is no 401: only this answer tells a bad key from a lack of rights.
            raise DriverError(Code.BAD_KEY if "groups" in user else Code.NOT_OCTOPRINT)
        held = user.get("permissions")
        granted = {right for right in held if isinstance(right, str)} if isinstance(held, list) else set()
        server = text_of(content.get("server"), wire.LONGEST_NAME) or ""
        missing = () if "ADMIN" in granted else tuple(sorted(wire.needed_permissions(server) - granted))
        return Probe(server, account, missing)

    async def observe(self) -> Observation:
        """As promised, from two answers that agree on the state: each alone tells half of it.

        OctoPrint 2 forgets what went wrong: an event told it, if somebody listened.
        """
        told_before = self._told
        for _ in range(LOOKS):
            # The file first, the flags after: a print that ends in between shows as a disagreement.
            job = await self._read("/api/job")
            printer = await self._web.request("GET", "/api/printer?exclude=sd")
            if printer.status == 409:
                content: Mapping[str, Any] = {}
                state: Mapping[str, Any] = {"text": job.get("state")}
                if (await self._read("/api/job")).get("state") != job.get("state"):
                    continue
            elif printer.status == 200:
                content = printer.json_object()
                state = wire.section(content, "state")
            else:
                raise await self._refusal(printer)
            if state.get("text") == job.get("state"):
                break
        error, reason = job.get("error"), None
        if "error" in str(state.get("text")).lower():
            told = await self._read("/api/printer/error")
            error, reason = told.get("error") or error, told.get("reason")
            if not reason and self._told is not None:
                error, reason = error or self._told.error, self._told.reason
        elif self._told is told_before:
            self._told = None  # it works again; an error that came since this look began is a new one
        return wire.observation_of(
            self._clock(),
            state=state,
            job=wire.section(job, "job"),
            progress=wire.section(job, "progress"),
            temperatures=wire.temperatures_of(content.get("temperature")),
            error=error,
            error_reason=reason,
        )

    def watch(self) -> AsyncIterator[Push]:
        """As promised: see `push.watch`."""
        return push.watch(self._web, self._clock, self._refusal, self._hear_error)

    def _hear_error(self, told: wire.ToldError) -> None:
        self._told = told

    async def send(
        self,
        source: Path,
        folder: str,
        name: str,
        note: Mapping[str, str | int],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> RemoteFile:
        """As promised. Storing and starting are two calls: `print` is never asked for here."""
        local = await asyncio.to_thread(upload.measure, source)
        parcel = upload.Parcel(source, local, folder, name, note, on_progress)
        answer = await upload.post(self._web, parcel)
        if answer.status == 409:
            # There already, perhaps from an attempt whose answer was lost; or it is being printed.
            path = f"{folder}/{name}" if folder else name
        elif answer.status == 201:
            stored = wire.remote_file_of(wire.section(answer.json_object(), "files", "local"))
            if stored is None:
                raise DriverError(Code.ANSWER_UNREADABLE, certain=False, status=201)
            path = stored.path
        elif answer.status in (400, 413, 415, 507):
            raise await self._storage_refusal(answer)
        else:
            raise await self._refusal(answer)
        found = await self.remote_file(path)
        if found is None:
            raise DriverError(Code.FILE_MISSING)
        if found.size == local.size and found.sha1 is None:
            raise DriverError(Code.NOT_ALLOWED, right="FILES_DOWNLOAD")
        if (found.size, found.sha1) != (local.size, local.sha1):
            raise DriverError(Code.FILE_DIFFERS)
        return found

    async def remote_file(self, path: str) -> RemoteFile | None:
        answer = await self._web.request("GET", _file_url(path))
        if answer.status == 404 or await self._fails_for_want_of_a_folder(answer, path):
            return None
        if answer.status != 200:
            raise await self._refusal(answer)
        content = answer.json_object()
        found = wire.remote_file_of(content)
        if found is None or found.sha1 is not None or found.size is None:
            return found
        return replace(found, sha1=await self._sha1_by_reading(found, content.get("date")))

    async def list_folder(self, folder: str) -> tuple[RemoteFile, ...]:
        answer = await self._web.request("GET", _file_url(folder) + "?recursive=false")
        if answer.status == 404 or await self._fails_for_want_of_a_folder(answer, folder):
            return ()
        if answer.status != 200:
            raise await self._refusal(answer)
        content = answer.json_object()
        entries = content.get("children") if folder.strip("/") else content.get("files")
        if not isinstance(entries, list):
            raise DriverError(Code.ANSWER_UNREADABLE, status=200)
        found = (wire.remote_file_of(entry) for entry in entries if isinstance(entry, dict))
        return tuple(sorted((file for file in found if file is not None), key=lambda file: file.path))

    async def start(
        self,
        path: str,
        source: Path | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """As promised: one look, then one request that names the file, so that no other can be started.

        A start within a tenth of a second of the last end would be accepted and dropped, hence the look.
        """
        self._demand_ready(await self.observe())
        answer = await self._web.request(
            "POST", _file_url(path), command={"command": "select", "print": True}
        )
        if answer.status == 404:
            raise DriverError(Code.FILE_MISSING)
        if answer.status == 409:
            self._demand_ready(await self._look_for_reason())
            raise DriverError(Code.BUSY)
        await self._demand_accepted(answer)

    async def pause(self) -> None:
        # Without the action OctoPrint toggles, and a second press would resume.
        await self._order({"command": "pause", "action": "pause"})

    async def resume(self) -> None:
        await self._order({"command": "pause", "action": "resume"})

    async def stop(self) -> None:
        await self._order({"command": "cancel"})

    async def delete(self, path: str) -> None:
        answer = await self._web.request("DELETE", _file_url(path))
        if answer.status == 409:
            raise DriverError(Code.BUSY)
        if answer.status != 404:
            await self._demand_accepted(answer)

    async def close(self) -> None:
        await self._web.close()

    async def _read(self, path: str) -> Mapping[str, Any]:
        answer = await self._web.request("GET", path)
        if answer.status != 200:
            raise await self._refusal(answer)
        return answer.json_object()

    async def _sha1_by_reading(self, file: RemoteFile, date: object) -> str | None:
        """OctoPrint 2 tells no hash: read the file once, and again only when its size or date changes.

        `None` when the account may not read files.
        """
        known = (file.path, file.size, date if isinstance(date, int | float) else None)
        if known not in self._hashes:
            size = file.size or 0
            digest = hashlib.sha1(usedforsecurity=False)
            answer = await self._web.request(
                "GET",
                _file_url(file.path, "/downloads/files/local"),
                sink=digest.update,
                most=size,
                seconds=60 + size / self._web.limits.upload_slowest,
            )
            if answer.status in (403, 404):
                return None
            if answer.status != 200:
                raise await self._refusal(answer)
            if len(self._hashes) >= KNOWN_HASHES:
                self._hashes.clear()
            self._hashes[known] = digest.hexdigest()
        return self._hashes[known]

    async def _fails_for_want_of_a_folder(self, answer: Answer, path: str) -> bool:
        """Whether a 500 only means that the folder is not there: it should have been a 404."""
        folders = path.strip("/").split("/")[:-1]
        while answer.status == 500 and folders:
            answer = await self._web.request("GET", _file_url("/".join(folders)) + "?recursive=false")
            if answer.status == 404:
                return True
            folders.pop()
        return False

    async def _storage_refusal(self, answer: Answer) -> DriverError:
        """A refused upload: 400 is a wrong key, or a file too large (then without a body), or a bad name."""
        if answer.status == 400:
            problem = await self._refusal(answer)
            if problem.code is Code.BAD_KEY:
                return problem
        return DriverError(Code.STORAGE_REFUSED, status=answer.status)

    async def _order(self, command: Mapping[str, object]) -> None:
        answer = await self._web.request("POST", "/api/job", command=command)
        if answer.status == 409:
            seen = await self._look_for_reason()
            raise DriverError(Code.PRINTER_DISCONNECTED if seen.is_away else Code.NOT_PRINTING)
        await self._demand_accepted(answer)

    async def _look_for_reason(self) -> Observation:
        """After a refusal: it is certain, also when looking for its reason fails."""
        try:
            return await self.observe()
        except DriverError as problem:
            raise DriverError(problem.code, certain=True, **problem.params) from problem

    @staticmethod
    def _demand_ready(seen: Observation) -> None:
        if seen.is_away:
            raise DriverError(Code.PRINTER_DISCONNECTED)
        if not seen.is_ready:
            raise DriverError(Code.BUSY, state=seen.raw)

    async def _demand_accepted(self, answer: Answer) -> None:
        if answer.status != 204:
            raise await self._refusal(answer)

    async def _refusal(self, answer: Answer) -> DriverError:
        """What a status means that no call expects."""
        if answer.status in (400, 403):
            # The same text for a bad key and for a missing right, so ask who we are.
            who = await self._web.request("GET", "/api/currentuser")
            if who.status != 200:
                return DriverError(Code.NOT_ALLOWED, status=answer.status)
            if text_of(who.json_object().get("name"), wire.LONGEST_NAME) is None:
                return DriverError(Code.BAD_KEY)
            if answer.status == 403:
                return DriverError(Code.NOT_ALLOWED)
        if answer.status == 404:
            return DriverError(Code.NOT_OCTOPRINT, status=404)
        if answer.status == 429:
            return DriverError(Code.TOO_MANY_REQUESTS)
        return _failed(answer)


def _failed(answer: Answer) -> DriverError:
    """A server's own failure may come after it did what was asked; a refusal comes before."""
    if answer.status >= 500:
        return DriverError(Code.SERVER_FAILED, certain=False, status=answer.status)
    return DriverError(Code.ANSWER_UNREADABLE, certain=answer.status >= 400, status=answer.status)


def _file_url(path: str, root: str = "/api/files/local") -> str:
    """The address of a stored file. Dots are escaped as pieces of a path never lead upward."""
    pieces = [piece for piece in path.split("/") if piece]
    if any(piece in (".", "..") for piece in pieces):
        raise DriverError(Code.FILE_MISSING)
    return "/".join([root, *(quote(piece, safe="") for piece in pieces)])
