"""Recorded answers of real OctoPrint servers: how they lie on disk, and what is made neutral in them.

A *scene* is one state of a server, everything that this project asks it there and what its push channel says; it lies
in ``data/RELEASE/NAME.json``. A *reply* is the answer to one request, most of them refusals; all of a release lie in
``data/RELEASE/replies.json``. Both tell the release and the day. ``record.py`` makes them, ``server.py`` speaks them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RELEASES = ("1.11.8", "2.0.0rc7")
DATA = Path(__file__).parent / "data"
REPLIES = "replies"

FOLDER, NAME = "fl", "1-0a1b2c3d.gcode"
FILE = f"{FOLDER}/{NAME}"  # whatever was recorded with our own file, it had this path
CARD_FILE = "vase-from-the-card.gcode"

SOME_DAY = 1_795_000_000
# What differs between two recordings and means nothing to us beyond being there.
_GONE = frozenset(
    {
        *("refs", "logs", "messages", "markings", "resends", "busyFiles", "offsets", "filament", "position"),
        *("gcodeAnalysis", "analysis", "statistics", "free", "total", "currentZ", "fileposition", "health"),
        *("averagePrintTime", "lastPrintTime", "needs", "python_version"),
    }
)
_NUMBERS: Mapping[str, float] = {
    "date": SOME_DAY,
    "serverTime": SOME_DAY,
    "actual": 21.3,
    "filepos": 250,
    "printTime": 5,
    "time": 5,
    "progress": 40,
    "estimatedPrintTime": 60,
    "printTimeLeft": 30,
}
_TEXTS = {
    "session": "a-session",
    "plugin_hash": "a-hash",
    "config_hash": "a-hash",
    "apikey": "a-key",
    "_credentials_seen": "then",
}
# Known late, or sooner on a slower machine: their being there is no difference either.
_COMES_AND_GOES = frozenset({"printTimeLeft", "printTimeLeftOrigin", "estimatedPrintTime", "temps"})


@dataclass(frozen=True)
class Answer:
    """``request``: method and path, without query. ``kind``: the content type without parameters. ``body``: JSON."""

    request: str
    status: int
    kind: str
    body: Any


@dataclass(frozen=True)
class Scene:
    """``push``: the first frames after signing in, then the events on the way here, then a regular report."""

    name: str
    how: str
    answers: tuple[Answer, ...]
    push: tuple[Mapping[str, Any], ...] = ()

    def answer(self, request: str) -> Answer | None:
        return next((one for one in self.answers if one.request == request), None)


@dataclass(frozen=True)
class Recording:
    release: str
    recorded: str  # the day
    scenes: Mapping[str, Scene]
    replies: Mapping[str, Answer]


def neutral(value: Any, key: str = "", percent: float = 40.0) -> Any:
    """Return a payload without times, ports, sessions and figures of the moment; types stay what they were.

    ``percent`` stands for how far a running print was.
    """
    if isinstance(value, dict):
        if value.get("type") == "PrintCancelled" and isinstance(value.get("payload"), dict):
            # OctoPrint writes its reason into it a moment later, for the failure that it tells as well.
            value = {**value, "payload": {**value["payload"], "reason": None}}
        return {name: neutral(one, name, percent) for name, one in value.items() if name not in _GONE}
    if isinstance(value, list):
        if key == "permissions" and not all(isinstance(one, str) for one in value):
            return []  # a greeting explains every right there is, at length
        rows = value[-1:] if key == "temps" else value
        plain = [neutral(one, key, percent) for one in rows]
        return sorted(plain) if all(isinstance(one, str) for one in plain) else plain
    if isinstance(value, str):
        return _TEXTS.get(key, value)
    if value is None or isinstance(value, bool):
        return value
    if key == "completion":
        return value if value in (0, 100) else percent
    if key == "printTimeLeft" and value == 0:
        return value  # known to be over
    return type(value)(_NUMBERS[key]) if key in _NUMBERS else value


def differences(before: Any, after: Any, where: str = "") -> Iterator[str]:
    """Say, a line each, where a newer recording differs from an older one."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after} - _COMES_AND_GOES):
            if name not in before or name not in after:
                yield f"{where}.{name}: {'is new' if name in after else 'is gone'}"
            else:
                yield from differences(before[name], after[name], f"{where}.{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{where}[{number}]")
    elif type(before) is not type(after) or before != after:
        yield f"{where}: {json.dumps(before)} is now {json.dumps(after)}"


def compare(before: Recording, after: Recording) -> list[str]:
    """Return what a newer recording says otherwise; the day is no difference."""
    return list(differences(_plain(before), _plain(after), before.release))


def _plain(recording: Recording) -> dict[str, Any]:
    return {
        **{
            scene.name: {
                **{one.request: asdict(one) for one in scene.answers},
                # Two events that come at the same moment may come either way round.
                "push": sorted((dict(frame) for frame in scene.push), key=json.dumps),
            }
            for scene in recording.scenes.values()
        },
        REPLIES: {name: asdict(one) for name, one in recording.replies.items()},
    }


def write(recording: Recording, folder: Path = DATA) -> None:
    """Write it anew, a line for each answer and frame; what is not in it any more is removed."""
    place = folder / recording.release
    place.mkdir(parents=True, exist_ok=True)
    names = {*recording.scenes, REPLIES}
    for old in place.glob("*.json"):
        if old.stem not in names:
            old.unlink()
    head = {"octoprint": recording.release, "recorded": recording.recorded}
    for scene in recording.scenes.values():
        said = {"how": scene.how, "answers": scene.answers, "push": scene.push}
        (place / f"{scene.name}.json").write_text(_text({**head, **said}))
    (place / f"{REPLIES}.json").write_text(_text({**head, "answers": recording.replies}))


def _text(content: Mapping[str, Any]) -> str:
    lines = []
    for key, value in content.items():
        if isinstance(value, str):
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
        elif isinstance(value, Mapping):
            rows = [f"  {json.dumps(name)}: {_line(one)}" for name, one in value.items()]
            lines.append(f" {json.dumps(key)}: {{\n" + ",\n".join(rows) + "\n }")
        else:
            lines.append(f" {json.dumps(key)}: [\n" + ",\n".join(f"  {_line(one)}" for one in value) + "\n ]")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _line(value: Answer | Mapping[str, Any]) -> str:
    return json.dumps(asdict(value) if isinstance(value, Answer) else value, ensure_ascii=False)


def read(release: str, folder: Path = DATA) -> Recording:
    """Read what was recorded of a release."""
    files = {path.stem: json.loads(path.read_text()) for path in sorted((folder / release).glob("*.json"))}
    replies = files.pop(REPLIES)
    return Recording(
        release,
        replies["recorded"],
        {
            name: Scene(name, one["how"], tuple(_answers(one["answers"])), tuple(one["push"]))
            for name, one in files.items()
        },
        {name: Answer(**one) for name, one in replies["answers"].items()},
    )


def _answers(rows: Iterable[dict[str, Any]]) -> Iterator[Answer]:
    return (Answer(**row) for row in rows)
