"""What is in a machine, and what it may do without a person: two short forms on the machine's own page."""

from collections.abc import Mapping
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipment.machines import fitted
from equipment.machines.guide import Guide, label_of
from equipment.sites.states import STAFF_ROLES
from fablab.core.errors import DomainError, Malformed, Problem
from fablab.core.words import say_problem
from fablab.dashboard import formats, present
from fablab.dashboard.requests import Here

Card = present.Card
Given = Mapping[str, Any]
CONTENTS = "contenu"  # the two forms, as the address names them
FREEDOM = "seule"
NAMES: Mapping[str, Any] = {
    "material": gettext_lazy("Matière"),
    "nozzle_mm": gettext_lazy("Buse"),
    "frame": gettext_lazy("Cadre"),
    "auto_start": gettext_lazy("Démarrage automatique"),
    "may_overrun": gettext_lazy("Peut déborder"),
}


def settings_of(found: Any, asked: Here, given: Given, error: DomainError | None) -> Card:
    """Return what ``dashboard/machine_settings.html`` shows, for those on duty.

    ``given``: what was sent, when ``error`` refused it.
    """
    wrong = {problem.field: say_problem(problem) for problem in (error.problems if error else ())}
    typed = given if error else {}
    fields = [{**field, "error": wrong.get(field["name"], "")} for field in _contents(found, typed)]
    keeps = bool(asked.viewer.roles_at(found.site_id) & STAFF_ROLES)
    return {
        "fields": fields,
        "freedom": _freedom(found) if keeps else None,
    }


def problems_of(error: DomainError | None) -> list[Card]:
    """Return the summary of what was refused, each sentence beside its field."""
    return [
        {
            "sentence": say_problem(problem),
            "field_id": f"in-{problem.field}" if problem.field in fitted.Contents.__annotations__ else "",
        }
        for problem in (error.problems if error else ())
    ]


def save(asked: Here, machine_id: str, what: str, form: Given) -> None:
    """Carry out one of the two forms. Raises what the services raise."""
    if what == CONTENTS:
        contents: fitted.Contents = {}
        if "material" in form:
            contents["material"] = form["material"]
        if "frame" in form:
            contents["frame"] = form["frame"]
        if "nozzle_mm" in form:
            contents["nozzle_mm"] = _millimetres(form["nozzle_mm"])
        fitted.put_in(machine_id, contents, actor=asked.person, at=asked.at)
    else:
        wanted: fitted.Freedom = {
            "auto_start": form.get("auto_start") == "yes",
            "may_overrun": form.get("may_overrun") == "yes",
        }
        fitted.set_free(machine_id, wanted, actor=asked.person, at=asked.at)


def said_of(details: Given, guide: Guide) -> str:
    """Return what a line of the log says was put in or allowed."""
    said = []
    for name, label in NAMES.items():
        if name not in details:
            continue
        value = details[name]
        if isinstance(value, bool):
            words = _("oui") if value else _("non")
        elif name == "nozzle_mm":
            words = _("celle du modèle") if value is None else f"{_number(value)} mm"
        elif name == "frame" and value:
            words = label_of(guide.frames, value) or str(value)
        else:
            words = str(value) or _("on ne sait pas")
        said.append(_("{label} : {value}").format(label=label, value=words))
    return formats.listed(said)


def _millimetres(text: str) -> float | None:
    """Return the number, with a point or a comma; None for nothing typed. Raises ``Malformed``."""
    text = text.strip().replace(",", ".")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        limits = {"least": fitted.FINEST_MM, "most": fitted.WIDEST_MM}
        raise Malformed(Problem("nozzle_out_of_range", limits, "nozzle_mm")) from None


def _contents(found: Any, typed: Given) -> list[Card]:
    fields = []
    unknown = ("", _("On ne sait pas"))
    if found.model.materials:
        options = [unknown, *((material, material) for material in found.model.materials)]
        fields.append(_choice("material", options, typed.get("material", found.material)))
    frames = found.model.kind.by_hand.frames
    if frames:
        options = [unknown, *((frame.code, frame.label) for frame in frames)]
        fields.append(_choice("frame", options, typed.get("frame", found.frame)))
    if fitted.has_nozzle(found):
        now = "" if found.nozzle_mm is None else f"{found.nozzle_mm:g}"
        usual = _number(found.model.limits["nozzle_mm"])
        fields.append(
            {
                "id": "in-nozzle_mm",
                "name": "nozzle_mm",
                "label": _("Buse, en mm"),
                "help": _("Vide : celle du modèle ({mm} mm).").format(mm=usual),
                "value": typed.get("nozzle_mm", now),
                "optional": True,
                "attributes": {"inputmode": "decimal", "maxlength": 6, "autocomplete": "off", "dir": "ltr"},
            }
        )
    return fields


def _choice(name: str, options: list[tuple[str, str]], chosen: str) -> Card:
    if chosen and chosen not in dict(options):
        options = [*options, (chosen, chosen)]  # what the lab no longer lists may still be in it
    return {
        "id": f"in-{name}",
        "name": name,
        "label": NAMES[name],
        "optional": True,
        "options": [{"value": value, "label": said, "selected": value == chosen} for value, said in options],
    }


def _freedom(found: Any) -> Card:
    never = [say_problem(problem) for problem in fitted.why_no_auto_start(found)]
    return {"auto_start": found.auto_start, "may_overrun": found.may_overrun, "never": never}


def _number(value: Any) -> str:
    return str(number_format(value))
