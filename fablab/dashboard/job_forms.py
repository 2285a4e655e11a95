"""The forms of an object's page: another file, and the settings with what may be chosen here."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from equipment.certifications.queries import kinds_for_machine_files
from equipment.machines.queries import visible_machines, visible_models
from fablab.core.clock import local_day
from fablab.core.errors import Malformed, Problem
from fablab.dashboard import handmade, present
from fablab.dashboard.requests import Here
from jobs.inspection.endings import endings_of
from jobs.inspection.judge import COMMANDING

Card = present.Card
Given = Mapping[str, Any]
QUALITIES: Mapping[str, Any] = {
    "draft": gettext_lazy("Rapide"),
    "normal": gettext_lazy("Normale"),
    "fine": gettext_lazy("Fine"),
}
SUPPORTS: Mapping[str, Any] = {
    "auto": gettext_lazy("Si besoin"),
    "yes": gettext_lazy("Oui"),
    "no": gettext_lazy("Non"),
}
MANY_COPIES = 20
MESHES = frozenset({"stl", "3mf", "obj"})  # what a slicer may put supports under
# A service's field and ours on the page.
FIELD_IDS: Mapping[str, str] = {
    "upload": "file-field",
    "file": "file-field",
    "machine": "place",
    "machine_model": "place",
    "material": "material",
    "quality": "quality",
    "supports": "supports",
    "copies": "copies",
    **handmade.NAMES,
}


def file_field(asked: Here, label: str, error: str, job: Any = None) -> Card:
    """Return the file field: what is accepted stands before it (A11Y-3)."""
    site_id = job.site_id if job else asked.site.pk if asked.site else None
    machines = visible_machines(asked.person, site_id=site_id)
    models = {machine.model_id: machine.model for machine in machines if machine.model.kind.takes_files}
    sends = kinds_for_machine_files(asked.person, local_day(asked.at, asked.zone))
    taken = {
        name
        for model in models.values()
        for name in (*model.prepares, *model.formats)
        # What commands heaters is offered to those alone who may send it.
        if name not in COMMANDING or (model.kind_id, site_id) in sends
    }
    endings = [f".{ending}" for ending in endings_of(taken)]
    limit = settings.UPLOAD_LIMIT_BYTES
    return {
        "id": "file-field",
        "name": "file",
        "label": label,
        "accepted_label": ", ".join(endings) or "–",
        "limit_label": _("{n} Mo").format(n=limit // 1_000_000),
        "limit_bytes": limit,
        "accept": ",".join(endings),
        "error": error,
    }


def settings_fields(job: Any, asked: Here, given: Given) -> list[Card]:
    """Return the fields of the settings: what was typed last, else what the job has."""
    now = job.settings
    model = job.machine_model
    place = given.get("place") or (
        f"machine:{job.machine_id}" if job.machine_id else f"model:{job.machine_model_id}"
    )

    def choice(name: str, label: str, options: Iterable[tuple[str, Any]], chosen: Any) -> Card:
        rows = [{"value": value, "label": str(said), "selected": value == chosen} for value, said in options]
        return {"id": name, "name": name, "label": label, "options": rows}

    fields = [choice("place", _("Machine"), _places(job, asked), place)]
    if len(model.materials) > 1:
        options = [(material, material) for material in model.materials]
        fields.append(choice("material", _("Matière"), options, given.get("material") or now.get("material")))
    if len(model.qualities) > 1:
        options = [(quality, QUALITIES.get(quality, quality)) for quality in model.qualities]
        fields.append(choice("quality", _("Qualité"), options, given.get("quality") or now.get("quality")))
    fields += handmade.fields(model.kind.by_hand, now, given)
    if MESHES & set(model.prepares):
        fields.append(
            choice("supports", _("Supports"), SUPPORTS.items(), given.get("supports") or now.get("supports"))
        )
    fields.append(
        {
            "id": "copies",
            "name": "copies",
            "label": _("Combien ?"),
            "type": "number",
            "value": given.get("copies") or now.get("copies") or 1,
            "attributes": {"min": 1, "max": MANY_COPIES, "required": True, "inputmode": "numeric"},
        }
    )
    fields.append(
        {
            "id": "title",
            "name": "title",
            "label": _("Nom de l’objet"),
            "value": given.get("title") or job.title,
            "attributes": {"maxlength": 80, "required": True},
        }
    )
    fields.append(
        {
            "id": "note",
            "name": "note",
            "label": _("Un mot pour l’animateur"),
            "type": "textarea",
            "optional": True,
            "value": given.get("note", job.note),
            "attributes": {"maxlength": 500},
        }
    )
    return fields


def settings_label(job: Any) -> str:
    """Return what is chosen, in one line."""
    copies = job.settings.get("copies") or 1
    quality = job.settings.get("quality")
    parts = [
        *handmade.in_short(job.machine_model.kind.by_hand, job.settings),
        job.settings.get("material"),
        str(QUALITIES.get(quality, quality)) if quality else "",
        ngettext("{n} exemplaire", "{n} exemplaires", copies).format(n=copies),
    ]
    return " · ".join(filter(None, parts))


def _places(job: Any, asked: Here) -> list[tuple[str, str]]:
    """Return the machines that take this file, and where it is to go now: any of a model, or one by name."""
    machines = [
        machine
        for machine in visible_machines(asked.person, site_id=job.site_id)
        if machine.model.kind.takes_files and _takes(machine.model, job)
    ]
    models = {machine.model_id: machine.model for machine in machines}
    places = [
        (f"model:{model.pk}", _("{model} : la première libre").format(model=model.name))
        for model in sorted(models.values(), key=lambda one: one.name)
    ]
    return places + [
        (f"machine:{machine.pk}", f"{machine.name} ({machine.model.name})") for machine in machines
    ]


def _takes(model: Any, job: Any) -> bool:
    """Say whether a model makes a file of this format, or is where the object is to go already."""
    known = job.upload.format
    return not known or known in {*model.prepares, *model.formats} or model.pk == job.machine_model_id


def changes_from(posted: Mapping[str, Any], job: Any, asked: Here) -> dict[str, Any]:
    """Return what the form of the settings asks for, as ``change_job`` takes it. Raises ``Malformed``."""
    try:
        copies = int(posted.get("copies", ""))
    except ValueError as error:
        raise Malformed(Problem("copies_out_of_range", {"most": MANY_COPIES}, "copies")) from error
    changes: dict[str, Any] = {
        "title": posted.get("title", ""),
        "note": posted.get("note", ""),
    }
    wanted: dict[str, Any] = {"copies": copies}
    wanted |= {name: posted[name] for name in ("material", "quality", "supports") if posted.get(name)}
    wanted |= handmade.wanted(posted, job.machine_model.kind.by_hand, job.settings)
    kind, _colon, place = posted.get("place", "").partition(":")
    model = job.machine_model
    if kind == "machine" and place != job.machine_id:
        changes["machine_id"] = place
        machine = visible_machines(asked.person, site_id=job.site_id).filter(pk=place).first()
        model = machine.model if machine else model
    elif kind == "model" and (place != job.machine_model_id or job.machine_id):
        changes["machine_model_id"] = place
        model = visible_models(asked.person, site_id=job.site_id).filter(pk=place).first() or model
    if model != job.machine_model:
        # The form showed what the model before offers: another one keeps what it knows of that.
        known = {"material": model.materials, "quality": model.qualities}
        wanted = {
            name: value
            for name, value in wanted.items()
            if name in {"copies", "supports"} or value in known.get(name, ())
        }
    if {name: job.settings.get(name) for name in wanted} != wanted:
        changes["settings"] = wanted
    return changes
