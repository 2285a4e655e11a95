"""The day and the week by machine, for those on duty, and the day on paper: who comes, when, to which machine."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext_lazy

from equipment.bookings.states import BookingState
from equipment.bookings.timetable import Entry, Line, entries_of, lines_of
from equipment.bookings.words import STATES
from equipment.sites.queries import opening
from fablab.core.clock import FIRST_YEAR, LAST_YEAR, Span, local_day, merged, midnight, within
from fablab.core.errors import NotAllowed
from fablab.core.times import clock_time
from fablab.dashboard import formats, present
from fablab.dashboard.requests import Here, here, signed_in
from fablab.dashboard.slots import parse_day

Card = present.Card
USUAL_DAY = (8, 20)  # hours of the wall clock that are drawn on a day without opening and bookings
FEW_HOURS = timedelta(hours=14)
DAYS = 7
FOR_STAFF = {BookingState.HELD: gettext_lazy("Gardé")}  # for somebody else than who reads it


def _on_duty(request: HttpRequest) -> Here:
    asked = here(request)
    if not asked.helps:
        raise NotAllowed("not_allowed")
    return asked


@signed_in
def day(request: HttpRequest) -> HttpResponseBase:
    """One day: each machine with its bookings, drawn along the hours and told in words."""
    asked = _on_duty(request)
    shown = _asked_day(request, asked)
    return render(request, "dashboard/calendar_day.html", _day(asked, shown) | _around(asked, shown, step=1))


@signed_in
def sheet(request: HttpRequest) -> HttpResponseBase:
    """The same day for the wall beside the machines: printed, with room to write."""
    asked = _on_duty(request)
    shown = _asked_day(request, asked)
    lines, entries = _read(
        asked, midnight(shown, asked.zone), midnight(shown + timedelta(days=1), asked.zone)
    )
    clock = _Clock(asked.zone)
    rows = [
        {"name": line.name, "bookings": [_line(entry, clock) for entry in entries[line.machine_id]]}
        for line in lines
        if entries[line.machine_id]
    ]
    return render(request, "dashboard/calendar_sheet.html", {"rows": rows} | _around(asked, shown, step=1))


@signed_in
def week(request: HttpRequest) -> HttpResponseBase:
    """Seven days from a Monday: machines one below the other, days beside each other."""
    asked = _on_duty(request)
    shown = _asked_day(request, asked)
    monday = shown - timedelta(days=shown.weekday())
    days = [monday + timedelta(days=number) for number in range(DAYS)]
    edges = [midnight(one, asked.zone) for one in [*days, days[-1] + timedelta(days=1)]]
    lines, entries = _read(asked, edges[0], edges[-1])
    clock = _Clock(asked.zone)
    today = local_day(asked.at, asked.zone)
    rows = [
        {
            "name": line.name,
            "id": line.machine_id,
            "days": [
                {
                    "bookings": [
                        _cell(one, begin, clock)
                        for one in entries[line.machine_id]
                        if one.start < end and begin < one.end
                    ],
                    "out": [clock.span(one.start, one.end) for one in within(merged(line.out), begin, end)],
                }
                for begin, end in pairwise(edges)
            ],
        }
        for line in lines
    ]
    context = {
        "rows": rows,
        "days": [
            {"label": formats.short_day(one), "value": one.isoformat(), "today": one == today} for one in days
        ],
    }
    return render(request, "dashboard/calendar_week.html", context | _around(asked, monday, step=DAYS))


# --- what both show -----------------------------------------------------------------------------------------------


class _Clock:
    """Times on the place's clock, each written once: a week of a hundred machines says the same hours over and over."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self._written: dict[datetime, str] = {}

    def says(self, at: datetime) -> str:
        found = self._written.get(at)
        if found is None:
            found = self._written[at] = formats.clock_time(at, self.zone)
        return found

    def span(self, start: datetime, end: datetime) -> str:
        return f"{self.says(start)} – {self.says(end)}"


def _asked_day(request: HttpRequest, asked: Here) -> date:
    return parse_day(request.GET.get("jour", "")) or local_day(asked.at, asked.zone)


def _around(asked: Here, shown: date, *, step: int) -> Card:
    """Return what stands above every view: the day, the ways to others, the zone by name."""
    before, after = shown - timedelta(days=step), shown + timedelta(days=step)
    return {
        "day": shown.isoformat(),
        "title": formats.capital(formats.full_day(midnight(shown, asked.zone), asked.zone)),
        "before": before.isoformat() if before.year >= FIRST_YEAR else "",
        "after": after.isoformat() if after.year <= LAST_YEAR else "",
        "today": local_day(asked.at, asked.zone).isoformat(),
        "zone": asked.zone,
        "place": asked.site.name if asked.site else "",
        "printed_at": formats.listed(
            [formats.full_day(asked.at, asked.zone), formats.clock_time(asked.at, asked.zone)]
        ),  # on paper nothing is "today"
    }


def _read(asked: Here, from_: datetime, to: datetime) -> tuple[list[Line], dict[str, list[Entry]]]:
    assert asked.site is not None  # who helps has a place
    lines = lines_of(asked.site.pk, from_, to)
    return lines, entries_of([line.machine_id for line in lines], from_, to)


def _cell(entry: Entry, day_begins: datetime, clock: _Clock) -> Card:
    return {
        "hours": clock.span(max(entry.start, day_begins), entry.end),
        "what": entry.title or entry.who,
        "id": entry.booking_id,
        "state": entry.state,
    }


# --- one day ------------------------------------------------------------------------------------------------------


def _day(asked: Here, shown: date) -> Card:
    assert asked.site is not None  # who helps has a place
    begin, end = midnight(shown, asked.zone), midnight(shown + timedelta(days=1), asked.zone)
    lines, entries = _read(asked, begin, end)
    open_ = opening(asked.site, begin, end)
    booked = [Span(one.start, one.end) for some in entries.values() for one in some]
    drawn = _drawn([*open_, *booked], begin, end, asked.zone)
    clock = _Clock(asked.zone)
    rows = []
    for line in lines:
        found, out = entries[line.machine_id], within(merged(line.out), drawn.start, drawn.end)
        blocks = [_block(drawn, Span(one.start, one.end), one.state) for one in found]
        rows.append(
            {
                "name": line.name,
                "kind": line.kind,
                "id": line.machine_id,
                "blocks": [*blocks, *(_block(drawn, one, "out") for one in out)],
                "out": [clock.span(one.start, one.end) for one in out],
                "bookings": [_line(entry, clock) for entry in found],
            }
        )
    return {
        "rows": rows,
        "open": [clock.span(one.start, one.end) for one in open_],
        "hours": _hours(drawn, asked.zone),
        "closed": [_block(drawn, one, "closed") for one in _gaps(drawn, open_)],
        "now": _percent(_share(drawn, asked.at)) if drawn.start <= asked.at < drawn.end else "",
    }


def _line(entry: Entry, clock: _Clock) -> Card:
    return {
        "hours": clock.span(entry.start, entry.end),
        "what": entry.title,
        "person": entry.who,
        "code": formats.code(entry.code),
        "id": entry.booking_id,
        "state": entry.state,
        "state_label": ""
        if entry.state == BookingState.CONFIRMED
        else FOR_STAFF.get(entry.state, STATES[entry.state]),
    }


def _drawn(spans: Sequence[Span], begin: datetime, end: datetime, zone: str) -> Span:
    """Return what the bars show: the opening, all bookings, to the whole hour; some hours on an empty day."""
    spans = within(spans, begin, end)
    if not spans:
        first, last = (begin + timedelta(hours=hour) for hour in USUAL_DAY)
        return Span(first, last)
    here_ = ZoneInfo(zone)
    first = min(span.start for span in spans)
    last = max(span.end for span in spans)
    early = timedelta(minutes=first.astimezone(here_).minute)
    late = last.astimezone(here_).minute
    return Span(max(begin, first - early), min(end, last + timedelta(minutes=60 - late if late else 0)))


def _gaps(drawn: Span, open_: Sequence[Span]) -> list[Span]:
    gaps, reached = [], drawn.start
    for span in within(merged(open_), drawn.start, drawn.end):
        if span.start > reached:
            gaps.append(Span(reached, span.start))
        reached = span.end
    return [*gaps, Span(reached, drawn.end)] if reached < drawn.end else gaps


def _share(drawn: Span, at: datetime) -> float:
    """Return how far along the bar a moment lies, in percent. Time goes from left to right in every language."""
    at = min(max(at, drawn.start), drawn.end)
    return 100 * ((at - drawn.start) / (drawn.end - drawn.start))


def _percent(share: float) -> str:
    return f"{share:.2f}%"


def _block(drawn: Span, span: Span, looks: str) -> Card:
    first, last = _share(drawn, span.start), _share(drawn, span.end)
    return {"x": _percent(first), "width": _percent(max(0.2, last - first)), "looks": looks}


def _hours(drawn: Span, zone: str) -> list[Card]:
    """Return every second hour of the wall clock with its place, of a long day every fourth: phones are narrow.

    On a day of 23 or 25 hours they stand where the clock shows them.
    """
    here_, at, found = ZoneInfo(zone), drawn.start, []
    step = 2 if drawn.end - drawn.start <= FEW_HOURS else 4
    while at <= drawn.end:
        local = at.astimezone(here_)
        if local.minute == 0 and local.hour % step == 0 and at < drawn.end:
            found.append({"x": _percent(_share(drawn, at)), "label": clock_time(at, zone)})
        at += timedelta(minutes=60 - local.minute)
    return found
