"""What differs between two states, as RFC 7396 merge patches. Pure.

A field that is missing and a field that is ``null`` mean the same on the wire, so they never count as a difference.
States are never changed in place: sockets that lag behind hold on to older ones.
"""

from collections.abc import Collection, Mapping
from typing import Any

State = Mapping[str, Any]


def difference(before: State, after: State) -> dict[str, Any]:
    """Return the patch that makes ``after`` out of ``before``; empty when nothing differs."""
    if before is after:
        return {}
    patch: dict[str, Any] = {}
    for name, new in after.items():
        old = before.get(name)
        if old is new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            inner = difference(old, new)
            if inner:
                patch[name] = inner
        elif old != new:
            patch[name] = new
    for name, old in before.items():
        if old is not None and name not in after:
            patch[name] = None
    return patch


def split(patch: State, before: State, figures: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a patch of ``before`` says of states, and what it says of fields named in ``figures``.

    What is new as a whole is a state, with all that is in it.
    """
    states: dict[str, Any] = {}
    only_figures: dict[str, Any] = {}
    for name, new in patch.items():
        old = before.get(name)
        if name in figures:
            only_figures[name] = new
        elif isinstance(new, Mapping) and isinstance(old, Mapping):
            inner, rest = split(new, old, figures)
            if inner:
                states[name] = inner
            if rest:
                only_figures[name] = rest
        else:
            states[name] = new
    return states, only_figures


def merged(state: State, patch: State) -> State:
    """Return ``state`` with ``patch`` laid over it; what the patch does not touch is shared, not copied."""
    result = dict(state)
    for name, new in patch.items():
        if new is None:
            result.pop(name, None)
        elif isinstance(new, Mapping):
            old = result.get(name)
            result[name] = merged(old if isinstance(old, Mapping) else {}, new)
        else:
            result[name] = new
    return result
