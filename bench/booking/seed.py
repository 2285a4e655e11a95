"""A lab with many bookings: 110 machines, 1,100 members with certificates and tokens, a full week, old bookings.

Works on the database of the settings. Times are asked by the caller, so that one run is like the next.
"""

import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command

from equipment.bookings.models import Booking
from equipment.bookings.states import BookingState
from equipment.certifications.models import Certificate
from equipment.machines.models import Machine, MachineKind, MachineModel
from equipment.sites.models import OpeningHours, Site, SiteRole
from fablab.core.clock import local_day, midnight
from fablab.core.ids import new_token
from fablab.people.models import AccessToken, User
from fablab.people.queries import digest_of

ZONE = "Europe/Paris"
KINDS = {"fdm": "Imprimante 3D", "embroidery": "Brodeuse", "cutter": "Découpe vinyle", "press": "Presse"}
MACHINES = 110
PEOPLE = 1100
OPENS, CLOSES = 8, 20  # each day
WEEK_EVENTS = 1000  # live ones, in the week that begins next Monday
BOOKABLE_DAYS = 14  # the horizon of every kind; the benchmark books on those outside that week
LONG_AGO = 120  # days: those who did not come then are not held to it any more


def make_lab(at: datetime) -> dict[str, Any]:
    """Fill an empty database; return what clients need: machines, tokens, the staff's session."""
    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)  # pages name their styles by content
    site = Site.objects.create(name="Banc", slug="banc", time_zone=ZONE)
    OpeningHours.objects.bulk_create(
        OpeningHours(site=site, weekday=weekday, opens=OPENS * 60, closes=CLOSES * 60) for weekday in range(7)
    )
    kinds = [
        MachineKind.objects.create(slug=slug, names={"fr": name}, needs_certificate=True, needs_plate=False)
        for slug, name in KINDS.items()
    ]
    models = [MachineModel.objects.create(kind=kind, name=f"Modèle {kind.slug}") for kind in kinds]
    machines = Machine.objects.bulk_create(
        Machine(site=site, model=models[number % len(models)], name=f"Machine {number:03}", driver="handover")
        for number in range(MACHINES)
    )
    people = User.objects.bulk_create(
        User(username=f"person-{number}", display_name=f"Personne {number}", password="!bench")
        for number in range(PEOPLE + 1)
    )
    *members, staff = people
    SiteRole.objects.bulk_create(
        [SiteRole(person=person, site=site, role="member") for person in members]
        + [SiteRole(person=staff, site=site, role=role) for role in ("staff", "manager")]
    )
    Certificate.objects.bulk_create(
        Certificate(person=person, kind=kind, site=site, granted_by=staff, granted_at=at)
        for person in members
        for kind in kinds
    )
    tokens = [new_token() for _ in members]
    AccessToken.objects.bulk_create(
        # Used a moment ago, as by a program that works all day: the note of its use is written every ten minutes.
        AccessToken(person=person, digest=digest_of(token), created_at=at, last_used_at=at)
        for person, token in zip(members, tokens, strict=True)
    )
    session = SessionStore()
    session[SESSION_KEY] = str(staff.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = staff.get_session_auth_hash()
    session.create()
    return {
        "machines": [machine.pk for machine in machines],
        "tokens": tokens,
        "session": session.session_key,
        "site": site.pk,
    }


def week_days(at: datetime) -> range:
    """Return the days of the week that begins next Monday, counted from today."""
    first = 7 - local_day(at, ZONE).weekday()
    return range(first, first + 7)


def free_days(at: datetime) -> list[int]:
    """Return the days on which the benchmark books, counted from today."""
    return [day for day in range(1, BOOKABLE_DAYS + 1) if day not in week_days(at)]


def hours_of(at: datetime, days: Iterable[int]) -> Iterator[datetime]:
    """Yield the opening hours of local days, counted from today."""
    today = local_day(at, ZONE)
    for number in days:
        first = midnight(today + timedelta(days=number), ZONE)
        yield from (first + timedelta(hours=hour) for hour in range(OPENS, CLOSES))


def grow_to(count: int, at: datetime, seed: int) -> None:
    """Have so many bookings: the week's live ones first, then old ones, hour after hour back from yesterday."""
    chance = random.Random(seed)
    machines = list(Machine.objects.order_by("name").values_list("pk", flat=True))
    people = list(
        User.objects.filter(username__startswith="person-").order_by("pk").values_list("pk", flat=True)
    )
    there = Booking.objects.count()
    rows = []
    if not there:
        slots = [(hour, machine) for hour in hours_of(at, week_days(at)) for machine in range(MACHINES)]
        for hour, machine in chance.sample(slots, WEEK_EVENTS):
            rows.append(_booking(machines[machine], people[machine], hour, BookingState.CONFIRMED))
    old = count - WEEK_EVENTS
    before = max(0, there - WEEK_EVENTS)
    if old > before:
        days = range(-1 - old // (MACHINES * (CLOSES - OPENS)), 0)
        back = list(reversed(list(hours_of(at, days))))
        for number in range(before, old):
            hour, machine = back[number // MACHINES], number % MACHINES
            ended = chance.choices((BookingState.DONE, BookingState.CANCELLED), (9, 1))[0]
            if hour < at - timedelta(days=LONG_AGO) and chance.random() < 0.05:
                ended = BookingState.NO_SHOW
            person = people[(machine + 7 * (number // MACHINES)) % PEOPLE]
            rows.append(_booking(machines[machine], person, hour, ended))
    Booking.objects.bulk_create(rows, batch_size=2000)


def _booking(machine: str, person: str, start: datetime, state: BookingState) -> Booking:
    end = start + timedelta(hours=1)
    return Booking(
        machine_id=machine,
        person_id=person,
        start=start,
        end=end,
        held_start=start,
        held_end=end,
        state=state,
        created_by_id=person,
        created_at=start - timedelta(days=2),
        ended_at=None if state == BookingState.CONFIRMED else end,
    )
