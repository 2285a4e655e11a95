"""Le lieu: all that those on duty set and plan, in one list; what a role does not do stands nowhere."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from fablab.dashboard.requests import signed_in
from fablab.dashboard.worklist import on_duty


@signed_in
def place(request: HttpRequest) -> HttpResponseBase:
    """The ways to everything else, each with a sentence of what it is for."""
    asked = on_duty(request)
    assert asked.site is not None  # who is on duty has a place
    # name of the page, words, what it is for, icon, only for who keeps machines
    ways = (
        ("rota", _("Planning"), _("Qui est là, quand."), "people", False),
        ("series-list", _("Séries et ateliers"), _("Ce qui revient chaque semaine."), "refresh", False),
        (
            "certificates",
            _("Habilitations"),
            _("Qui peut utiliser quoi ; réserver pour quelqu’un."),
            "key",
            False,
        ),
        ("absences", _("Créneaux rendus"), _("Personne n’est venu : excuser."), "undo", False),
        ("closures", _("Fermetures"), _("Les jours fermés."), "door", False),
        ("power-cuts", _("Coupures de courant"), _("Annoncées : rien ne démarre."), "plug", False),
        ("terms", _("Règles de réservation"), _("Durées, horaires, heures par semaine."), "ruler", True),
        ("importing", _("Importer des réservations"), _("D’un tableau, tout ou rien."), "upload", True),
        ("machine-new", _("Ajouter une machine"), _("Avec ou sans connexion."), "plus", True),
    )
    rows = [
        {"url": reverse(name), "label": label, "what": what, "icon": icon}
        for name, label, what, icon, staff in ways
        if asked.keeps_machines or not staff
    ]
    return render(request, "dashboard/place.html", {"name": asked.site.name, "rows": rows})
