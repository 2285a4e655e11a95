"""Every door through which a time on a machine is booked or moved, and a world in which exactly one rule fails.

A door tries, as a person's browser or program would, to get the time that a world is about. Behind some doors a rule
cannot fail, or is not asked: ``lets_in`` says which and why, and there the door must let in.
"""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import StringIO
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from equipment.bookings.models import Booking, Series
from equipment.bookings.rules import RULES
from equipment.bookings.states import BookingState
from equipment.bookings.words import IN_THE_WAY, SENTENCES
from equipment.certifications.models import Certificate
from equipment.machines.models import Machine, MachineKind, Outage
from equipment.sites.models import Site
from equipment.sites.states import Role
from fablab.core.clock import local_time
from fablab.people.models import User
from fablab.people.states import AgeBand
from tests.builders import (
    MONDAY,
    certify,
    hours,
    make_booking,
    make_closure,
    make_kind,
    make_machine,
    make_person,
    make_site,
    minutes,
)
from tests.fablab.api.callers import Caller
from tests.fablab.dashboard.lab import as_, text_of

AT = MONDAY + hours(4)  # Monday, 14:00 in Paris
TOMORROW = MONDAY + hours(24)  # 10:00
ZONE = "Europe/Paris"


@dataclass
class World:
    """A lab with a trained member, and somebody on duty. ``start`` and ``end``: the time that everybody wants.

    The member has three bookings on the day after: on the machine, on it in a series, and on another one.
    """

    start: datetime = TOMORROW
    minutes: int = 60
    site: Site = field(default_factory=make_site)
    kind: MachineKind = field(default_factory=lambda: make_kind("cutter", needs_certificate=True))

    def __post_init__(self) -> None:
        self.machine = make_machine(self.site, "Colette", kind=self.kind)
        self.other = make_machine(self.site, "Django", model=self.machine.model)
        self.person = make_person("Lea", site=self.site)
        self.instructor = make_person("Ines", Role.INSTRUCTOR, site=self.site)
        self.staff = make_person("Karim", Role.STAFF, site=self.site)
        certify(self.person, self.machine)
        certify(self.instructor, self.machine)
        day = self.start + hours(24) - hours(local_time(self.start, ZONE).hour - 10)
        day = day.replace(minute=0)
        self.booked = make_booking(self.machine, self.person, start=day + hours(6))
        self.elsewhere = make_booking(self.other, self.person, start=day + hours(5))
        self.series = Series.objects.create(
            site=self.site, person=self.person, weekdays=[local_time(day, ZONE).weekday()], starts=17 * 60,
            ends=18 * 60, first_day=day.date(), last_day=day.date(), created_by=self.instructor, created_at=MONDAY,
        )  # fmt: skip
        self.series.machines.set([self.machine])
        make_booking(self.machine, self.person, start=day + hours(7), series=self.series)

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)

    @property
    def span(self) -> dict[str, str]:
        return {"start": self.start.isoformat(), "end": self.end.isoformat()}

    @property
    def slot(self) -> str:
        return f"{self.machine.pk}|{self.start.isoformat()}|{self.end.isoformat()}"

    @property
    def table(self) -> str:
        row = (self.machine.name, self.person.username, self.start.isoformat(), self.end.isoformat())
        return f"machine,person,start,end\n{','.join(row)}\n"

    def wall(self, at: datetime, form: str = "%Y-%m-%dT%H:%M") -> str:
        return local_time(at, ZONE).strftime(form)

    def taken(self, machine: Machine, person: User | None = None, **fields: Any) -> None:
        """Have somebody hold a machine at the wanted time, and now."""
        for start in (self.start, AT - minutes(30)):
            make_booking(machine, person, start=start, **fields)


# --- worlds -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Situation:
    """``make`` builds a world in which the rule of this ``code`` fails, and no other."""

    name: str
    code: str
    make: Callable[[], World]


def _world(change: Callable[[World], object], **wanted: Any) -> Callable[[], World]:
    def make() -> World:
        world = World(**wanted)
        change(world)
        return world

    return make


def _terms(**fields: int) -> Callable[[World], object]:
    return lambda world: MachineKind.objects.filter(pk=world.kind.pk).update(**fields)


def _used_up(world: World) -> None:
    make_booking(world.other, world.person, start=world.elsewhere.start - hours(2))
    _terms(weekly_minutes=200)(world)  # of 240 that are booked, and 180 without one that moves


def _never_came(world: World) -> None:
    Site.objects.filter(pk=world.site.pk).update(no_shows_before_pause=3)
    for days in (2, 3, 4):
        start = MONDAY - timedelta(days=days)
        make_booking(world.other, world.person, start=start, state=BookingState.NO_SHOW, ended_at=start)


def _young(world: World) -> None:
    User.objects.filter(pk=world.person.pk).update(age_band=AgeBand.FROM_15)


def _outage(world: World) -> None:
    Outage.objects.create(machine=world.machine, start=AT - hours(1), end=world.end)


def _kept(world: World) -> None:
    world.taken(world.machine, state=BookingState.HELD, hold_until=AT + minutes(10))


SITUATIONS = (
    Situation("occupied", "slot_taken", _world(lambda world: world.taken(world.machine))),
    Situation("kept", "slot_taken", _world(_kept)),
    Situation("out of order", "machine_out_of_order", _world(_outage)),
    Situation("closed", "site_closed", _world(lambda w: make_closure(w.site, AT.date(), w.start.date()))),
    Situation("past", "in_the_past", _world(lambda world: None, start=MONDAY)),
    Situation("soon", "too_soon", _world(_terms(notice_minutes=2880))),
    Situation("far", "too_far", _world(_terms(horizon_days=14), start=TOMORROW + timedelta(days=15))),
    Situation("off the grid", "off_grid", _world(_terms(grid_minutes=30), start=TOMORROW + minutes(10))),
    Situation("short", "too_short", _world(_terms(min_minutes=30), minutes=10)),
    Situation("long", "too_long", _world(_terms(max_minutes=120), minutes=180)),
    Situation("untrained", "not_certified", _world(lambda w: Certificate.objects.filter(person=w.person).delete())),
    Situation("alone", "needs_supervision", _world(_young)),
    Situation("busy", "person_busy", _world(lambda world: world.taken(world.other, world.person))),
    Situation("used up", "quota_used", _world(_used_up)),
    Situation("never came", "paused_after_no_shows", _world(_never_came)),
)  # fmt: skip


# --- doors --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What came back: the codes of a program's answer, or the text of a page. ``kept``: what a form must not lose."""

    let_in: bool
    codes: list[str] = field(default_factory=list)
    text: str = ""
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class Door:
    """``calls``: the module that stands behind it and leads to the services."""

    name: str
    calls: str
    knock: Callable[[World], Answer]
    lets_in: Mapping[str, str] = field(default_factory=dict)
    says: Mapping[str, str] = field(default_factory=dict)  # another code, by the name of the situation


def sentence_of(code: str) -> re.Pattern[str]:
    """Return what people read of a rule, whatever its numbers; three other times are promised only where there are."""
    said = plain(str(SENTENCES[code])).partition(" En voici")[0]
    among_others = f"|{IN_THE_WAY[code]}" if code in IN_THE_WAY else ""
    return re.compile(re.sub(r"\\\{\w+\\\}", ".+?", re.escape(said)) + among_others)


def plain(text: str) -> str:
    return html.unescape(text).replace("\u202f", " ").replace("\u00a0", " ")


def _program(address: Callable[[World], str], body: Callable[[World], Any], who: str = "person") -> Any:
    def knock(world: World) -> Answer:
        answer = Caller(getattr(world, who)).post(address(world), body(world))
        if answer.status in (200, 201):
            return Answer(True)
        assert answer.status == 409, answer.body
        return Answer(False, answer.codes)

    return knock


def _page(
    address: Callable[[World], str], form: Callable[[World], Any], *kept: str, who: str = "person"
) -> Any:
    """``kept``: names of fields whose values must be there again."""

    def knock(world: World) -> Answer:
        given = form(world)
        answer = as_(getattr(world, who)).post(address(world), given)
        if answer.status_code == 303:
            return Answer(True)
        assert answer.status_code == 409, answer.status_code
        return Answer(
            False, text=plain(text_of(answer)), kept=tuple(f'value="{given[name]}"' for name in kept)
        )

    return knock


def _at_the_machine(world: World) -> Answer:
    answer = as_(world.person).post(reverse("at-machine-use", args=[world.machine.pk]), follow=True)
    let_in = answer.request["PATH_INFO"].startswith("/reservations/")
    return Answer(let_in, text=plain(text_of(answer)), kept=(f"/m/{world.machine.pk}/",))


def _by_command(world: World) -> Answer:
    with NamedTemporaryFile("w", suffix=".csv") as file:
        file.write(world.table)
        file.flush()
        try:
            call_command("import_bookings", file.name, site=world.site.slug, stdout=StringIO())
        except CommandError as refused:
            return Answer(False, text=plain(str(refused)))
    return Answer(True)


def _series_body(world: World, **more: Any) -> dict[str, Any]:
    hours_ = {"starts": world.wall(world.start, "%H:%M"), "ends": world.wall(world.end, "%H:%M")}
    return {"machines": [world.machine.pk], "first": world.wall(world.start, "%Y-%m-%d"), **hours_, **more}


def _change_body(world: World, first: str, later: str) -> dict[str, Any]:
    body = _series_body(world)
    return {"starts": body["starts"], "ends": body["ends"], first: body["first"], later: -1}


WALK_UP = {
    "in_the_past": "it begins now",
    "too_soon": "it begins now",
    "too_far": "it begins now",
    "off_grid": "it begins when somebody stands there",
    "too_short": "it lasts as long as is free",
    "too_long": "it ends by itself after the longest that is allowed",
    "paused_after_no_shows": "who stands there has come",
}
GIVEN = {"too_far": "the place gives it for up to a year; it is asked how far that is, not the kind's days"}
GROUP = {rule.code: "what limits one person is not asked of a group" for rule in RULES if rule.of_person}
PROMISED = {"kept": "slot_kept"}  # a series may choose that others make way; who was promised it never does
API, PAGES = "fablab.api", "fablab.dashboard"

DOORS = (
    Door("page, the kind first", f"{PAGES}.slots", _page(
        lambda world: reverse("book-confirm", args=[world.kind.slug]),
        lambda world: {"slot": world.slot, "minutes": "60", "machine": world.machine.pk})),
    Door("page, the hour first", f"{PAGES}.slots", _page(
        lambda world: reverse("when-confirm"),
        lambda world: {"slot": world.slot, "jour": world.wall(AT, "%Y-%m-%d"), "heure": "16:00"}, "jour", "heure")),
    Door("page, another time", f"{PAGES}.ways_out", _page(
        lambda world: reverse("booking-other-time", args=[world.booked.pk]), lambda world: {"slot": world.slot})),
    Door("page, another machine", f"{PAGES}.ways_out", _page(
        lambda world: reverse("booking-other-time", args=[world.elsewhere.pk]), lambda world: {"slot": world.slot})),
    Door("desk", f"{PAGES}.for_somebody", _page(
        lambda world: reverse("book-for", args=[world.person.pk]),
        lambda world: {"machine": world.machine.pk, "start": world.wall(world.start), "end": world.wall(world.end)},
        "start", "end", who="instructor")),
    Door("page at the machine", f"{PAGES}.at_machine", _at_the_machine, WALK_UP),
    Door("page of series", f"{PAGES}.series", _page(
        lambda world: reverse("series-new"), lambda world: _series_body(world, person=world.person.pk),
        "first", "starts", "ends", "person", who="instructor"), GIVEN, PROMISED),
    Door("page of series, a workshop", f"{PAGES}.series", _page(
        lambda world: reverse("series-new"), lambda world: _series_body(world, title="Atelier"),
        "first", "starts", "ends", "title", who="instructor"), GROUP, PROMISED),
    Door("page of a series, all that follow", f"{PAGES}.series", _page(
        lambda world: reverse("series-change", args=[world.series.pk]),
        lambda world: _change_body(world, "first", "decalage"), "first", "starts", "ends", who="instructor"),
        GIVEN, PROMISED),
    Door("API", f"{API}.bookings", _program(
        lambda world: "bookings/", lambda world: {"machine": world.machine.pk, **world.span})),
    Door("API, for somebody", f"{API}.bookings", _program(
        lambda world: "bookings/",
        lambda world: {"machine": world.machine.pk, "person": world.person.pk, **world.span}, "instructor")),
    Door("API, move", f"{API}.bookings", _program(
        lambda world: f"bookings/{world.booked.pk}/move/", lambda world: world.span)),
    Door("API, at the machine", f"{API}.at_machine", _program(
        lambda world: f"machines/{world.machine.pk}/use-now/", lambda world: None), WALK_UP),
    Door("API, series", f"{API}.series", _program(
        lambda world: "series/", lambda world: _series_body(world, person=world.person.pk), "instructor"),
        GIVEN, PROMISED),
    Door("API, a workshop", f"{API}.series", _program(
        lambda world: "series/", lambda world: _series_body(world, title="Atelier"), "instructor"),
        GROUP, PROMISED),
    Door("API, all that follow", f"{API}.series", _program(
        lambda world: f"series/{world.series.pk}/change-following/",
        lambda world: _change_body(world, "from_day", "days_later"), "instructor"), GIVEN, PROMISED),
    Door("page of a table", f"{PAGES}.importing", _page(
        lambda world: reverse("importing-send"),
        lambda world: {"file": SimpleUploadedFile("t.csv", world.table.encode())}, who="staff"), says=PROMISED),
    Door("a table, by command", "equipment.management.commands.import_bookings", _by_command, says=PROMISED),
)  # fmt: skip


def rows() -> list[tuple[Any, ...]]:
    """Return all that stands in the table of bookings."""
    return list(
        Booking.objects.order_by("pk").values_list(
            "pk", "machine", "person", "start", "end", "held_end", "state", "version"
        )
    )
