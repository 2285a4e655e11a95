"""What is published, as it goes from a service's thread to the serving loop and between processes."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from fablab.live.channel import Update
from fablab.live.frames import encoded
from fablab.live.merge import State
from fablab.live.topics import SHAPES, Shape

Verb = Literal["state", "read_again", "recheck"]


@dataclass(frozen=True)
class Message:
    """``state`` carries ``bodies``, JSON by shape; ``read_again`` and ``recheck`` only name their ``subject``, and a
    ``part`` of it.

    JSON because the publisher may go on changing what it gave us, and because nothing is parsed for nobody.
    """

    verb: Verb
    subject: str
    bodies: Mapping[str, str]
    patch: bool = False
    figures: bool = False
    order: int | None = None
    part: str = ""

    def update(self, shape: Shape) -> Update | None:
        """Return what this message says to those who get ``shape``; None when it says nothing."""
        body = self.bodies.get(shape)
        return Update(json.loads(body), self.patch, self.figures, self.order) if body is not None else None

    def packed(self) -> dict[str, Any]:
        return asdict(self)


def by_shape(state: State) -> Mapping[str, str]:
    """Return the JSON of each shape. A mapping whose only names are shapes holds one state for each of them."""
    if state and set(state) <= set(SHAPES):
        return {shape: encoded(inner) for shape, inner in state.items()}
    body = encoded(state)
    return dict.fromkeys(SHAPES, body)
