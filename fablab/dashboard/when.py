"""The hour first: "mercredi après-midi", then what is free, one time of each kind, and "Confirmer"."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_time
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipment.bookings.facts import terms_of
from equipment.bookings.finding import Offer, free_around
from equipment.machines.queries import visible_machines
from fablab.core.clock import Span, local_day, midnight, wall_span
from fablab.core.errors import DomainError, NotFound
from fablab.dashboard import formats, kinds, present, slots
from fablab.dashboard.bookings import slot_value
from fablab.dashboard.requests import Here, here, see_other, signed_in, writes

Card = present.Card
# Parts of a day in minutes of the place's clock. What is open past midnight belongs to the evening.
MOMENTS: Mapping[str, tuple[int, int]] = {
    "matin": (0, 12 * 60),
    "apres-midi": (12 * 60, 18 * 60),
    "soir": (18 * 60, 29 * 60),
}
WORDS: Mapping[str, Any] = {
    "matin": gettext_lazy("Matin"),
    "apres-midi": gettext_lazy("Après-midi"),
    "soir": gettext_lazy("Soir"),
}
AROUND_MINUTES = 120  # of an hour that was typed: what begins so soon after it
DAYS_SHOWN = 3  # on the first page; the others are one tap further
USUAL_HORIZON = 14


@dataclass(frozen=True)
class Wish:
    """A local day, and an hour of it or a part of it."""

    day: date
    moment: str
    hour: time | None

    def span(self, zone: str) -> Span:
        if self.hour is not None:
            begin = self.hour.hour * 60 + self.hour.minute
            return wall_span(self.day, begin, begin + AROUND_MINUTES, zone)
        return wall_span(self.day, *MOMENTS[self.moment], zone)

    def fields(self) -> dict[str, str]:
        """Return the wish as forms and addresses carry it."""
        if self.hour is not None:
            return {"jour": self.day.isoformat(), "heure": f"{self.hour:%H:%M}"}
        return {"jour": self.day.isoformat(), "moment": self.moment}


def wish_of(given: Mapping[str, str], asked: Here) -> Wish:
    """Return what a form or an address asks for; what makes no sense is today, from now on."""
    today = local_day(asked.at, asked.zone)
    day = max(slots.parse_day(given.get("jour", "")) or today, today)
    try:
        hour = parse_time(given.get("heure", ""))
    except ValueError:
        hour = None
    hour = hour.replace(second=0, microsecond=0, tzinfo=None) if hour is not None else None
    moment = given.get("moment", "")
    if moment not in MOMENTS:
        left = moments_left(asked, day)
        moment = left[0] if left else "soir"
    return Wish(day, moment, hour)


def moments_left(asked: Here, day: date) -> list[str]:
    """Return the parts of a day that are not over."""
    return [code for code, part in MOMENTS.items() if wall_span(day, *part, asked.zone).end > asked.at]


def next_moments(asked: Here) -> list[Card]:
    """Return the parts of today and the next days, each an address, for the first page of booking."""
    today = local_day(asked.at, asked.zone)
    days = [today + timedelta(days=number) for number in range(DAYS_SHOWN)]
    return [
        {
            "heading": day_heading(day, asked),
            "moments": [
                {"label": WORDS[code], "url": address(Wish(day, code, None))}
                for code in moments_left(asked, day)
            ],
        }
        for day in days
    ]


def day_heading(day: date, asked: Here) -> str:
    return formats.capital(formats.day_name(midnight(day, asked.zone), asked.zone))


def address(wish: Wish) -> str:
    return f"{reverse('when')}?{urlencode(wish.fields())}"


@signed_in
def when(request: HttpRequest) -> HttpResponseBase:
    """What is free then: one time of each kind, as a list; a day, a part of it or an hour can be chosen or typed."""
    return _page(request, request.GET)


def _page(
    request: HttpRequest,
    given: Mapping[str, str],
    refused: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    asked = here(request)
    wish = wish_of(given, asked)
    machines = list(visible_machines(asked.person, site_id=asked.site.pk if asked.site else None))
    trained = kinds.trained_for(asked, wish.day)
    may = [one for one in machines if not one.model.kind.needs_certificate or one.model.kind_id in trained]
    span = wish.span(asked.zone)
    offers = free_around(may, span.start, span.end, at=asked.at, person=asked.person)
    horizon = max((one.horizon_days for one in terms_of(machines).values()), default=USUAL_HORIZON)
    week = slots.week_of(asked, wish.day, horizon)
    context: Card = {
        "said": formats.listed([day_heading(wish.day, asked), _said(wish, span, asked)]),
        "fields": wish.fields(),
        "day": wish.day.isoformat(),
        "hour": f"{wish.hour:%H:%M}" if wish.hour is not None else "",
        "week": {
            "first_day": local_day(asked.at, asked.zone).isoformat(),
            "last": week["last"],
            "days": [
                {**one, "url": address(Wish(_day(one["value"]), wish.moment, wish.hour))}
                for one in week["days"]
            ],
            "before_url": _week_address(week["before"], wish),
            "after_url": _week_address(week["after"], wish),
        },
        "moments": [
            {
                "label": WORDS[code],
                "url": address(Wish(wish.day, code, None)),
                "chosen": wish.hour is None and code == wish.moment,
            }
            for code in moments_left(asked, wish.day)
        ],
        **_free(asked, may, offers, wish),
        "untrained": [
            {"name": kind.name, "url": reverse("book-kind", args=[kind.slug])}
            for kind, _of_kind in kinds.by_kind(one for one in machines if one not in may)
        ],
    }
    if refused is not None:
        context |= slots.refusal(asked, machines, refused, given)
    return render(request, "dashboard/when.html", context, status=status)


def _said(wish: Wish, span: Span, asked: Here) -> str:
    if wish.hour is not None:
        return _("vers {time}").format(time=formats.clock_time(span.start, asked.zone))
    return str(WORDS[wish.moment]).lower()


def _day(value: str) -> date:
    return date.fromisoformat(value)


def _week_address(first: str, wish: Wish) -> str:
    return address(Wish(_day(first), wish.moment, wish.hour)) if first else ""


def _free(asked: Here, machines: Sequence[Any], offers: Sequence[Offer], wish: Wish) -> Card:
    """Return one time of each kind that has one, and the kinds that have none; each leads to all its times."""
    first = {offer.machine_id: offer for offer in reversed(offers)}
    free: list[Card] = []
    none: list[Card] = []
    for kind, of_kind in kinds.by_kind(machines):
        mine = sorted((first[one.pk] for one in of_kind if one.pk in first), key=lambda offer: offer.start)
        all_of_it = f"{reverse('book-kind', args=[kind.slug])}?jour={wish.day.isoformat()}"
        if not mine:
            none.append({"name": kind.name, "url": all_of_it})
            continue
        names = {one.pk: one.name for one in of_kind}
        soonest = mine[0]
        then = Counter(offer.start for offer in mine)[soonest.start]
        counted = kind.is_place and len(of_kind) > 1
        free.append(
            {
                "heading": kind.name,
                "url": all_of_it,
                "slots": [
                    {
                        "value": slot_value(soonest.machine_id, soonest.start, soonest.end),
                        "label": formats.span(soonest.start, soonest.end, asked.zone),
                        "detail": kinds.free_of(then, len(of_kind)) if counted else names[soonest.machine_id],
                    }
                ],
            }
        )
    return {"free": free, "none_free": none}


@writes
def _confirm(request: HttpRequest) -> HttpResponseBase:
    try:
        booking = slots.take(here(request), request.POST)
    except NotFound:
        raise
    except DomainError as error:
        return _page(request, request.POST, error, error.status)
    messages.success(request, _("C’est réservé."))
    return see_other(reverse("booking", args=[booking.pk]))


def when_confirm(request: HttpRequest) -> HttpResponseBase:
    """Book the chosen time; a lost one keeps the wish, says so, and offers the nearest."""
    return _confirm(request) if request.method == "POST" else see_other(reverse("when"))
