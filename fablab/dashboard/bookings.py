"""Booking a machine in four taps, and one's own bookings."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from equipment.machines.queries import visible_kinds
from fablab.dashboard.requests import here, signed_in


@signed_in
def book(request: HttpRequest) -> HttpResponseBase:
    """The kinds of machines of the place, as cards."""
    asked = here(request)
    kinds = visible_kinds(asked.person, site_id=asked.site.pk if asked.site else None)
    return render(request, "dashboard/book.html", {"kinds": kinds})
