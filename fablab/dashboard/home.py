"""The first page, what is kept, and which place one looks at."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.bookings.finding import outlook
from equipment.bookings.obstacles import hit_by
from equipment.bookings.queries import visible_bookings
from equipment.bookings.states import LIVE
from equipment.machines.queries import visible_machines
from equipment.machines.states import Condition
from equipment.sites.queries import site_for
from fablab.api.shapes import machine_shapes
from fablab.dashboard import kinds, notices, present, worklist
from fablab.dashboard.bookings import booking_card
from fablab.dashboard.objects import job_cards, most_urgent_first, new_action
from fablab.dashboard.opening import open_label
from fablab.dashboard.requests import SITE_KEY, Here, back, here, page, see_other, writes
from jobs.lifecycle.queries import visible_jobs, with_all_that_pages_show
from jobs.lifecycle.states import ENDED

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
            "open_label": open_label(asked.site, asked.at),
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
            "booking": booking_card(following, asked.at, hit_by([following], asked.at))
            if following
            else None,
            "machines": _machines(asked),
        },
    )


def _machines(asked: Here) -> list[present.Card]:
    """Return the place's machines, free ones first, each leading to booking it; tables and such once for their kind."""
    if asked.site is None:
        return []
    machines = list(visible_machines(asked.person, site_id=asked.site.pk))
    shapes = machine_shapes(machines, at=asked.at, staff=False, free_times=False)
    known = outlook(machines, asked.at, person=asked.person, ready=kinds.stand_free(shapes))
    places = [(kind, of_kind) for kind, of_kind in kinds.by_kind(machines) if kind.is_place]
    single = {one.pk for _kind, of_kind in places for one in of_kind}
    cards = [
        present.machine_card(
            shape,
            zone=asked.zone,
            url=f"{reverse('book-kind', args=[shape['kind']['slug']])}?machine={shape['id']}",
            first_offer=known[shape["id"]].first,
        )
        for shape in shapes
        if shape["id"] not in single
    ]
    for kind, of_kind in places:
        mine = [known[one.pk] for one in of_kind]
        cards.append(
            {
                "places": True,
                "name": kind.name,
                "drawing": present.drawing_of(kind.icon),
                "url": reverse("book-kind", args=[kind.slug]),
                "free_label": kinds.free_label(kind, mine, asked),
                "state": Condition.FREE if any(one.now for one in mine) else Condition.BUSY,
            }
        )
    return sorted(cards, key=lambda card: card["state"] is not Condition.FREE)[:MACHINES_SHOWN]


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
