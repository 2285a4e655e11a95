"""Open use, counted in one tap: who comes without a booking is one more, and nobody is named."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.bookings.open_use import count_open_use, open_use_today
from fablab.dashboard import formats, present
from fablab.dashboard.board import helper
from fablab.dashboard.requests import see_other, signed_in, writes


@signed_in
def counting(request: HttpRequest) -> HttpResponseBase:
    """A large "+1" for each kind of the place, with today's number."""
    asked = helper(request)
    assert asked.site is not None  # who helps has a place
    rows = open_use_today(asked.person, asked.site.pk, asked.at)
    return render(
        request,
        "dashboard/counting.html",
        {
            "day": formats.full_day(asked.at, asked.zone),
            "site_id": asked.site.pk,
            "rows": [
                {
                    "id": kind.pk,
                    "name": kind.name,
                    "drawing": present.drawing_of(kind.icon),
                    "count": count,
                    "url": reverse("count", args=[kind.pk]),
                }
                for kind, count in rows
            ],
        },
    )


@writes
def count(request: HttpRequest, kind_id: str) -> HttpResponseBase:
    """One person more, or the last one taken back."""
    asked = helper(request)
    assert asked.site is not None
    by = -1 if request.POST.get("by") == "-1" else 1
    count_open_use(site_id=asked.site.pk, kind_id=kind_id, by=by, actor=asked.person, at=asked.at)
    messages.success(request, _("C’est compté.") if by > 0 else _("C’est repris."))
    return see_other(f"{reverse('counting')}#kind-{kind_id}")
