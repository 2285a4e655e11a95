"""When the demonstration has to end, in every way a person may say so at a terminal."""

import os
import signal
import threading
from pathlib import Path
from types import FrameType

from fablab.demo.octoprint_server import ask_to_end_with_parent

LOOK_SECONDS = 0.3


def asked_to_end() -> threading.Event:
    """Return an event that is set by Ctrl-C, SIGTERM, a closed terminal, and the end of the command above.

    Ctrl-C goes to everybody in the terminal, but SIGINT sent to ``make`` alone stays there: make then waits for us
    without a word. It gives up catching SIGINT at that moment, which is how we know.
    """
    ended = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_signal)
    ask_to_end_with_parent()
    parent = os.getppid()
    if command_name(parent) in {"make", "gmake"} and catches_interrupts(parent):
        threading.Thread(target=watch_make, args=(parent, ended), name="make", daemon=True).start()
    return ended


def watch_make(make: int, ended: threading.Event) -> None:
    while not ended.wait(LOOK_SECONDS):
        if os.getppid() != make or not catches_interrupts(make):
            ended.set()


def command_name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return ""


def catches_interrupts(process: int) -> bool:
    """Whether a process has a handler for SIGINT; False when it is gone or there is no /proc."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
    caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) & (1 << (signal.SIGINT - 1)))
