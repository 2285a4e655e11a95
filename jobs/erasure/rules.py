"""What of a history may stay when its person is erased: codes, numbers and names of machines; nothing typed."""

import re
from collections.abc import Collection, Mapping
from typing import Any
from unicodedata import category

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
# Of a machine's log, where the person wrote the line. Why it is out of order is the machine's: who reads it must know.
OF_MACHINES = frozenset(
    {"address", "driver", "every_hours", "frame", "hours", "material", "nozzle_mm", "reason", "to", "what"}
)
TYPED = ("reason", "words")  # of a line of history, for others to read
SOMEBODY = "…"  # in place of a name in a text that stays; the same in every language
TYPED_SETTINGS = frozenset({"fabric"})  # of a job's settings; all others are chosen from lists
LONGEST_FIGURE = 4
_STANDS_OUT = re.compile(r"[\d_]|\w[.-]\w")
_ATTACHED = "[وف]?[بكل]?"  # "and", "so", "by", "like", "to" are one word with the name in Arabic


def kept_details(details: Details, keys: Collection[str], codes: Collection[str] = ()) -> dict[str, Any]:
    """Return what stays of a line of history. ``codes``: reasons that are ours, not a person's words."""
    return {
        key: value
        for key, value in details.items()
        if (key in keys and not isinstance(value, (dict, list))) or (key == "reason" and value in codes)
    }


def words_in(details: Details, codes: Collection[str] = ()) -> set[str]:
    """Return what was typed in a line of history for others to read."""
    return {str(details[key]) for key in TYPED if details.get(key) and details[key] not in codes}


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


def called(display_name: str, username: str) -> re.Pattern[str] | None:
    """Return what finds these names where others wrote them, as whole words; None when there are none any more.

    As names are written, with a capital: when La or Rose leaves, "la buse" and "du PLA rose" still stand there. What
    is no word of any language (``lea.b2``, ``kevin93``) and what has no capitals (``ليلى``) is found in any case.
    """
    found: dict[str, str] = {}
    for name in {display_name, username} - {""}:
        if _is_a_figure(name):
            continue
        if _STANDS_OUT.search(name) or _has_no_capitals(name):
            found[name] = rf"(?i:{re.escape(name)})"
        else:
            forms = {name, name[:1].upper() + name[1:], name.title(), name.upper()}
            found |= {form: re.escape(form) for form in forms if form != form.lower()}
    longest_first = sorted(found, key=len, reverse=True)  # one may begin with the other
    any_of_them = "|".join(found[name] for name in longest_first)
    return re.compile(rf"(?<!\w)({_ATTACHED})(?:{any_of_them})(?!\w)") if found else None


def _has_no_capitals(name: str) -> bool:
    return (
        any(sign.isalpha() and sign.upper() == sign.lower() for sign in name) or name.upper() == name.lower()
    )


def _is_a_figure(name: str) -> bool:
    """Some figures and marks name nobody, and what warns of a machine is full of them: 215 °C, 0.4 mm."""
    return len(name) <= LONGEST_FIGURE and all(category(sign)[0] in "NPZ" for sign in name)


def without_names(text: str, who: re.Pattern[str]) -> str:
    """Return a text of others with somebody's names taken out, and nothing else."""
    return who.sub(rf"\1{SOMEBODY}", text)


def mentions(answer: str, ids: Collection[str]) -> bool:
    """Say whether a kept answer speaks of one of these things. Ids are fourteen random symbols."""
    return any(one in ids for one in re.findall(r"[0-9a-z]{14}", answer))
