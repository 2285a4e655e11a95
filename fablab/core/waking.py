"""Doorbells between the threads of one process: work that was just written is taken now, not at the next look.

A bell is a hint. Who waits also looks by itself, so a bell that nobody hears (another process) only costs a second.
"""

import threading

_bells: dict[str, threading.Event] = {}
_lock = threading.Lock()


def bell(name: str) -> threading.Event:
    """Return the bell called ``name``; the one who waits on it clears it."""
    with _lock:
        return _bells.setdefault(name, threading.Event())


def ring(name: str) -> None:
    """Say that there is something to do for ``name``. Call it on commit, or the look comes too early."""
    bell(name).set()
