"""An embroidery machine without a link, as the page at the machine is tried on it: guide, threads, people."""

from datetime import datetime
from typing import Any

from equipment.machines.models import Machine
from equipment.machines.states import Driver, Plate
from equipment.management.demo_guides import EMBROIDERY
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from jobs.uploads.models import Upload
from tests.builders_jobs import Cast, make_job, make_upload

STEPS = [
    {"number": 1, "stitches": 1200, "mm": 3100, "hex": "#b01030", "colour": "red", "brand": "", "code": "", "name": ""},
    {
        "number": 2,
        "stitches": 1,
        "mm": 2,
        "hex": "#20509a",
        "colour": "blue",
        "brand": "Madeira",
        "code": "1134",
        "name": "",
    },
    {"number": 3, "stitches": 640, "mm": 900, "hex": None, "colour": None, "brand": "", "code": "", "name": ""},
]  # fmt: skip


def embroider(cast: Cast) -> Machine:
    """Make the lab's machine an embroidery machine that no line reaches, its hoop empty."""
    cast.kind.names = {"fr": "Brodeuse", "en": "Embroidery machine", "ar": "آلة تطريز"}
    cast.kind.icon, cast.kind.guide = "hoop", EMBROIDERY
    cast.kind.save()
    cast.model.name, cast.model.formats, cast.model.prepares = "Broderie 180 x 130", ["dst"], []
    cast.model.materials, cast.model.qualities = ["Fil polyester", "Fil coton"], []
    cast.model.save()
    Machine.objects.filter(pk=cast.machine.pk).update(
        driver=Driver.HANDOVER, address="", name="Colette", plate=Plate.CLEAR, seen_at=None
    )
    cast.machine.refresh_from_db()
    return cast.machine


def make_embroidery(cast: Cast, *, state: State, at: datetime, **fields: Any) -> Job:
    """Make an object to embroider, with its threads in order, as far as ``state`` says."""
    owner = cast.person(fields.get("owner", "owner"))
    file = make_upload(
        owner, at=at, format="dst", name="renard.dst", content=b"stitches" + at.isoformat().encode()
    )
    Upload.objects.filter(pk=file.pk).update(
        report={
            "format": "dst",
            "size_mm": [92.0, 61.5, 0.0],
            "minutes": 24.0,
            "facts": {
                "steps": STEPS,
                "stitches": 1841,
                "colours": 3,
                "travel_box_mm": [[-46.0, -31.0], [46.0, 31.0]],
            },
            "findings": [],
        }
    )
    file.refresh_from_db()
    settings = {
        "copies": 1,
        "supports": "auto",
        "material": "Fil polyester",
        "quality": "",
        "workpiece": "cap",
        "workpiece_from": "own",
        "fabric": "coton épais",
        "place": "middle",
        "frame": "cap",
        "stabiliser": "tear",
    }
    job = make_job(
        cast, state=state, at=at, upload=file, machine_file=file, title="Renard", on=cast.machine, **fields
    )
    Job.objects.filter(pk=job.pk).update(settings=settings)
    job.approvals.update(settings=settings, profile=cast.model.profile)
    job.refresh_from_db()
    return job
