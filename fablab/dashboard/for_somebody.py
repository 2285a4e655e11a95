"""Booking for somebody who stands at the desk, or rang up; with a reason where a rule is set aside (J13).

Also what is written down afterwards, and what an instructor answers for by name: both are rules set aside.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.bookings import services
from equipment.bookings.rules import may_set_aside
from equipment.machines.queries import visible_machines
from equipment.sites.queries import people_at
from fablab.core.clock import local_time
from fablab.core.errors import DomainError, Malformed, NotAllowed, NotFound, Problem, collecting
from fablab.core.words import say_problem
from fablab.dashboard import formats, present
from fablab.dashboard.board import helper
from fablab.dashboard.requests import Here, see_other, signed_in, writes
from fablab.dashboard.typed import wall_time

Card = present.Card
Given = Mapping[str, Any]
FIELDS = ("machine", "start", "end", "why")


def book_for(request: HttpRequest, person_id: str) -> HttpResponseBase:
    """A machine, a day, an hour: for one person of the place."""
    return _book(request, person_id) if request.method == "POST" else _form(request, person_id)


@signed_in
def _form(request: HttpRequest, person_id: str) -> HttpResponseBase:
    return _page(request, person_id, {}, None)


@writes
def _book(request: HttpRequest, person_id: str) -> HttpResponseBase:
    asked = helper(request)
    person = _person(asked, person_id)
    given = {name: request.POST.get(name, "") for name in FIELDS}
    aside = request.POST.getlist("aside")
    overrides = [{"code": code, "reason": given["why"]} for code in aside]
    try:
        machine_id, start, end = _wish(asked, given, overrides)
        booking = services.book(
            person=person,
            machine_id=machine_id,
            start=start,
            end=end,
            actor=asked.person,
            at=asked.at,
            overrides=overrides,
        )
    except (NotFound, NotAllowed):
        raise
    except DomainError as error:
        return _page(request, person_id, given, error, aside)
    messages.success(request, _("C’est réservé pour {person}.").format(person=person.display_name))
    return see_other(reverse("booking", args=[booking.pk]))


def _person(asked: Here, person_id: str) -> Any:
    assert asked.site is not None
    found = people_at(asked.site.pk).filter(pk=person_id).first()
    if found is None:
        raise NotFound
    return found


def _wish(
    asked: Here, given: Given, overrides: Sequence[Mapping[str, str]]
) -> tuple[str, datetime, datetime]:
    """Return the machine and the time, in UTC. Raises ``Malformed`` with everything that is missing or senseless."""
    assert asked.site is not None
    problems: list[Problem] = []
    machines = visible_machines(asked.person, site_id=asked.site.pk)
    if not given["machine"] or not machines.filter(pk=given["machine"]).exists():
        problems.append(Problem("unknown_machine", field="machine"))
    moments: list[datetime] = []
    for name, second in (("start", False), ("end", True)):
        with collecting(problems):
            moments.append(wall_time(given[name], asked.zone, field=name, second=second))
    with collecting(problems):
        if len(moments) == 2:
            services.understood(moments[0], moments[1], overrides)
    if problems:
        raise Malformed(*problems)
    return given["machine"], moments[0], moments[1]


def _page(
    request: HttpRequest,
    person_id: str,
    given: Given,
    error: DomainError | None,
    aside: list[str] | None = None,
) -> HttpResponseBase:
    asked = helper(request)
    assert asked.site is not None
    person = _person(asked, person_id)
    machines = list(visible_machines(asked.person, site_id=asked.site.pk).order_by("name"))
    wrong = {problem.field: say_problem(problem) for problem in (error.problems if error else ())}
    begin = _next_quarter(asked)
    fields = [
        {
            "id": "machine",
            "name": "machine",
            "label": _("Machine"),
            "options": [
                {
                    "value": one.pk,
                    "label": f"{one.name} · {one.model.kind.name}",
                    "selected": one.pk == given.get("machine"),
                }
                for one in machines
            ],
            "error": wrong.get("machine", ""),
        },
        _moment("start", _("Début"), given, wrong, begin),
        _moment("end", _("Fin"), given, wrong, begin + timedelta(hours=1)),
    ]
    rules = [
        {
            "code": problem.code,
            "sentence": say_problem(problem),
            "may": may_set_aside(problem.code, asked.roles),
            "checked": problem.code in (aside or ()),
        }
        for problem in (error.problems if error else ())
        if problem.field is None
    ]
    context = {
        "person": person.display_name,
        "person_id": person.pk,
        "fields": fields,
        "zone": asked.zone,
        "rules": rules,
        "may_any": any(rule["may"] for rule in rules),
        "why": {
            "id": "why",
            "name": "why",
            "label": _("Pourquoi ?"),
            "help": _("Ton nom et ta raison restent avec la réservation."),
            "value": given.get("why", ""),
            "error": wrong.get("overrides", ""),
            "optional": True,
            "attributes": {"maxlength": "200"},
        },
        "near": _near(asked, machines, error),
        "problems": [
            {"sentence": say_problem(problem), "field_id": problem.field or "rules"}
            for problem in (error.problems if error else ())
        ],
        "problems_title": _("Ce n’est pas réservé."),
    }
    return render(request, "dashboard/book_for.html", context, status=error.status if error else 200)


def _near(asked: Here, machines: list[Any], error: DomainError | None) -> list[str]:
    """Return the other times that could be had, as words: who helps types the one that is chosen."""
    names = {machine.pk: machine.name for machine in machines}
    return [
        " · ".join(
            [
                names.get(one["machine"], ""),
                formats.day_and_time(datetime.fromisoformat(one["start"]), asked.zone),
            ]
        )
        for one in (error.extra.get("alternatives", []) if error else ())
    ]


def _moment(name: str, label: str, given: Given, wrong: Mapping[Any, str], usual: datetime) -> Card:
    return {
        "id": name,
        "name": name,
        "label": label,
        "type": "datetime-local",
        "value": given.get(name) or f"{usual:%Y-%m-%dT%H:%M}",
        "error": wrong.get(name, ""),
        "attributes": {"required": "required"},
    }


def _next_quarter(asked: Here) -> datetime:
    """Return the next half hour on the place's clock, as a wall time."""
    wall = local_time(asked.at, asked.zone).replace(tzinfo=None, second=0, microsecond=0)
    return wall + timedelta(minutes=30 - wall.minute % 30)
