"""What may be chosen for a job at a machine model: complete, checked, with the first choice where nobody chose.

``material quality copies supports`` everywhere; what a kind's guide offers beside: ``workpiece workpiece_from fabric
place frame stabiliser mirror``. An approval is bound to all of it.
"""

from collections.abc import Mapping
from typing import Any

from equipment.machines.guide import CHOSEN, FABRIC_LENGTH, WORKPIECE_FROM, Guide, choices_of, mirrored
from equipment.machines.models import MachineModel
from fablab.core.errors import Problem

MAX_COPIES = 20
SUPPORTS = ("auto", "yes", "no")
Given = Mapping[str, Any]


def settings_for(
    model: MachineModel | None, given: Given, problems: list[Problem], kept: Given | None = None
) -> dict[str, Any]:
    """Return complete settings for a model. What is wrong with ``given`` goes to ``problems``.

    ``kept`` is what a job had before: where another model does not know it, its own first choice takes the place.
    """
    guide = model.kind.by_hand if model else Guide()
    allowed = _allowed(model, guide)
    chosen = _first_choices(model, guide)
    for key, value in (kept or {}).items():
        if key in chosen and key not in given and _problem(key, value, allowed) is None:
            chosen[key] = value
    for key, value in given.items():
        if value in (None, "") and key in chosen:
            continue
        problem = _problem(key, value, allowed) if key in chosen or model is None else _unknown(key)
        if problem is not None:
            problems.append(problem)
        else:
            chosen[key] = value.strip() if key == "fabric" else value
    if "mirror" in chosen and chosen["mirror"] is None:
        chosen["mirror"] = mirrored(guide, chosen.get("workpiece"), chosen.get("material"))
    return chosen


def _first_choices(model: MachineModel | None, guide: Guide) -> dict[str, Any]:
    chosen: dict[str, Any] = {"copies": 1, "supports": "auto"}
    if model is None:
        return chosen
    chosen["material"] = next(iter(model.materials), "")
    chosen["quality"] = "normal" if "normal" in model.qualities else next(iter(model.qualities), "")
    for setting in CHOSEN:
        offered = choices_of(guide, setting)
        if offered:
            chosen[setting] = offered[0].code
    if guide.workpieces:
        chosen |= {"workpiece_from": WORKPIECE_FROM[0], "fabric": ""}
    if guide.mirror is not None:
        chosen["mirror"] = None  # known when workpiece and material are
    return chosen


def _allowed(model: MachineModel | None, guide: Guide) -> dict[str, list[Any]]:
    return {
        "material": list(model.materials) if model else [],
        "quality": list(model.qualities) if model else [],
        "supports": list(SUPPORTS),
        "workpiece_from": list(WORKPIECE_FROM),
        "mirror": [True, False],
        **{setting: [choice.code for choice in choices_of(guide, setting)] for setting in CHOSEN},
    }


def _problem(key: str, value: Any, allowed: Mapping[str, list[Any]]) -> Problem | None:
    """Say what is wrong with one value, or nothing."""
    if key == "copies":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return (
            None
            if whole and 1 <= value <= MAX_COPIES
            else Problem("copies_out_of_range", {"most": MAX_COPIES}, "copies")
        )
    if key == "fabric":
        short = isinstance(value, str) and len(value.strip()) <= FABRIC_LENGTH
        return None if short else Problem("text_too_long", {"most": FABRIC_LENGTH}, "fabric")
    if key not in allowed:
        return _unknown(key)
    # 0 and 1 are no yes and no.
    if value in allowed[key] and (key != "mirror" or isinstance(value, bool)):
        return None
    return Problem("not_a_choice", {"choices": ", ".join(map(str, allowed[key]))}, key)


def _unknown(key: str) -> Problem:
    return Problem("unknown_field", {"field": key}, key)
