"""The first page, asking for help, what is kept, and which place one looks at."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.bookings.hit import hit_by
from equipment.bookings.queries import first_offers, visible_bookings
from equipment.bookings.states import LIVE
from equipment.machines import asking
from equipment.machines.queries import visible_machines
from equipment.machines.states import Condition
from equipment.sites.queries import open_until, power_cut_now, present_people, site_for
from fablab.api.shapes import machine_shapes
from fablab.core.clock import local_day
from fablab.core.errors import NotFound
from fablab.dashboard import formats, notices, present, worklist
from fablab.dashboard.bookings import booking_card
from fablab.dashboard.objects import job_cards, most_urgent_first, new_action
from fablab.dashboard.requests import SITE_KEY, Here, back, here, page, see_other, writes
from jobs.lifecycle.queries import visible_jobs, with_all_that_pages_show
from jobs.lifecycle.states import ENDED
from jobs.worklist.queries import handlings
from jobs.worklist.states import Need

OBJECTS_SHOWN = 6
MACHINES_SHOWN = 12


@page
def home(request: HttpRequest) -> HttpResponseBase:
    """What this is, for who is not signed in; else one's own objects, booking and two things to do."""
    if not request.user.is_authenticated:
        return render(request, "dashboard/welcome.html")
    asked = here(request)
    own = with_all_that_pages_show(visible_jobs(asked.person).filter(owner=asked.person))
    alive = list(own.exclude(state__in=ENDED).order_by("-created_at")[: OBJECTS_SHOWN + 1])
    bookings = visible_bookings(asked.person).filter(
        person=asked.person, state__in=list(LIVE), end__gt=asked.at
    )
    following = bookings.order_by("start").first()
    return render(
        request,
        "dashboard/home.html",
        {
            "name": asked.person.display_name,
            "notices": notices.cards(asked),
            "work": worklist.section(asked, most=worklist.ON_HOME) if asked.helps else None,
            "open_label": _open_label(asked),
            "actions": [
                new_action(),
                {
                    "url": reverse("book"),
                    "label": _("Réserver"),
                    "icon": "calendar",
                    "large": True,
                    "method": "get",
                },
            ],
            "objects": most_urgent_first(job_cards(alive[:OBJECTS_SHOWN], asked)),
            "more_objects": len(alive) > OBJECTS_SHOWN,
            "booking": booking_card(following, hit_by([following], asked.at)) if following else None,
            "machines": _machines(asked),
        },
    )


def _open_label(asked: Here) -> str:
    if asked.site is None:
        return _("Passe à l’accueil : on t’inscrit dans un lieu.")
    cut = power_cut_now(asked.site.pk, asked.at)
    if cut is not None:
        return _("Coupure de courant jusqu’à {time}.").format(time=formats.until(cut.end, asked.zone))
    closing = open_until(asked.site, asked.at)
    if closing is None:
        return _("Le fab lab est fermé en ce moment.")
    if local_day(closing, asked.zone) != local_day(asked.at, asked.zone):
        return _("Le fab lab est ouvert.")
    return _("Le fab lab est ouvert jusqu’à {time}.").format(time=formats.until(closing, asked.zone))


def _machines(asked: Here) -> list[present.Card]:
    """Return the place's machines, free ones first; each leads to booking it."""
    if asked.site is None:
        return []
    machines = list(visible_machines(asked.person, site_id=asked.site.pk))
    first = first_offers(machines, asked.at)
    no_power = power_cut_now(asked.site.pk, asked.at) is not None
    cards = [
        present.machine_card(
            shape,
            zone=asked.zone,
            url=f"{reverse('book-kind', args=[shape['kind']['slug']])}?machine={shape['id']}",
            first_offer=first[shape["id"]],
            no_power=no_power,
        )
        for shape in machine_shapes(machines, at=asked.at, staff=False, free_times=False)
    ]
    return sorted(cards, key=lambda card: card["state"] is not Condition.FREE)[:MACHINES_SHOWN]


@page
def ask_for_help(request: HttpRequest) -> HttpResponseBase:
    """Who is at the place now, and comes when asked."""
    shown: dict[str, object] = {"people": [], "open_label": ""}
    if request.user.is_authenticated:
        asked = here(request)
        shown["open_label"] = _open_label(asked)
        if asked.site is not None:
            shown["people"] = [person.display_name for person in present_people(asked.site.pk, asked.at)]
            shown |= _call(request, asked)
    return render(request, "dashboard/help.html", shown)


def _call(request: HttpRequest, asked: Here) -> dict[str, object]:
    """Return the person's call, with who comes, or the button that makes one; nothing while the place is closed."""
    site = asked.site
    assert site is not None
    found = asking.calls(site.pk, asked.at).filter(person=asked.person).first()
    if found is not None:
        coming = handlings(site.pk, asked.at).get(f"{Need.ASKED}:{found.pk}")
        return {
            "called_at": formats.clock_time(found.at, asked.zone),
            "coming": coming.person.display_name if coming else "",
            "action": {"url": reverse("help-take-back"), "label": _("C’est bon, merci"), "icon": "check"},
        }
    if open_until(site, asked.at) is None:
        return {}
    machine = (
        visible_machines(asked.person, site_id=site.pk).filter(pk=request.GET.get("machine", "")).first()
    )
    return {
        "machine": machine.name if machine else "",
        "action": {
            "url": reverse("help-call"),
            "label": _("Appeler quelqu’un"),
            "icon": "hand",
            "style": "primary",
            "large": True,
            "fields": {"machine": machine.pk} if machine else {},
        },
    }


@writes
def call_somebody(request: HttpRequest) -> HttpResponseBase:
    """Appeler quelqu’un: those on duty read it at once, each on their own list."""
    asked = here(request)
    if asked.site is None:
        raise NotFound
    asking.call(asked.site.pk, actor=asked.person, at=asked.at, machine_id=request.POST.get("machine", ""))
    return see_other(reverse("ask-for-help"))


@writes
def take_call_back(request: HttpRequest) -> HttpResponseBase:
    """C’est bon, merci."""
    asked = here(request)
    if asked.site is None:
        raise NotFound
    asking.take_back(asked.site.pk, actor=asked.person)
    return see_other(reverse("ask-for-help"))


@writes
def help_given(request: HttpRequest, request_id: str) -> HttpResponseBase:
    """C’est réglé: somebody has been there."""
    asking.helped(request_id, actor=here(request).person)
    return back(request, reverse("worklist"))


@page
def privacy(request: HttpRequest) -> HttpResponseBase:
    """Six plain sentences about what is kept (PRIV-12)."""
    sentences = [
        ("user", _("On garde ton pseudonyme, tes objets et tes réservations.")),
        ("eye", _("L’équipe de ton lieu voit tes fichiers. Personne d’autre.")),
        ("file", _("On ne demande ni adresse, ni téléphone, ni date de naissance.")),
        ("key", _("Personne ne peut lire ton mot de passe.")),
        ("globe", _("Rien ne sort d’ici : pas de publicité, pas de suivi.")),
        ("hand", _("Tu peux tout effacer : ouvre « Mon compte ».")),
    ]
    return render(request, "dashboard/privacy.html", {"sentences": sentences})


def choose_site(request: HttpRequest) -> HttpResponseBase:
    """Look at another of one's places from now on; who only looks at this address is led home."""
    return _choose_site(request) if request.method == "POST" else see_other(reverse("home"))


@writes
def _choose_site(request: HttpRequest) -> HttpResponseBase:
    request.session[SITE_KEY] = site_for(here(request).person, request.POST.get("site", "")).pk
    return back(request, reverse("home"))
