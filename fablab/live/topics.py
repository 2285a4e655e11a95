"""What can be watched, by whom, and what a first look shows. The rooms above register theirs in ``apps.ready``.

A topic is ``prefix:key`` (``job:ID machine:ID queue:SITE board:SITE``) or ``me``, which inside the server is
``me:PERSON`` so that services can name the person they tell something.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Shape = Literal["public", "staff"]
SHAPES: tuple[Shape, ...] = ("public", "staff")
MayWatch = Callable[[Any, str], Shape | None]
Snapshot = Callable[[str, Shape], Mapping[str, Any]]
Part = Callable[[str, Shape, str], Mapping[str, Any]]

_NAME = re.compile(r"([a-z]{1,20}):([A-Za-z0-9_-]{1,64})", re.ASCII)


@dataclass(frozen=True)
class Kind:
    """One kind of topic. ``figures_every`` is the shortest time between two frames of figures, in seconds."""

    prefix: str
    may_watch: MayWatch
    snapshot: Snapshot
    figures_every: float
    figures: frozenset[str]
    part: Part | None


@dataclass(frozen=True)
class Topic:
    """``name`` is the server's (``me:PERSON``), ``wire`` what the client calls it (``me``)."""

    kind: Kind
    key: str
    name: str
    wire: str


_kinds: dict[str, Kind] = {}


def register(
    prefix: str,
    may_watch: MayWatch,
    snapshot: Snapshot,
    *,
    figures_every: float = 1.0,
    figures: Collection[str] = (),
    part: Part | None = None,
) -> None:
    """Make ``prefix:KEY`` watchable.

    ``may_watch(person, key)`` says which shape this person gets, or None: refused, and nobody learns whether the
    thing exists. ``snapshot(key, shape)`` returns the whole state as JSON; it may raise ``LookupError`` for what is
    gone. Both run in a thread and may read the database. Registering a prefix again replaces it.

    For topics of many things: ``figures`` names the fields, at any depth, that are thinned however they come, and
    ``part(key, shape, id)`` returns a patch with one thing as the database has it now, for ``push.part_changed``.
    """
    _kinds[prefix] = Kind(prefix, may_watch, snapshot, figures_every, frozenset(figures), part)


def unregister(prefix: str) -> None:
    """Make a prefix unknown again."""
    _kinds.pop(prefix, None)


def registered() -> list[str]:
    """Return every known prefix, for the permission matrix."""
    return sorted(_kinds)


def named(name: str) -> Topic | None:
    """Return the topic of the server's ``name``, or None when no room registered its prefix."""
    match = _NAME.fullmatch(name)
    kind = _kinds.get(match[1]) if match else None
    if match is None or kind is None:
        return None
    return Topic(kind, match[2], name, "me" if kind.prefix == "me" else name)


def asked(wire: str, person_id: str) -> Topic | None:
    """Return the topic that a client asks for; ``me`` is the client itself and nobody else's ``me`` has a name."""
    if wire == "me":
        return named(f"me:{person_id}")
    return None if wire.startswith("me:") else named(wire)
