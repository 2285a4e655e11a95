"""One's own objects: the list, the page of one, handing in a file, what one may do."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from fablab.api.shapes import job_shapes
from fablab.dashboard import present
from fablab.dashboard.requests import Here, here, signed_in
from jobs.lifecycle.queries import visible_jobs, with_all_that_pages_show
from jobs.lifecycle.states import ENDED

PRINTERS = frozenset({"printer", "resin"})  # "Ça imprime"; everything else works
ENDED_SHOWN = 12


@signed_in
def jobs(request: HttpRequest) -> HttpResponseBase:
    """One's own objects: those that are alive, then the last ones that ended."""
    asked = here(request)
    own = with_all_that_pages_show(visible_jobs(asked.person).filter(owner=asked.person))
    alive = own.exclude(state__in=ENDED).order_by("-created_at")
    ended = own.filter(state__in=ENDED).order_by("-state_at")[:ENDED_SHOWN]
    return render(
        request,
        "dashboard/jobs.html",
        {"alive": job_cards(alive, asked), "ended": job_cards(ended, asked), "new": new_action()},
    )


def new_action() -> present.Card:
    """Return the large button that begins a new object."""
    return {}


def job_cards(found: Iterable[Any], asked: Here) -> list[present.Card]:
    """Return the cards of jobs that belong to the person who asks: their changes are spoken."""
    found = list(found)
    return [
        present.job_card(
            shape,
            reader_id=asked.person.pk,
            zone=job.site.time_zone,
            prints=prints(job),
            picture_url=picture_url(job),
            drawing=job.machine_model.kind.icon,
            follow=job.owner_id == asked.person.pk,
        )
        for job, shape in zip(found, job_shapes(found, asked.viewer), strict=True)
    ]


def prints(job: Any) -> bool:
    """Say whether the job's machine prints, for "Ça imprime"."""
    return job.machine_model.kind.icon in PRINTERS


def picture_url(job: Any) -> str:
    """Return the address of the file's picture, empty when there is none."""
    return reverse("upload-picture", args=[job.upload_id]) if job.upload.has_picture else ""
