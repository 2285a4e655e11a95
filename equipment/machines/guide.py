"""What people do by hand at a kind of machine, as data: checklist, workpieces, frames, what can go wrong.

``MachineKind.guide`` holds it as JSON, so a new kind needs no code. Every text comes in French, English and Arabic:

    {"checklist": [{"code": "scrap", "fr": "Essaie d'abord sur une chute.", "en": ..., "ar": ...}],
     "how_to": [...], "workpieces": [...], "places": [...], "frames": [...], "stabilisers": [...],
     "failure_reasons": [{"code": "thread_broke", "drawing": "no_material", "fr": ...}],
     "mirror": false, "mirror_for": ["transfer"], "owner_operates": true, "plate_word": "hoop"}

Reading is tolerant: what is missing or of another shape is left out, never an error on somebody's page.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language

PLATE_WORDS = ("plate", "hoop", "mat")


@dataclass(frozen=True)
class Choice:
    """One thing to choose, or one point of a list; ``drawing`` names one of ours, for failures."""

    code: str
    names: Mapping[str, str]
    drawing: str = ""

    @property
    def label(self) -> str:
        """The words in the reader's language, else in French."""
        return self.names.get((get_language() or "fr")[:2]) or self.names.get("fr") or self.code


@dataclass(frozen=True)
class Guide:
    """``mirror``: None where nothing is ever mirrored, else what it is unless somebody says otherwise; ``mirror_for``
    are workpieces and materials that are mirrored by default all the same: what is ironed on upside down.

    ``owner_operates``: a trained owner makes their own object here, while somebody on duty is in the house.
    ``plate_word``: what must be empty before the next job: a plate, a hoop, a cutting mat.
    """

    checklist: tuple[Choice, ...] = ()
    how_to: tuple[Choice, ...] = ()
    workpieces: tuple[Choice, ...] = ()
    places: tuple[Choice, ...] = ()
    frames: tuple[Choice, ...] = ()
    stabilisers: tuple[Choice, ...] = ()
    failure_reasons: tuple[Choice, ...] = ()
    mirror: bool | None = None
    mirror_for: tuple[str, ...] = ()
    owner_operates: bool = False
    plate_word: str = "plate"

    @classmethod
    def from_json(cls, given: Any) -> "Guide":
        """Read a kind's ``guide``; whatever is not understood is left out."""
        if not isinstance(given, Mapping):
            return cls()
        mirror, word = given.get("mirror"), given.get("plate_word")
        return cls(
            **{name: _choices(given.get(name)) for name in LISTS},
            mirror=mirror if isinstance(mirror, bool) else None,
            mirror_for=tuple(one for one in _list(given.get("mirror_for")) if isinstance(one, str)),
            owner_operates=given.get("owner_operates") is True,
            plate_word=word if word in PLATE_WORDS else "plate",
        )


LISTS = ("checklist", "how_to", "workpieces", "places", "frames", "stabilisers", "failure_reasons")
# What a job's settings name, and where the guide lists what may be chosen.
CHOSEN: Mapping[str, str] = {
    "workpiece": "workpieces",
    "place": "places",
    "frame": "frames",
    "stabiliser": "stabilisers",
}
WORKPIECE_FROM = ("lab", "own")  # the lab's, or brought along
FABRIC_LENGTH = 40


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _choices(given: Any) -> tuple[Choice, ...]:
    found = []
    for row in _list(given):
        if not isinstance(row, Mapping) or not isinstance(row.get("fr"), str):
            continue
        names = {key: value for key, value in row.items() if key in {"fr", "en", "ar"} and value}
        drawing = row.get("drawing", "")
        found.append(Choice(str(row.get("code") or row["fr"])[:40], names, str(drawing)))
    return tuple(found)


def mirrored(guide: Guide, *wanted: object) -> bool | None:
    """Say whether a job of this workpiece or material is mirrored unless somebody says otherwise; None: never."""
    if guide.mirror is None:
        return None
    return guide.mirror or any(one in guide.mirror_for for one in wanted)


def choices_of(guide: Guide, setting: str) -> tuple[Choice, ...]:
    """Return what may be chosen for a job's setting ``workpiece``, ``place``, ``frame`` or ``stabiliser``."""
    found: tuple[Choice, ...] = getattr(guide, CHOSEN[setting])
    return found


def label_of(choices: Iterable[Choice], code: object) -> str:
    """Return the words of what was chosen; empty when nothing was, or when the lab no longer offers it."""
    return next((choice.label for choice in choices if choice.code == code), "")
