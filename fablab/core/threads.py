"""A fixed number of threads that keep their database connections between calls, and close them at the end.

A thread of its own for each call would open a connection each time; ``ThreadPoolExecutor`` has no end-of-thread
hook, so its connections would be left to the garbage collector.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

from django.db import close_old_connections, connections

T = TypeVar("T")


class DatabaseThreads(Executor):
    """``count`` daemon threads named ``name``, started at the first call; use with ``loop.run_in_executor``."""

    def __init__(self, count: int, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._count = count
        self._name = name
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Queue a call. A result that nobody waits for any more is not computed.

        :raises RuntimeError: after ``shutdown``.
        """
        future: Future[T] = Future()

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the result
                future.set_exception(error)
            else:
                future.set_result(result)

        with self._lock:
            if self._closed:
                raise RuntimeError(f"the threads {self._name} have ended")
            if not self._threads:
                self._threads = [
                    threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True)
                    for number in range(self._count)
                ]
                for thread in self._threads:
                    thread.start()
            self._calls.put(call)
        return future

    def _work(self) -> None:
        try:
            while (call := self._calls.get()) is not None:
                close_old_connections()  # those past their age or broken; the others stay
                call()
                del call  # or the last result would live until the next call
        finally:
            connections.close_all()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let queued calls run, then end the threads and close their connections."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for _ in self._threads:
                self._calls.put(None)
        if wait:
            for thread in self._threads:
                thread.join()
