"""Twenty people at work on the calendar at random while the site and its database are killed (REL-13).

Who does what: ``booking_people``; what each was told goes to ``told``.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from random import Random
from typing import Any, Protocol
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, build_opener

from tests.faults.told import Told
from tests.journeys.lab import PASSWORD, Lab

CLIENTS = 20
KILLS_EVERY = 120  # calls, on average


class _Stay(HTTPRedirectHandler):
    """Does not go where an answer leads: where it leads is the answer."""

    def redirect_request(self, *args: Any) -> None:
        return None


class Pages:
    """Somebody who is signed in to the pages."""

    def __init__(self, url: str, username: str) -> None:
        self.url, self.jar = url, CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self.jar), _Stay())
        with self._opener.open(f"{url}/connexion/", timeout=30):
            pass
        assert self.post("/connexion/", username=username, password=PASSWORD) == (303, "/")

    def post(self, path: str, **form: str) -> tuple[int, str]:
        """Send a form; return the status and where the answer leads."""
        token = next(cookie.value or "" for cookie in self.jar if cookie.name == "csrftoken")
        body = urlencode({**form, "csrfmiddlewaretoken": token}).encode()
        try:
            with self._opener.open(self.url + path, body, timeout=30) as answer:
                return int(answer.status), ""
        except HTTPError as answer:
            with answer:
                return answer.code, answer.headers.get("Location", "")


class Worker(Protocol):
    """Somebody with a connection: ``work`` until it is over."""

    def work(self) -> None: ...


@dataclass
class Crowd:
    """Everybody, and what they were told. ``kill`` kills something and has it come back."""

    lab: Lab
    seed: int
    machines: list[str]
    kill: Callable[[Random], None]
    client: Callable[["Crowd", int], "Worker"]
    told: Told = field(default_factory=Told)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    unanswered: int = 0
    kills: int = 0
    seconds: float = 0
    _pages: dict[str, Pages] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def rage(self, calls: int) -> None:
        """Have everybody at it until so many calls were answered; something is killed every hundred or so."""
        clients = [self.client(self, number) for number in range(CLIENTS)]
        began, chance, next_kill = (
            time.monotonic(),
            Random(f"{self.seed} kills"),
            min(calls // 3, KILLS_EVERY),
        )
        with ThreadPoolExecutor(CLIENTS) as pool:
            work = [pool.submit(client.work) for client in clients]
            try:
                while self.calls < calls and not any(one.done() for one in work):
                    with self.changed:
                        self.changed.wait(1)
                    if self.calls >= next_kill:
                        self.kill(chance)
                        self.kills += 1
                        next_kill = self.calls + chance.randint(KILLS_EVERY // 2, KILLS_EVERY * 3 // 2)
            finally:
                self.over.set()
        self.seconds = time.monotonic() - began
        for one in work:
            one.result()

    def pages(self, username: str) -> Pages:
        """Somebody's browser; it stays signed in when the server is killed."""
        if username not in self._pages:
            self._pages[username] = Pages(self.lab.url, username)
        return self._pages[username]

    def counted(self, what: str, status: int, problems: Sequence[str]) -> bool:
        """Count an answer; return whether it says anything of what was asked."""
        with self.changed:
            if status == 0 or status >= 500:
                self.unanswered += 1
                if status not in (0, 503):
                    self.told.surprises.append(f"{what}: {status}")
                return False
            self.calls += 1
            if problems:
                self.refused["+".join(problems)] += 1
            else:
                self.done[what] += 1
            self.changed.notify_all()
        return True

    def said(self) -> str:
        """What happened, in one line."""
        return (
            f"seed {self.seed}: {self.calls} calls in {self.seconds:.0f} s, done {dict(self.done)}, "
            f"refused {sum(self.refused.values())} {dict(self.refused.most_common(6))}, "
            f"{self.unanswered} not answered, {self.kills} kills"
        )
