"""Règles de réservation: of the place's day, of each kind there, of one machine; each says where it comes from."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from equipment.bookings import agreeing
from equipment.bookings.facts import terms_with_sources
from equipment.bookings.terms import MAY_BE_UNLIMITED, NAMES, RANGES, Source, Terms
from equipment.machines.queries import machine_for, visible_machines
from fablab.core.errors import DomainError, Malformed, NotAllowed, NotFound, Problem
from fablab.core.words import say_problem
from fablab.dashboard import formats, present
from fablab.dashboard.requests import Here, here, see_other, signed_in, writes

Card = present.Card
LABELS: Mapping[str, Any] = {
    "min_minutes": gettext_lazy("Durée la plus courte, en minutes"),
    "max_minutes": gettext_lazy("Durée la plus longue, en minutes"),
    "grid_minutes": gettext_lazy("Un horaire toutes les … minutes"),
    "buffer_minutes": gettext_lazy("Minutes libres après chaque réservation"),
    "notice_minutes": gettext_lazy("Minutes à l’avance, au moins"),
    "horizon_days": gettext_lazy("Jours à l’avance, au plus"),
    "weekly_minutes": gettext_lazy("Minutes par personne et par semaine"),
    "open_bookings": gettext_lazy("Réservations à venir par personne"),
}
DAY_LABELS: Mapping[str, tuple[Any, Any]] = {
    "grace_minutes": (
        gettext_lazy("Minutes d’attente si personne ne vient"),
        gettext_lazy("Après, le créneau est rendu."),
    ),
    "hold_minutes": (
        gettext_lazy("Minutes gardées pour la liste d’attente"),
        gettext_lazy("Après, c’est la personne suivante."),
    ),
    "no_shows_before_pause": (
        gettext_lazy("Absences avant d’en parler"),
        gettext_lazy("0 : jamais. Sinon, au moins 3."),
    ),
}
FROM: Mapping[Source, Any] = {
    Source.KIND: gettext_lazy("du type de machine"),
    Source.SITE: gettext_lazy("de ce lieu"),
    Source.MACHINE: gettext_lazy("de cette machine"),
}
ABOVE = {Source.SITE: {Source.KIND}, Source.MACHINE: {Source.KIND, Source.SITE}}


def _keeper(asked: Here) -> str:
    """Return the place whose rules this person sets. Raises ``NotAllowed``."""
    if asked.site is None or not asked.keeps_machines:
        raise NotAllowed("not_allowed")
    return asked.site.pk


@signed_in
def rules(request: HttpRequest) -> HttpResponseBase:
    """The place's own rules of the day, and its kinds of machines."""
    return _rules(request, here(request))


def _rules(request: HttpRequest, asked: Here, error: DomainError | None = None) -> HttpResponseBase:
    site_id = _keeper(asked)
    given = request.POST if error else {}
    wrong = _wrong(error)
    kinds: dict[str, Card] = {}
    machines = list(visible_machines(asked.person, site_id=site_id))
    for machine in machines:
        kind = machine.model.kind
        card = kinds.setdefault(
            kind.pk,
            {
                "name": kind.name,
                "drawing": present.drawing_of(kind.icon),
                "url": reverse("terms-kind", args=[kind.slug]),
                "count": 0,
            },
        )
        card["count"] += 1
    for card in kinds.values():
        card["detail"] = ngettext("{n} machine", "{n} machines", card["count"]).format(n=card["count"])
    fields = [
        {
            "id": name,
            "name": name,
            "label": label,
            "help": help_,
            "type": "number",
            "value": str(given.get(name, getattr(asked.site, name))),
            "error": wrong.get(name, ""),
            "attributes": {"min": 0, "inputmode": "numeric", "required": "required"},
        }
        for name, (label, help_) in DAY_LABELS.items()
    ]
    context = {
        "fields": fields,
        "kinds": sorted(kinds.values(), key=lambda card: str(card["name"])),
        "problems": _summary(error),
    }
    return render(request, "dashboard/terms.html", context, status=error.status if error else 200)


@writes
def save_day(request: HttpRequest) -> HttpResponseBase:
    """Keep the place's rules of the day. The form keeps what was typed."""
    asked = here(request)
    site_id = _keeper(asked)
    try:
        said, problems = _numbers(request.POST, agreeing.ON_THE_DAY, blank=False)
        if problems:
            raise Malformed(*problems)
        agreeing.set_day_rules(
            site_id=site_id,
            said={name: value for name, value in said.items() if value is not None},
            actor=asked.person,
            at=asked.at,
        )
    except Malformed as error:
        return _rules(request, asked, error)
    messages.success(request, _("C’est noté."))
    return see_other(reverse("terms"))


# --- of a kind, of a machine --------------------------------------------------------------------------------------


@signed_in
def of_kind(request: HttpRequest, kind: str) -> HttpResponseBase:
    """On what terms a kind is booked at the place."""
    asked = here(request)
    return _form(request, asked, *_of_kind(asked, kind))


@writes
def save_kind(request: HttpRequest, kind: str) -> HttpResponseBase:
    asked = here(request)
    machines, _none = _of_kind(asked, kind)
    return _save(request, asked, machines, None)


@signed_in
def of_machine(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """On what terms one machine is booked, where it differs from its kind at the place."""
    asked = here(request)
    return _form(request, asked, *_of_machine(asked, machine_id))


@writes
def save_machine(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    asked = here(request)
    return _save(request, asked, *_of_machine(asked, machine_id))


def _of_kind(asked: Here, slug: str) -> tuple[list[Any], None]:
    machines = list(visible_machines(asked.person, site_id=_keeper(asked), kind=slug))
    if not machines:
        raise NotFound
    return machines, None


def _of_machine(asked: Here, machine_id: str) -> tuple[list[Any], Any]:
    machine = machine_for(asked.person, machine_id)
    if asked.site is None or machine.site_id != asked.site.pk:
        raise NotFound
    _keeper(asked)
    return [machine], machine


def _save(request: HttpRequest, asked: Here, machines: list[Any], machine: Any) -> HttpResponseBase:
    kind = machines[0].model.kind
    try:
        said, problems = _numbers(request.POST, NAMES, blank=True)
        if problems:
            raise Malformed(*problems)
        agreeing.set_terms(
            site_id=machines[0].site_id,
            kind_id=kind.pk,
            machine_id=machine.pk if machine else None,
            said=said,
            actor=asked.person,
            at=asked.at,
        )
    except Malformed as error:
        return _form(request, asked, machines, machine, error)
    messages.success(request, _("C’est noté. Les réservations faites restent."))
    return see_other(
        reverse("terms-machine", args=[machine.pk]) if machine else reverse("terms-kind", args=[kind.slug])
    )


def _form(
    request: HttpRequest, asked: Here, machines: list[Any], machine: Any, error: DomainError | None = None
) -> HttpResponseBase:
    kind = machines[0].model.kind
    level = Source.MACHINE if machine else Source.SITE
    said, above = agreeing.said_and_above(machines[0], level)
    given = request.POST if error else None
    wrong = _wrong(error)
    sources = terms_with_sources(machines)
    context = {
        "name": machine.name if machine else kind.name,
        "of_machine": machine is not None,
        "kind": kind.name,
        "kind_url": reverse("terms-kind", args=[kind.slug]),
        "save_url": reverse("terms-machine-save", args=[machine.pk])
        if machine
        else reverse("terms-kind-save", args=[kind.slug]),
        "fields": [_field(name, said, above, given, wrong) for name in LABELS],
        # Below: which machines differ from what is set here.
        "machines": []
        if machine
        else [
            {
                "name": one.name,
                "url": reverse("terms-machine", args=[one.pk]),
                "differs": Source.MACHINE in sources[one.pk][1].values(),
            }
            for one in machines
        ],
        "problems": _summary(error),
    }
    return render(request, "dashboard/terms_form.html", context, status=error.status if error else 200)


def _field(
    name: str,
    said: Mapping[str, int | None],
    above: tuple[Terms, Mapping[str, Source]],
    given: Any,
    wrong: Mapping[str, str],
) -> Card:
    terms, sources = above
    least, most = RANGES[name]
    value = said.get(name)
    shown = given.get(name, "") if given is not None else ("" if value is None else str(value))
    default = _("Vide : {value}, la règle {source}.").format(
        value=_value(name, getattr(terms, name)), source=FROM[sources[name]]
    )
    return {
        "id": name,
        "name": name,
        "label": LABELS[name],
        "help": default + (" " + _("0 : sans limite.") if name in MAY_BE_UNLIMITED else ""),
        "type": "number",
        "value": shown,
        "error": wrong.get(name, ""),
        "optional": True,
        "attributes": {
            "min": 0 if name in MAY_BE_UNLIMITED else least,
            "max": most,
            "inputmode": "numeric",
        },
    }


def _value(name: str, value: int | None) -> str:
    if value is None:
        return _("sans limite")
    if name == "horizon_days":
        return ngettext("{n} jour", "{n} jours", value).format(n=value)
    if name == "open_bookings":
        return str(value)
    return formats.duration(value) if value else _("aucune")


def _numbers(
    form: Mapping[str, Any], names: Any, *, blank: bool
) -> tuple[dict[str, int | None], list[Problem]]:
    """Read whole numbers; a blank field says nothing where that is allowed."""
    said: dict[str, int | None] = {}
    problems = []
    for name in names:
        text = str(form.get(name, "")).strip()
        if not text and blank:
            said[name] = None
        elif text.isascii() and text.isdigit() and len(text) < 7:
            said[name] = int(text)
        else:
            problems.append(Problem("number_expected", field=name))
    return said, problems


def _wrong(error: DomainError | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for problem in error.problems if error else ():
        found.setdefault(problem.field or "", say_problem(problem))
    return found


def _summary(error: DomainError | None) -> list[Card]:
    return [
        {"sentence": say_problem(problem), "field_id": problem.field or ""}
        for problem in (error.problems if error else ())
    ]
