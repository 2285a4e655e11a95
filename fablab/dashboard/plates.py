"""A plate that somebody empties: which one they looked at, and where what they take off it goes."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from equipment.machines.guide import Guide
from equipment.machines.words import EMPTY
from jobs.lifecycle.lying import lying_on, shelved


def names_of(jobs: Iterable[Any]) -> list[str]:
    """Return objects as those on duty tell them apart: number, name, whose."""
    return [
        _("n° {n} ({title}, {owner})").format(n=job.number, title=job.title, owner=job.owner.display_name)
        for job in jobs
    ]


def lying(machine_id: str) -> list[str]:
    """Return the ids of what lies on a machine."""
    return [job.pk for job in lying_on([machine_id]).get(machine_id, [])]


def seen_plate(request: HttpRequest) -> int | None:
    """Return which filling of the plate the page showed, where the form says so."""
    given = request.POST.get("seen_plate", "")
    return int(given) if given.isdecimal() and len(given) < 12 else None


def cleared(name: str, guide: Guide, lay_there: Sequence[str]) -> str:
    """Say that the plate is empty, and where each object that lay there goes."""
    return " ".join(
        [
            _("{machine} : {what}.").format(machine=name, what=str(EMPTY[guide.plate_word]).lower()),
            *put_away(lay_there),
        ]
    )


def also(said: str, lay_there: Sequence[str]) -> str:
    """Return what was done, and where what was taken off for it goes: "Plateau vide, lancer" empties the plate too."""
    places = put_away(lay_there)
    return " ".join([f"{said.removesuffix('.')}.", *places]) if places else said


def put_away(job_ids: Sequence[str]) -> list[str]:
    """Say where each object that was taken off goes: "Pose n° 6 (boîte, Léa) sur A1." """
    return [
        (_("Pose {object} sur {shelf}.") if job.shelf else _("Pose {object} à l’accueil.")).format(
            object=names_of([job])[0], shelf=job.shelf
        )
        for job in shelved(job_ids)
    ]
