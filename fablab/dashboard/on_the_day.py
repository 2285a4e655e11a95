"""A booking on its day: being there, staying longer, being done; and times that nobody came to, which staff excuse."""

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from equipment.bookings import use
from equipment.bookings.absent import counted_absences, excuse
from equipment.bookings.arriving import arrive
from equipment.bookings.extending import extend, extensions
from equipment.bookings.states import BookingState
from fablab.core.errors import DomainError, NotAllowed, NotFound
from fablab.dashboard import formats, present
from fablab.dashboard.requests import Here, here, refuse, see_other, signed_in, writes

Card = present.Card


def day_actions(booking: Any, asked: Here) -> list[Card]:
    """Return what can be said of a booking now: by its person, or by those on duty for them."""
    own = booking.person_id == asked.person.pk
    name = booking.person.display_name
    of = booking.machine.name
    actions: list[Card] = []
    early = booking.start - use.EARLIEST_CHECK_IN
    if booking.state == BookingState.CONFIRMED and early <= asked.at < booking.end:
        label = _("Je suis là") if own else _("{person} est là").format(person=name)
        actions.append(_action("booking-here", booking, label, "user", style="primary", of=of))
    runs = booking.state == BookingState.IN_USE and booking.ended_at is None
    if runs and booking.start <= asked.at < booking.end:
        label = _("J’ai fini") if own else _("{person} a fini").format(person=name)
        actions.append(_action("booking-done", booking, label, "check-circle", style="primary", of=of))
    for minutes in extensions(booking, asked.at):
        label = _("Rester {duration} de plus").format(duration=formats.duration(minutes))
        more = {"minutes": str(minutes)}
        actions.append(_action("booking-extend", booking, label, "plus", of=of, fields=more))
    return actions


def excuse_action(booking: Any, *, next_: str = "") -> Card:
    of = formats.listed(
        [booking.person.display_name, formats.day_and_time(booking.start, booking.machine.site.time_zone)]
    )
    fields = {"next": next_} if next_ else {}
    return _action("booking-excuse", booking, _("Excuser"), "check", of=of, fields=fields)


def _action(name: str, booking: Any, label: str, icon: str, **more: Any) -> Card:
    return {"url": reverse(name, args=[booking.pk]), "label": label, "icon": icon, **more}


def _back(request: HttpRequest, booking: Any) -> HttpResponseBase:
    """Lead back to the machine's page for who came from there, else to the booking."""
    if request.POST.get("at_machine"):
        return see_other(reverse("at-machine", args=[booking.machine_id]))
    return see_other(reverse("booking", args=[booking.pk]))


@writes
def be_here(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    asked = here(request)
    booking = use.check_in(booking_id, actor=asked.person, at=asked.at)
    messages.success(request, _("C’est noté. Bon travail !"))
    return _back(request, booking)


@writes
def be_done(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    asked = here(request)
    booking = use.finish(booking_id, actor=asked.person, at=asked.at)
    messages.success(request, _("C’est noté : le reste du temps est pour les autres."))
    return _back(request, booking)


@writes
def stay(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    asked = here(request)
    given = request.POST.get("minutes", "")
    minutes = int(given) if given.isdecimal() and len(given) < 4 else 0
    booking = extend(booking_id, minutes=minutes, actor=asked.person, at=asked.at)
    until = formats.clock_time(booking.end, booking.machine.site.time_zone)
    messages.success(request, _("C’est à toi jusqu’à {time}.").format(time=until))
    return _back(request, booking)


def arrived(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """ "Je suis arrivé": the code of a booking, typed at the machine, with or without an account."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        booking = arrive(machine_id, code=request.POST.get("code", "")[:20], at=timezone.now())
    except NotFound as error:
        raise Http404 from error
    except DomainError as error:
        refuse(request, error)
        return see_other(reverse("at-machine", args=[machine_id]))
    until = formats.clock_time(booking.end, booking.machine.site.time_zone)
    said = _("C’est noté : {machine}, jusqu’à {time}.").format(machine=booking.machine.name, time=until)
    messages.success(request, said)
    return see_other(reverse("at-machine", args=[booking.machine_id]))


@signed_in
def absences(request: HttpRequest) -> HttpResponseBase:
    """What counts against people here, person by person, for those on duty: each is excused in one tap."""
    asked = here(request)
    if asked.site is None or not asked.helps:
        raise NotAllowed("absences_by_staff")
    rows = counted_absences(asked.person, asked.site.pk, asked.at)
    pause = asked.site.no_shows_before_pause
    people = []
    for _person, of_person in groupby(rows, key=lambda row: row.person_id):
        mine = list(of_person)
        people.append(
            {
                "name": mine[0].person.display_name,
                "paused": bool(pause) and len(mine) >= pause,
                "times": [
                    {
                        "what": row.machine.name,
                        "when": formats.day_and_time(row.start, asked.zone),
                        "excuse": excuse_action(row, next_=reverse("absences")),
                    }
                    for row in mine
                ],
            }
        )
    people.sort(key=lambda one: str(one["name"]))
    return render(request, "dashboard/absences.html", {"people": people})


@writes
def excused(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    asked = here(request)
    booking = excuse(booking_id, actor=asked.person, at=asked.at)
    messages.success(request, _("C’est noté : cela ne compte pas."))
    to_list = request.POST.get("next") == reverse("absences")
    return see_other(reverse("absences") if to_list else reverse("booking", args=[booking.pk]))
