"""The last look before an order's bytes leave for a machine.

Whoever gives an order says how long it may leave (``only_while``); whatever opens the line to the machine asks right
before the first byte (``demand_leave``). Between the decision and that byte lie looks at the machine and a connection,
seconds in which a process may lose its machine to another one, or be frozen for an hour and woken.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_may_leave: ContextVar[Callable[[], bool] | None] = ContextVar("_may_leave", default=None)


class NotLeft(Exception):
    """The order was held back at the last moment: not one byte of it left."""


@contextmanager
def only_while(holds: Callable[[], bool]) -> Iterator[None]:
    """Let what this task sends to a machine leave only while ``holds()``. Raises ``NotLeft`` out of the block."""
    before = _may_leave.set(holds)
    try:
        yield
    finally:
        _may_leave.reset(before)


def demand_leave() -> None:
    """Raise ``NotLeft`` when what is about to be sent may not leave any more. Free where nobody set a condition."""
    holds = _may_leave.get()
    if holds is not None and not holds():
        raise NotLeft
