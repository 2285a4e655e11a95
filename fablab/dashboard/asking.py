"""Demander à un animateur: who is at the place now and comes when asked, and one's own call (A11Y-10)."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.machines import asking as calling
from equipment.machines.queries import visible_machines
from equipment.sites.queries import open_until, present_people
from fablab.core.errors import NotFound
from fablab.dashboard import formats
from fablab.dashboard.opening import instructor_label, open_label
from fablab.dashboard.present import Card
from fablab.dashboard.requests import back, here, page, see_other, writes
from jobs.worklist.queries import handlings
from jobs.worklist.states import Need


@page
def ask_for_help(request: HttpRequest) -> HttpResponseBase:
    """Who is there, the call that stands, or the button that makes one; of the machine's place, when one is named."""
    if not request.user.is_authenticated:
        return render(request, "dashboard/help.html", {"people": []})
    asked = here(request)
    machine = visible_machines(asked.person).filter(pk=request.GET.get("machine", "")).first()
    site = machine.site if machine else asked.site
    if site is None:
        return render(
            request, "dashboard/help.html", {"people": [], "open_label": open_label(None, asked.at)}
        )
    people = [person.display_name for person in present_people(site.pk, asked.at)]
    found = calling.calls(site.pk, asked.at).filter(person=asked.person).first()
    shown: Card = {
        "open_label": open_label(site, asked.at),
        "people": people,
        "machine": machine.name if machine else "",
        "actions": [],
        "next_there": "" if people else instructor_label(site, asked.at),
    }
    if found is not None:
        coming = handlings(site.pk, asked.at).get(f"{Need.ASKED}:{found.pk}")
        shown |= {
            "called_at": formats.clock_time(found.at, site.time_zone),
            "coming": coming.person.display_name if coming else "",
        }
    # Nobody is called who is not there: then the page says where to go.
    if people and open_until(site, asked.at) is not None and (found is None or _elsewhere(found, machine)):
        shown["actions"].append(
            {
                "url": reverse("help-call"),
                "label": _("Appeler quelqu’un") if found is None else _("Appeler ici plutôt"),
                "icon": "hand",
                "style": "primary",
                "large": True,
                "fields": {"machine": machine.pk} if machine else {},
            }
        )
    if found is not None:
        shown["actions"].append(
            {"url": reverse("help-take-back"), "label": _("C’est bon, merci"), "icon": "check"}
        )
    return render(request, "dashboard/help.html", shown)


def _elsewhere(found: Any, machine: Any) -> bool:
    """Say whether the person has gone to another machine since they called."""
    return machine is not None and found.machine != machine


@writes
def call_somebody(request: HttpRequest) -> HttpResponseBase:
    """Appeler quelqu’un: those on duty read it at once, each on their own list."""
    asked = here(request)
    machine_id = request.POST.get("machine", "")
    if asked.site is None:
        raise NotFound
    calling.call(asked.site.pk, actor=asked.person, at=asked.at, machine_id=machine_id)
    return see_other(reverse("ask-for-help") + (f"?machine={machine_id}" if machine_id else ""))


@writes
def take_call_back(request: HttpRequest) -> HttpResponseBase:
    """C’est bon, merci."""
    calling.take_back(here(request).person)
    return see_other(reverse("ask-for-help"))


@writes
def help_given(request: HttpRequest, request_id: str) -> HttpResponseBase:
    """C’est réglé: somebody has been there."""
    calling.helped(request_id, actor=here(request).person)
    return back(request, reverse("worklist"))
