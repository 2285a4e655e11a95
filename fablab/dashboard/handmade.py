"""Workpiece, place, frame, stabiliser: what people choose for an object that hands help to make, in words."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipment.machines.guide import CHOSEN, FABRIC_LENGTH, Guide, choices_of, label_of, mirrored
from fablab.dashboard import present

Card = present.Card
LABELS: Mapping[str, Any] = {
    "workpiece": gettext_lazy("Sur quoi ?"),
    "place": gettext_lazy("À quel endroit ?"),
    "stabiliser": gettext_lazy("Stabilisateur"),
}
FRAME_LABELS: Mapping[str, Any] = {
    "plate": gettext_lazy("Plateau"),
    "hoop": gettext_lazy("Cadre"),
    "mat": gettext_lazy("Tapis"),
}
FROM: Mapping[str, Any] = {
    "lab": gettext_lazy("Le fab lab le donne"),
    "own": gettext_lazy("Je l’apporte"),
}
# As others read it, who did not write "je".
BROUGHT: Mapping[str, Any] = {"lab": gettext_lazy("du fab lab"), "own": gettext_lazy("apporté")}
MIRROR: Mapping[str, Any] = {
    "usual": gettext_lazy("Comme d’habitude"),
    "yes": gettext_lazy("Oui"),
    "no": gettext_lazy("Non"),
}
SETTINGS = (*CHOSEN, "workpiece_from", "fabric", "mirror")
# Their names in forms, where "place" is the machine's.
NAMES: Mapping[str, str] = {setting: f"hand_{setting}" for setting in SETTINGS}


def label(setting: str, guide: Guide) -> str:
    """Return what a setting is called on pages."""
    return str(FRAME_LABELS[guide.plate_word] if setting == "frame" else LABELS[setting])


def fields(guide: Guide, now: Mapping[str, Any], given: Mapping[str, Any]) -> list[Card]:
    """Return the fields that a kind's guide asks for; what was typed last, else what the job has."""
    found = []
    for setting in CHOSEN:
        offered = choices_of(guide, setting)
        if offered:
            chosen = given.get(NAMES[setting]) or now.get(setting)
            rows = [(choice.code, choice.label) for choice in offered]
            found.append(_choice(NAMES[setting], label(setting, guide), rows, chosen))
        if setting == "workpiece" and offered:
            chosen = given.get(NAMES["workpiece_from"]) or now.get("workpiece_from")
            found.append(_choice(NAMES["workpiece_from"], _("Qui l’apporte ?"), FROM.items(), chosen))
            found.append(
                {
                    "id": NAMES["fabric"],
                    "name": NAMES["fabric"],
                    "label": _("Quel tissu ou quelle surface ?"),
                    "optional": True,
                    "value": given.get(NAMES["fabric"], now.get("fabric") or ""),
                    "attributes": {"maxlength": FABRIC_LENGTH},
                }
            )
    if guide.mirror is not None:
        chosen = given.get(NAMES["mirror"], _said(guide, now))
        found.append(_choice(NAMES["mirror"], _("En miroir ?"), MIRROR.items(), chosen))
    return found


def _said(guide: Guide, now: Mapping[str, Any]) -> str:
    """Return what the form shows as chosen: "as usual" where nobody said otherwise."""
    usual = mirrored(guide, now.get("workpiece"), now.get("material"))
    mirror = now.get("mirror")
    return "usual" if mirror is None or mirror == usual else "yes" if mirror else "no"


def _choice(name: str, said: str, options: Any, chosen: Any) -> Card:
    rows = [{"value": value, "label": str(words), "selected": value == chosen} for value, words in options]
    return {"id": name, "name": name, "label": said, "options": rows}


def wanted(posted: Mapping[str, Any], guide: Guide, now: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form asks for, as ``change_job`` takes it. "As usual" is nobody's word: it follows the rest."""
    told = {setting: posted[name] for setting, name in NAMES.items() if name in posted}
    found = {
        setting: value for setting, value in told.items() if value and setting not in {"fabric", "mirror"}
    }
    if "fabric" in told:
        found["fabric"] = told["fabric"].strip()
    if "mirror" in told:
        after = {**told, "material": posted.get("material")}
        follows = told["mirror"] == "usual" and any(
            after.get(one) != now.get(one) for one in ("workpiece", "material")
        )
        if follows or told["mirror"] != _said(guide, now):
            found["mirror"] = {"yes": True, "no": False}.get(told["mirror"])
    return found


def in_short(guide: Guide, settings: Mapping[str, Any]) -> list[str]:
    """Return workpiece and place for one line."""
    said = [label_of(choices_of(guide, name), settings.get(name)) for name in ("workpiece", "place")]
    return [one for one in said if one]


def facts(guide: Guide, settings: Mapping[str, Any], *, made_here: bool | None = None) -> list[Card]:
    """Return what was chosen as rows of a list of facts; nothing where the kind asks for nothing.

    ``made_here``, for who stands at the machine: whether the machine file was made here, mirrored where it is to be.
    """
    rows = []
    for setting in CHOSEN:
        said = label_of(choices_of(guide, setting), settings.get(setting))
        if said and setting == "workpiece":
            brought = BROUGHT.get(str(settings.get("workpiece_from")), "")
            said = " · ".join(filter(None, [said, str(brought), str(settings.get("fabric") or "")]))
        if said:
            rows.append({"label": label(setting, guide).removesuffix(" ?"), "value": said})
    if guide.mirror is not None and settings.get("mirror") is not None:
        said = _("Oui") if settings["mirror"] else _("Non")
        if settings["mirror"] and made_here is not None:
            said = _("Oui, déjà dans le fichier") if made_here else _("Oui, à régler sur la machine")
        rows.append({"label": _("En miroir"), "value": said})
    return rows
