"""What of a history may stay when its person is erased: codes, numbers and names of machines; nothing typed."""

import re
from collections.abc import Collection, Mapping
from typing import Any

Details = Mapping[str, Any]

# Of a job's history. What a reason says stays where it is one of our codes.
OF_JOBS = frozenset(
    {
        "accepted",
        "attempt",
        "auto",
        "blameless",
        "booking",
        "inferred",
        "machine",
        "machine_model",
        "order",
        "place",
        "policy",
        "proven_idle",
        "shelf",
    }
)
# Of a machine's log, where the person wrote the line.
OF_MACHINES = frozenset(
    {"address", "driver", "every_hours", "frame", "hours", "material", "nozzle_mm", "to", "what"}
)
TYPED_SETTINGS = frozenset({"fabric"})  # of a job's settings; all others are chosen from lists


def kept_details(details: Details, keys: Collection[str], codes: Collection[str] = ()) -> dict[str, Any]:
    """Return what stays of a line of history. ``codes``: reasons that are ours, not a person's words."""
    return {
        key: value
        for key, value in details.items()
        if (key in keys and not isinstance(value, (dict, list))) or (key == "reason" and value in codes)
    }


def kept_settings(settings: Details) -> dict[str, Any]:
    """Return a job's settings without what was typed."""
    return {key: "" if key in TYPED_SETTINGS else value for key, value in settings.items()}


def kept_report(report: Details | None) -> dict[str, Any] | None:
    """Return what stays of a file's inspection: its format, how long it takes, and how much it uses up."""
    if report is None:
        return None
    material = report.get("material") or {}
    return {
        "format": report["format"],
        "size_mm": None,
        "minutes": report.get("minutes"),
        "material": {"grams": material.get("grams"), "metres": material.get("metres"), "kind": None},
        "facts": {},
        "findings": [],
    }


def names(text: str, of: Collection[str]) -> bool:
    """Say whether a text holds one of these names as a word, in any case."""
    return any(name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) for name in of)


def mentions(answer: str, ids: Collection[str]) -> bool:
    """Say whether a kept answer speaks of one of these things. Ids are fourteen random symbols."""
    return any(one in ids for one in re.findall(r"[0-9a-z]{14}", answer))
